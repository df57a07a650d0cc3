"""Break-glass: may this person let themselves in now, when is its review chased, who may review it? Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import OWNERS, BreakGlass, Entitlement, Environment, Policy
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Decision, Request
from workflows.core.refusal import Code, Refused, together
from workflows.core.rules.approvers import is_party, part_in_it
from workflows.core.rules.eligibility import Ask, MayAsk, clean, find_entitlement, find_ticket, text_problem
from workflows.core.rules.groups import groups_named, groups_that_count, may_break_glass, not_a_member, person_problem

DAY = timedelta(days=1)
# A review is owed even where the policy does not say by when.
REVIEW_WITHIN = timedelta(hours=24)
# A break-glass that no channel was told of for so long is an alarm.
ANNOUNCED_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class History:
    """What the person has done with it before: their record, and their uses in this environment."""

    record: PersonRecord | None
    uses: Uses | None


# ---------------------------------------------------------------- may they


def may_break(
    policy: Policy, ask: Ask, person: PersonFacts, groups: GroupFacts, history: History, now: datetime
) -> MayAsk | Refused:
    """Whether `person` may let themselves in. Freezes, hours and a missing ticket stop nobody in an emergency."""
    found = find_entitlement(policy, ask.environment, ask.role)
    if isinstance(found, Refused):
        return found
    place = policy.environments[found.environment]
    refusal = (
        person_problem(person)
        or _not_allowed(policy, place, found.role, person.id, groups)
        or together((text_problem(ask.reason, _emergency(ask, found)), _duration_problem(place, found, ask.duration)))
        or break_glass_suspended(policy, history.record, now)
        or too_often(place, history.uses, now)
    )
    duration = ask.duration or default_duration(place, found)
    return refusal or MayAsk(found, duration, clean(ask.reason), find_ticket(ask, found))


def _emergency(ask: Ask, found: Entitlement) -> dict[str, str]:
    params = {"what": "break-glass", "environment": found.environment, "role": found.role}
    return params | ({"asked_s": str(int(ask.duration.total_seconds()))} if ask.duration else {})


def _not_allowed(policy: Policy, place: Environment, role: str, person: PersonId, groups: GroupFacts) -> Refused | None:
    if may_break_glass(policy, place, role, person, groups):
        return None
    break_glass = place.break_glass
    if break_glass is None:
        return Refused(Code.BREAK_GLASS_NOT_ALLOWED, {"environment": place.name, "role": role})
    names = groups_that_count(policy, place, break_glass.who)
    params = {"environment": place.name, "role": role, "groups": ", ".join(names)}
    other_role = Refused(
        Code.BREAK_GLASS_OTHER_ROLE, {"environment": place.name, "roles": ", ".join(break_glass.roles)}
    )
    return not_a_member(groups, person, names, Refused(Code.BREAK_GLASS_NOT_ALLOWED, params)) or other_role


def from_terminal_problem(policy: Policy, environment: str, role: str, *, chat_down: bool) -> Refused | None:
    """Why nobody lets themselves in from a terminal here: there is a chat, in which people would see it, or the policy does not
    let them. What is not there is refused as anywhere.
    """
    found = find_entitlement(policy, environment, role)
    if isinstance(found, Refused):
        return None
    break_glass = policy.environments[found.environment].break_glass
    if break_glass is None or found.role not in break_glass.roles:
        return None
    params = {"environment": found.environment, "role": found.role}
    if found.role not in break_glass.when_chat_is_down:
        return Refused(Code.TERMINAL_NOT_ALLOWED, {**params, "why": "policy"})
    return None if chat_down else Refused(Code.TERMINAL_NOT_ALLOWED, {**params, "why": "chat"})


def longest(break_glass: BreakGlass) -> timedelta:
    """The longest that one use may be asked for."""
    return min(break_glass.max_duration, break_glass.max_total or break_glass.max_duration)


def longest_total(policy: Policy, grant: Grant) -> timedelta | None:
    """The longest that a grant from a break-glass may run, extensions included; None where the policy does not say."""
    place = policy.environments.get(grant.terms.environment)
    return place.break_glass.max_total if place and place.break_glass else None


def default_duration(place: Environment, found: Entitlement) -> timedelta:
    break_glass = place.break_glass
    return min(found.default_duration, longest(break_glass)) if break_glass else found.default_duration


def _duration_problem(place: Environment, found: Entitlement, duration: timedelta | None) -> Refused | None:
    if duration is None or place.break_glass is None:
        return None
    if duration <= timedelta(0):
        return Refused(Code.DURATION_ZERO, audited=False)
    if duration <= longest(place.break_glass):
        return None
    params = {
        "asked_s": str(int(duration.total_seconds())),
        "max_s": str(int(longest(place.break_glass).total_seconds())),
        "role": found.role,
        "environment": found.environment,
        "what": "break-glass",
    }
    return Refused(Code.DURATION_TOO_LONG, params, audited=False)


def break_glass_suspended(policy: Policy, record: PersonRecord | None, now: datetime) -> Refused | None:
    """A bar, or that everything of theirs was once revoked, stands until security lifts it."""
    if record is None or (record.break_glass_barred is None and record.blocked_until is None):
        return None
    why = record.break_glass_barred or "all access was revoked"
    # Who is kept from asking, too, is not told to ask as usual.
    asks = record.blocked_until is None or record.blocked_until <= now
    return Refused(
        Code.BREAK_GLASS_BARRED, {"why": why, "groups": policy.panic_group or "", "asks": "true" if asks else ""}
    )


def used(uses: Uses | None, now: datetime) -> tuple[datetime, ...]:
    """The uses of the last 24 hours."""
    return tuple(at for at in uses.times if now - at < DAY) if uses else ()


def too_often(place: Environment, uses: Uses | None, now: datetime) -> Refused | None:
    """Whether this person has broken the glass there as often as they may; `uses`: theirs in this environment."""
    break_glass, recent = place.break_glass, used(uses, now)
    if break_glass is None or break_glass.max_per_day is None or len(recent) < break_glass.max_per_day:
        return None
    # The one whose end makes room again.
    again = sorted(recent)[-break_glass.max_per_day] + DAY
    params = {"max": str(break_glass.max_per_day), "environment": place.name, "until": again.isoformat()}
    return Refused(Code.BREAK_GLASS_TOO_OFTEN, params)


# ---------------------------------------------------------------- the bar


def who_broke(decision: Decision, holder: PersonId) -> PersonId:
    """Who answers for it: the holder, who let themselves in; of a gate whoever opened it for a pipeline, which holds it."""
    return decision.by[0] if decision.by else holder


def bar(record: PersonRecord, why: str) -> PersonRecord:
    """No break-glass for this person until security lifts it. An earlier reason stands."""
    return record if record.break_glass_barred else replace(record, break_glass_barred=why)


# ---------------------------------------------------------------- the review


def review_owed(id_: str, environment: str, break_glass: BreakGlass | None, holder: PersonId, now: datetime) -> Review:
    within = (break_glass.review_within if break_glass else None) or REVIEW_WITHIN
    return Review(id_, environment, holder, ReviewState.OWED, now, now + within)


def next_chase(review: Review) -> datetime:
    """When somebody must be reminded next: at a quarter, at half and at the end of its time, then daily."""
    last = review.chased_at[-1] if review.chased_at else review.since
    within = review.due_at - review.since
    for point in (review.since + within / 4, review.since + within / 2, review.due_at):
        if point > last:
            return point
    return review.due_at + ((last - review.due_at) // DAY + 1) * DAY


def reviewers(policy: Policy, environment: str) -> tuple[str, ...]:
    """The groups whose members may review: the owners, and the panic group."""
    place = policy.environments.get(environment)
    return (
        tuple(dict.fromkeys(groups_that_count(policy, place, (OWNERS, *policy.security)))) if place else policy.security
    )


def may_review(
    policy: Policy, review: Review, person: PersonFacts, groups: GroupFacts, request: Request | None = None
) -> Refused | None:
    """None where this person may say how it was. Never about their own; `request` is the break-glass itself."""
    problem = person_problem(person)
    if problem:
        return problem
    own = person.id in groups.counted_as(review.holder) or (request is not None and is_party(request, person, groups))
    if own:
        part = {part_in_it(request, person, groups): "yes"} if request is not None and request.gate is not None else {}
        return Refused(Code.OWN_REVIEW, {"id": review.id, **part})
    names = reviewers(policy, review.environment)
    params = {"id": review.id, "groups": ", ".join(names)}
    return not_a_member(groups, person.id, names, Refused(Code.NOT_A_REVIEWER, params))


def who_may(place: Environment) -> tuple[str, ...]:
    """The groups that may break glass in an environment, for people to read."""
    return groups_named(place, place.break_glass.who) if place.break_glass else ()
