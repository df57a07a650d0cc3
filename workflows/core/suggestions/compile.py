"""From a period of the record to what it says of the policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflows.core.access_review.rows import grouped
from workflows.core.loosening.reach import Production
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.rules.groups import groups_that_count
from workflows.core.suggestions.approvers import alone, findings, pairs, quick_people
from workflows.core.suggestions.limits import ASKS_MIN, UNUSED_DAYS_MIN
from workflows.core.suggestions.model import CouldApprove, CouldGo, Found, NeedsSecond, Place, Record, Withheld
from workflows.core.suggestions.rules import Ground, is_evidence, judged


def suggested(policy: Policy, record: Record, groups: GroupFacts) -> Found:
    """`groups`: of all that may ask or own, as they were last read."""
    rules, withheld, short = _rules(policy, record, groups)
    single = list(alone(record.asks, *_owners(policy, groups)))
    return Found(
        record.since,
        record.until,
        rules,
        tuple(_gone(policy, record)),
        tuple(one for one in single if isinstance(one, NeedsSecond)),
        (*findings(record.asks), *(one for one in single if not isinstance(one, NeedsSecond))),
        withheld,
        short,
    )


def _rules(
    policy: Policy, record: Record, groups: GroupFacts
) -> tuple[tuple[CouldApprove, ...], tuple[Withheld, ...], int]:
    ground = Ground(
        policy, record, groups, quick_people(record.asks), frozenset(pairs(record.asks)), in_production(policy)
    )
    rules: list[CouldApprove] = []
    withheld: list[Withheld] = []
    short = 0
    for place, asks in sorted(grouped(record.asks, lambda ask: ask.place).items()):
        # Of its roles alone: no rule ever answers a pipeline.
        role = policy.environments[place[0]].roles.get(place[1]) if place[0] in policy.environments else None
        number = sum(map(is_evidence, asks))
        if role is None or number < ASKS_MIN:
            short += role is not None and number > 0
            continue
        found = judged(ground, role, asks)
        if isinstance(found, CouldApprove):
            rules.append(found)
        else:
            withheld.append(Withheld(place[0], place[1], number, found))
    return tuple(rules), tuple(withheld), short


def in_production(policy: Policy) -> frozenset[Place]:
    """Roles that give what is in production, whatever tier their environment says."""
    production = Production(policy)
    return frozenset(
        (place.name, role) for place in policy.environments.values() for role in production.roles_in(place)
    )


def _gone(policy: Policy, record: Record) -> Iterator[CouldGo]:
    """Not what is kept for an emergency, nor what has not been there for so long."""
    if record.days < UNUSED_DAYS_MIN or not record.changes_known:
        return
    for place in policy.environments.values():
        spare = place.break_glass.roles if place.break_glass is not None else ()
        for name in place.roles:
            at = place.name, name
            came = {at, (place.name, "")} & record.came.keys()
            if at not in record.used and name not in spare and not came and record.is_whole(at):
                yield CouldGo(*at, record.days)


def _owners(
    policy: Policy, groups: GroupFacts
) -> tuple[Mapping[str, frozenset[PersonId] | None], Mapping[str, tuple[str, ...]]]:
    """By environment: who may answer as an owner, None where not all are known; and in which groups they stand."""
    people: dict[str, frozenset[PersonId] | None] = {}
    named: dict[str, tuple[str, ...]] = {}
    for place in policy.environments.values():
        names = groups_that_count(policy, place, place.owners)
        people[place.name] = groups.members(names) if groups.whole(names) else None
        named[place.name] = names
    return people, named
