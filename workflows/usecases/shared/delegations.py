"""Who decides in whose place: delegations off the ledger, as facts that a decision may rest on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.identity import AccountId
from workflows.core.people import Delegation, GroupFacts, PersonId
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request
from workflows.ports import CorruptLedger, CorruptRecord, Snapshot
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.parties import account_in

# More people than this are not away at once; the others' owners decide.
AWAY_MAX = 500
ABOUT_DELEGATIONS = "delegations"


def with_delegations(
    ctx: Context, groups: GroupFacts, also: Iterable[PersonId] = (), now: datetime | None = None
) -> GroupFacts:
    """The facts with the delegations that are in force now, and those of `also`, who were spoken for earlier."""
    with ctx.ahead.question(ABOUT_DELEGATIONS):
        return _with_delegations(ctx, groups, also, now or ctx.ledger.now())


def _with_delegations(ctx: Context, groups: GroupFacts, also: Iterable[PersonId], now: datetime) -> GroupFacts:
    try:
        in_force = ctx.ledger.members(keys.DELEGATIONS, low=now.timestamp(), limit=AWAY_MAX)
    except CorruptLedger:
        # Until that is mended nobody takes anybody's place.
        in_force = ()
    away = tuple(dict.fromkeys((*map(PersonId, in_force), *also)))
    if not away:
        return replace(groups, delegations={}, at=now, looked_at={}, silent=frozenset())
    snapshot = ctx.ledger.read(*map(keys.person, away))
    facts = ctx.directory.of_people(away)
    silent = frozenset(who for who, one in facts.items() if one.suspended is not None and not one.standing_problem)
    gone = silent | {who for who, one in facts.items() if one.standing_problem}
    found = {who: delegation for who in away if who not in gone and (delegation := _recorded(snapshot, who))}
    looked_at = {who: one.account for who, one in facts.items() if who in found}
    return replace(groups, delegations=found, at=snapshot.now, looked_at=looked_at, silent=silent)


def delegators(groups: GroupFacts) -> tuple[str, ...]:
    """The records that these delegations rest on, to be read in the snapshot of a decision: each itself, and the account of
    whoever made it."""
    return (*map(keys.person, groups.delegations), *map(keys.account, groups.looked_at.values()))


def as_recorded(groups: GroupFacts, snapshot: Snapshot) -> GroupFacts:
    """The same on the decision's own snapshot: one that was ended meanwhile counts for nothing, nor does one of somebody who
    was put on hold, or of whose account nothing can be read."""
    held = frozenset(who for who, account in groups.looked_at.items() if not _speaks(snapshot, account))
    found = {
        who: delegation
        for who in groups.delegations
        if who not in held and (delegation := _recorded(snapshot, who)) is not None
    }
    return replace(groups, delegations=found, at=snapshot.now, silent=groups.silent | held)


def _speaks(snapshot: Snapshot, account: AccountId) -> bool:
    try:
        record = account_in(snapshot, account)
    except CorruptRecord:
        # It must stand in nobody else's way.
        return False
    return record is None or record.suspended is None


def votes_on_behalf(request: Request) -> tuple[PersonId, ...]:
    """In whose place somebody has voted: their delegation may have ended since, and the vote stands."""
    return tuple(dict.fromkeys(who for vote in request.votes for who in vote.for_))


def _recorded(snapshot: Snapshot, who: PersonId) -> Delegation | None:
    """Of somebody of whom nothing can be read nobody takes the place."""
    record = snapshot.readable(keys.person(who), PersonRecord)
    return record.delegation if record is not None else None
