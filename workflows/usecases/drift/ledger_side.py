"""What the ledger says of one look, read after the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from workflows.core import keys
from workflows.core.drift.compare import LedgerSide
from workflows.core.identity import TargetUser
from workflows.core.records.drift import Drift, Look
from workflows.core.records.grant import CLOSED, EndCause, Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.target import Observation, Resource
from workflows.ports import Ledger, Snapshot
from workflows.usecases.drift.plan import grants, scope_of
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.installation import installation

MARK_LENGTH = 12
# So many requests of a person are looked through for the one that gave something.
LOOKS_BACK = 200
_AT_ONCE = 500
_FOUND_MAX = 100_000


def ledger_side(ctx: Context, look: Look, listed: Sequence[Observation], open_: Mapping[str, Drift]) -> LedgerSide:
    """Raises CorruptRecord where the installation's own name cannot be read."""
    ledger, seen = ctx.ledger, {one.resource.holding: one for one in listed if one.resource is not None}
    live = _live(ledger, look)
    holdings = _read(ledger, [keys.holding(id_) for id_ in dict.fromkeys((*seen, *(one.holding for one in live)))])
    # A record that cannot be read stands for something, too.
    busy = {id_ for id_ in seen if not holdings[keys.holding(id_)].items[keys.holding(id_)].is_absent}
    active = {
        one.holding: (one, holdings[keys.holding(one.holding)].readable(keys.holding(one.holding), Holding))
        for one in live
        if one.state is GrantState.ACTIVE and scope_of(one.resource.target) == look.scope
    }
    rest = [one for id_, one in seen.items() if id_ not in busy and id_ not in active]
    return LedgerSide(
        installation(ctx).id[:MARK_LENGTH],
        frozenset(busy | {one.holding for one in live}),
        active,
        _ended(ctx, rest, open_),
    )


def _live(ledger: Ledger, look: Look) -> tuple[Grant, ...]:
    places = dict.fromkeys(environment for environment, _ in look.roles)
    ids = [id_ for name in places for id_ in ledger.members(keys.of_environment(keys.LIVE, name), limit=_FOUND_MAX)]
    return grants(ledger, ids)


def _read(ledger: Ledger, names: Sequence[str]) -> dict[str, Snapshot]:
    found: dict[str, Snapshot] = {}
    for first in range(0, len(names), _AT_ONCE):
        part = names[first : first + _AT_ONCE]
        found |= dict.fromkeys(part, ledger.read(*part))
    return found


# ---------------------------------------------------------------- what was given once


def _ended(ctx: Context, seen: Sequence[Observation], open_: Mapping[str, Drift]) -> dict[str, Grant]:
    """The newest grant that gave each of these and is over."""
    found: dict[str, Grant] = {}
    named = {one.request for one in seen if one.request} | {one.grant for one in open_.values() if one.grant}
    candidates = list(grants(ctx.ledger, named))
    wanted = [one.resource for one in seen if one.resource is not None and not one.request]
    candidates += _of_users(ctx.ledger, [one for one in wanted if not _is_known_standing(one, open_)])
    ids = {one.resource.holding: one for one in seen if one.resource is not None}
    for grant in sorted(candidates, key=_closed_at):
        if grant.holding in ids and _was_given(grant, by_name=bool(ids[grant.holding].request)):
            found[grant.holding] = grant
    return found


def _is_known_standing(resource: Resource, open_: Mapping[str, Drift]) -> bool:
    """Found before, and looked up then: it is not looked up each hour."""
    known = open_.get(resource.holding)
    return known is not None and known.resource.user == resource.user and not known.grant


def _of_users(ledger: Ledger, resources: Iterable[Resource]) -> tuple[Grant, ...]:
    """What the people had to whom these users are bound."""
    users = [keys.target_user(resource.user) for resource in resources]
    bound = _read(ledger, list(dict.fromkeys(users)))
    people = {one.person for name, snapshot in bound.items() if (one := snapshot.readable(name, TargetUser))}
    ids = [
        id_
        for who in sorted(people)
        for id_ in ledger.members(keys.of_person(keys.RECENT, who), limit=LOOKS_BACK, newest=True)
    ]
    return grants(ledger, ids)


def _was_given(grant: Grant, *, by_name: bool) -> bool:
    """What carries a grant's name was written for it. Else it must have been active: what stood there before was not given."""
    if grant.state not in CLOSED or (grant.end is not None and grant.end.cause is EndCause.STANDING):
        return False
    return by_name or grant.activated_at is not None


def _closed_at(grant: Grant) -> datetime:
    return grant.closed_at or grant.deadline
