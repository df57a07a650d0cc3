"""What is looser for one role of a production environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.core.durations import format_duration
from workflows.core.loosening.crowds import Crowd, came, counting, named
from workflows.core.loosening.model import Kind, Loosened, limit_words, more, more_often
from workflows.core.loosening.windows import minutes
from workflows.core.people import PersonId
from workflows.core.policy import OWNERS, REQUESTERS, AutoApproval, Entitlement, Hours, Policy, Ticket
from workflows.core.rules.approvers import stands_for_owners
from workflows.core.rules.seat_matching import match_people

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Side:
    """A role as one of the two policies has it."""

    policy: Policy
    role: Entitlement

    def counting(self, *words: str) -> Crowd:
        return counting(self.policy, self.role, words)

    def called(self) -> Crowd:
        """Whom the escalation adds to those who may approve."""
        place = self.policy.environments[self.role.environment]
        escalate = place.escalate
        return counting(self.policy, place, escalate.to) if escalate and escalate.may_approve else frozenset()


def of_role(old: Side, new: Side) -> Iterator[Loosened]:
    """Every way in which `new` gives more, or with less ado."""
    where, roles = new.role.environment, (new.role.role,)
    for one in (
        *_people(old, new),
        *_seats(old, new),
        *_rules(old, new),
        *_limits(old.role, new.role),
        *_ticket(old.role.ticket, new.role.ticket),
        *_given(old.role, new.role),
    ):
        yield Loosened(one.kind, where, roles, one.what, one.added, one.before, one.after)


def _people(old: Side, new: Side) -> Iterator[Loosened]:
    for kind, word in ((Kind.OWNERS, OWNERS), (Kind.REQUESTERS, REQUESTERS)):
        people = came(named(old.policy, old.role, (word,)), named(new.policy, new.role, (word,)))
        if people:
            yield Loosened(kind, added=people)


# ---------------------------------------------------------------- who must agree


def _seats(old: Side, new: Side) -> Iterator[Loosened]:
    """Whoever satisfies the new places must satisfy the old ones: each old place has a new one of its own, for no more people."""
    if not old.role.approve:
        if new.role.approve:
            yield Loosened(Kind.FEWER, before="nobody could agree", after=_counts(new.role))
        return
    at_once = _contained(old, new, called=False)
    if at_once and _contained(old, new, called=True):
        return
    if sum(new.role.approve.values()) < sum(old.role.approve.values()) or not _same_words(old, new):
        yield Loosened(Kind.FEWER, before=_counts(old.role), after=_counts(new.role))
    people = _approvers(new) - _approvers(old)
    if people and not at_once:
        yield Loosened(Kind.APPROVERS, added=tuple(sorted(people)))
    if at_once:
        yield Loosened(Kind.ESCALATION, what="to", added=came(old.called(), new.called()))
    elif not people and _same_words(old, new):
        # The same people, who may take other places than before.
        yield Loosened(Kind.FEWER, before=_counts(old.role), after=_counts(new.role))


def _same_words(old: Side, new: Side) -> bool:
    return all(new.role.approve.get(word, 0) >= count for word, count in old.role.approve.items())


def _approvers(side: Side) -> Crowd:
    return frozenset().union(*(side.counting(word) for word in side.role.approve))


def _contained(old: Side, new: Side, *, called: bool) -> bool:
    places, offered = _places(old, called), _places(new, called)
    fits = {
        str(number): tuple(PersonId(str(other)) for other, people in enumerate(offered) if people <= mine)
        for number, mine in enumerate(places)
    }
    # Places of the one are given to places of the other, as people are elsewhere.
    return len(match_people(list(fits), fits)) == len(places)


def _places(side: Side, called: bool) -> list[Crowd]:
    """Every place of `approve`, and who may take it; `called`: after the escalation."""
    more_ = side.called() if called else frozenset()
    return [
        side.counting(word) | (more_ if stands_for_owners(side.role, word) else frozenset())
        for word, count in side.role.approve.items()
        for _ in range(count)
    ]


def _counts(role: Entitlement) -> str:
    return ", ".join(f"{count} of {name}" for name, count in role.approve.items()) or "nobody"


# ---------------------------------------------------------------- what approves by itself


def _rules(old: Side, new: Side) -> Iterator[Loosened]:
    for rule in new.role.auto_approve:
        if any(_covers(old, before, new, rule) for before in old.role.auto_approve):
            continue
        known = next((one for one in old.role.auto_approve if one.name == rule.name), None)
        people = came(old.counting(*known.who), new.counting(*rule.who)) if known else ()
        yield Loosened(Kind.AUTO_APPROVAL, what=rule.name, added=people, before="wider" if known else "new")


def _covers(old: Side, before: AutoApproval, new: Side, after: AutoApproval) -> bool:
    """Whether the old rule approved whatever this one approves."""
    return (
        new.counting(*after.who) <= old.counting(*before.who)
        and not more(before.max_duration, after.max_duration)
        and (after.in_incident_channel or not before.in_incident_channel)
        and minutes(after.hours) <= minutes(before.hours)
        and not more_often(before.max_uses_per_day, after.max_uses_per_day)
        # Uses are counted by the rule's name: under another one they begin anew.
        and (before.max_uses_per_day is None or before.name == after.name)
    )


# ---------------------------------------------------------------- how long, when, for what


def _limits(old: Entitlement, new: Entitlement) -> Iterator[Loosened]:
    for key in ("max_duration", "max_total"):
        before, after = getattr(old, key), getattr(new, key)
        if more(before, after):
            yield Loosened(Kind.DURATION, what=key, before=limit_words(before), after=limit_words(after))
    if not minutes(new.hours) <= minutes(old.hours):
        yield Loosened(Kind.HOURS, before=_hours(old.hours), after=_hours(new.hours))
    if more(old.expires_after, new.expires_after):
        yield Loosened(Kind.EXPIRY, before=format_duration(old.expires_after), after=format_duration(new.expires_after))


def _hours(hours: Hours | None) -> str:
    if hours is None:
        return "at any time"
    days = " ".join(DAYS[day] for day in sorted(hours.days))
    return f"{days} {hours.start:%H:%M}-{hours.until:%H:%M}"


def _ticket(old: Ticket | None, new: Ticket | None) -> Iterator[Loosened]:
    if old is None:
        return
    if new is None:
        yield Loosened(Kind.TICKET, what="removed")
        return
    if old.required and not new.required:
        yield Loosened(Kind.TICKET, what="required")
    if old.pattern != new.pattern:
        yield Loosened(Kind.TICKET, what="pattern", before=old.pattern, after=new.pattern)
    if old.verify is not None and old.verify != new.verify:
        yield Loosened(Kind.TICKET, what="verify")
    if more_often(old.max_requests, new.max_requests):
        after = str(new.max_requests) if new.max_requests else "no limit"
        yield Loosened(Kind.TICKET, what="max_requests", before=str(old.max_requests), after=after)


def _given(old: Entitlement, new: Entitlement) -> Iterator[Loosened]:
    """Whether something else is more or less, nobody here can tell."""
    if (old.target, old.account, old.connection.name) != (new.target, new.account, new.connection.name):
        yield Loosened(Kind.TARGET, before=_place(old), after=_place(new))
    if old.end_sessions and not new.end_sessions:
        yield Loosened(Kind.SESSIONS)


def _place(role: Entitlement) -> str:
    return role.target.phrase() + (f" in {role.account}" if role.account else "")
