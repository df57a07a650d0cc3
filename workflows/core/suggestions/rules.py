"""Whether a rule could approve what people have approved each time. Pure.

Whatever speaks against it, and whatever is not known, is a reason to propose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from workflows.core.access_review.rows import RowOutcome, median_of
from workflows.core.dates import zone_of
from workflows.core.loosening.reach import risks_of_the_same
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import Entitlement, Hours, Policy, Risk, Tier
from workflows.core.suggestions.approvers import Two, is_of_a_pair, is_over_half, most, quick_people
from workflows.core.suggestions.limits import (
    ASK_DAYS_MIN,
    ASKS_MIN,
    GROUP_SHARE,
    MINUTES,
    RECORD_DAYS_MIN,
    REQUESTERS_MIN,
)
from workflows.core.suggestions.model import Ask, Because, CouldApprove, Crowd, Numbers, Place, Record

# The least first.
_RISKS = (Risk.READ, Risk.CHANGE, Risk.ADMIN)
_DAY = timedelta(days=1)
# More than this the policy does not let a rule say.
_USES_MAX = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for all roles. `hasty`: whose yes typically takes seconds, over everything. `in_production`: roles of
    environments that say that they are no production, and give what is there.
    """

    policy: Policy
    record: Record
    groups: GroupFacts
    hasty: frozenset[PersonId]
    pairs: frozenset[Two]
    in_production: frozenset[Place]


def judged(ground: Ground, role: Entitlement, asks: Sequence[Ask]) -> CouldApprove | tuple[Because, ...]:
    """`asks`: all of this role in the period. The reasons against it, without an end where there are several."""
    good = [ask for ask in asks if is_evidence(ask)]
    crowds = _crowds(ground, role, good)
    served = _served(ground, crowds, good)
    against = (
        *_for_good(ground, role),
        *_as_it_stands(role),
        *_of_the_record(ground, (role.environment, role.role), asks),
        *_of_the_people(ground, asks, good),
        *_of_the_crowd(ground, role, crowds, served),
    )
    if against:
        return tuple(because for because in Because if because in against)
    return _rule(ground.policy, role, crowds, served)


def is_evidence(ask: Ask) -> bool:
    """A yes of people to what a rule would approve: for oneself, of the role as it is, and no more time for something."""
    return ask.outcome is RowOutcome.APPROVED and ask.own and not ask.extends and bool(ask.answers)


def _for_good(ground: Ground, role: Entitlement) -> Iterator[Because]:
    production = role.tier is Tier.PRODUCTION or (role.environment, role.role) in ground.in_production
    if role.risk is Risk.ADMIN:
        yield Because.ADMIN
    elif production and role.risk is not Risk.READ:
        yield Because.PRODUCTION
    alike = (one for place in ground.policy.environments.values() if place.tier is role.tier for one in place.given)
    if max(map(_RISKS.index, risks_of_the_same(role, alike)), default=0) > _RISKS.index(role.risk):
        yield Because.GIVES_MORE
    if role.danger:
        yield Because.DANGER
    if role.outlives:
        yield Because.OUTLIVES
    if sum(role.approve.values()) != 1:
        yield Because.SEVERAL


def _as_it_stands(role: Entitlement) -> Iterator[Because]:
    """Rules that stand further up would be gone for the role once it has some of its own."""
    here = role.origins.get("auto_approve", "").startswith(f"environments/{role.environment}.yaml:")
    if not role.auto_approve and "auto_approve" in role.origins:
        yield Because.TAKEN_AWAY
    elif role.auto_approve and not here:
        yield Because.INHERITED


_OUTCOMES = {
    RowOutcome.DENIED: Because.DENIED,
    RowOutcome.EXPIRED: Because.UNANSWERED,
    RowOutcome.BREAK_GLASS: Because.BREAK_GLASS,
}


def _of_the_record(ground: Ground, place: Place, asks: Iterable[Ask]) -> Iterator[Because]:
    record = ground.record
    if not record.is_whole(place):
        yield Because.UNREAD
    if record.days < RECORD_DAYS_MIN:
        yield Because.YOUNG
    yield from record.noted.get(place, ())
    for ask in asks:
        yield from ask.troubles
        if ask.outcome in _OUTCOMES:
            yield _OUTCOMES[ask.outcome]
        if ask.waited is not None and ask.waited > MINUTES and ask.outcome is RowOutcome.APPROVED:
            yield Because.SLOW
        if ask.outcome is RowOutcome.WAITING and record.until - ask.at > MINUTES:
            yield Because.SLOW


def _of_the_people(ground: Ground, asks: Sequence[Ask], good: Sequence[Ask]) -> Iterator[Because]:
    if is_over_half(asks) or is_over_half(good):
        yield Because.ONE_APPROVER
    by = {who for ask in asks for who in ask.answered_by}
    if by & (ground.hasty | quick_people(asks) | quick_people(good)):
        yield Because.QUICK
    if any(is_of_a_pair(ask, ground.pairs) for ask in asks):
        yield Because.PAIR


# ---------------------------------------------------------------- for whom


def _crowds(ground: Ground, role: Entitlement, good: Iterable[Ask]) -> tuple[Crowd, ...]:
    """Groups that may ask, of which all members are known and enough have asked."""
    asked = {ask.holder for ask in good}
    found = []
    for name in role.requesters:
        members = ground.groups.members((name,))
        mine = len(members & asked)
        known = ground.groups.whole((name,)) and not _may_be_edited(ground.policy, name)
        if known and mine >= REQUESTERS_MIN and mine >= GROUP_SHARE * len(members):
            found.append(Crowd(name, mine, len(members)))
    return tuple(found)


def _may_be_edited(policy: Policy, name: str) -> bool:
    group = policy.groups.get(name)
    return group is None or group.may_be_edited


def _served(ground: Ground, crowds: Iterable[Crowd], good: Iterable[Ask]) -> list[Ask]:
    people = ground.groups.members(tuple(one.group for one in crowds))
    return [ask for ask in good if ask.holder in people]


def _of_the_crowd(
    ground: Ground, role: Entitlement, crowds: Sequence[Crowd], served: Sequence[Ask]
) -> Iterator[Because]:
    zone = zone_of(ground.policy.timezone)
    if not crowds:
        yield Because.GROUP_SHARE if ground.groups.whole(role.requesters) else Because.GROUP_UNKNOWN
    elif len(served) < ASKS_MIN or len({ask.holder for ask in served}) < REQUESTERS_MIN:
        yield Because.FEW_PEOPLE
    elif len({ask.at.astimezone(zone).date() for ask in served}) < ASK_DAYS_MIN:
        yield Because.FEW_DAYS
    elif is_over_half(served):
        yield Because.ONE_APPROVER
    elif quick_people(served):
        yield Because.QUICK


# ---------------------------------------------------------------- what exactly


def _rule(policy: Policy, role: Entitlement, crowds: tuple[Crowd, ...], served: Sequence[Ask]) -> CouldApprove:
    zone = zone_of(policy.timezone)
    took = [ask.waited for ask in served if ask.waited is not None]
    _, share, answers = most(served)
    numbers = Numbers(
        asks=len(served),
        people=len({ask.holder for ask in served}),
        days=len({ask.at.astimezone(zone).date() for ask in served}),
        approvers=len({one.by for ask in served for one in ask.answers}),
        share=share,
        answers=answers,
        median=median_of(took),
        slowest=max(took),
        first=min(ask.at for ask in served),
        last=max(ask.at for ask in served),
    )
    return CouldApprove(
        role.environment,
        role.role,
        crowds,
        max(ask.duration for ask in served),
        min(_in_a_day(served), _USES_MAX),
        _hours([ask.at.astimezone(zone) for ask in served]),
        all(ask.incident for ask in served),
        numbers,
    )


def _in_a_day(asks: Iterable[Ask]) -> int:
    """The most that one person asked for within 24 hours."""
    mine: dict[PersonId, list[datetime]] = {}
    for ask in sorted(asks, key=lambda one: one.at):
        mine.setdefault(ask.holder, []).append(ask.at)
    return max(sum(first <= at < first + _DAY for at in times) for times in mine.values() for first in times)


def _hours(local: Sequence[datetime]) -> Hours | None:
    """Whole hours and days at which anybody asked; None where that is always."""
    days = frozenset(at.weekday() for at in local)
    first, last = min(at.hour for at in local), max(at.hour for at in local) + 1
    if len(days) == 7 and (first, last) == (0, 24):
        return None
    return Hours(days, time(first), time(last % 24))
