"""Who decides in whose place: delegations off the ledger, as facts that a decision may rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from workflows.context import Context
from workflows.core import keys
from workflows.core.model import PersonRecord, Request
from workflows.core.people import Delegation, GroupFacts, PersonFacts, PersonId
from workflows.ports import CorruptLedger, Snapshot

# More people than this are not away at once; the others' owners decide.
AWAY_MAX = 500


def with_delegations(
    ctx: Context, groups: GroupFacts, also: Iterable[PersonId] = (), now: datetime | None = None
) -> GroupFacts:
    """The facts with the delegations that are in force now, and those of `also`, who were spoken for earlier."""
    now = now or ctx.ledger.now()
    try:
        in_force = ctx.ledger.members(keys.DELEGATIONS, low=now.timestamp(), limit=AWAY_MAX)
    except CorruptLedger:
        # Until that is mended nobody takes anybody's place.
        in_force = ()
    away = tuple(dict.fromkeys((*map(PersonId, in_force), *also)))
    if not away:
        return replace(groups, delegations={}, at=now)
    snapshot = ctx.ledger.read(*map(keys.person, away))
    facts = ctx.directory.of_people(away)
    found = {who: delegation for who in away if (delegation := _recorded(snapshot, who, facts))}
    return replace(groups, delegations=found, at=snapshot.now)


def delegators(groups: GroupFacts) -> tuple[str, ...]:
    """The records that these delegations stand in, to be read in the snapshot of a decision."""
    return tuple(keys.person(who) for who in groups.delegations)


def as_recorded(groups: GroupFacts, snapshot: Snapshot) -> GroupFacts:
    """The same on the decision's own snapshot: one that was ended meanwhile counts for nothing."""
    found = {who: delegation for who in groups.delegations if (delegation := _recorded(snapshot, who, {}))}
    return replace(groups, delegations=found, at=snapshot.now)


def spoken_for(request: Request) -> tuple[PersonId, ...]:
    """In whose place somebody has voted: their delegation may have ended since, and the vote stands."""
    return tuple(dict.fromkeys(who for vote in request.votes for who in vote.for_))


def _recorded(snapshot: Snapshot, who: PersonId, facts: Mapping[PersonId, PersonFacts]) -> Delegation | None:
    """Of somebody who may do nothing themselves, or of whom nothing can be read, nobody takes the place."""
    record = snapshot.readable(keys.person(who), PersonRecord)
    if record is None or (who in facts and (facts[who].standing_problem or facts[who].suspended)):
        return None
    return record.delegation
