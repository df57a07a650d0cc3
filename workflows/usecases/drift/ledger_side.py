"""What the ledger says of one look, read after the list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from workflows.core import keys
from workflows.core.drift.compare import LedgerSide, is_steady
from workflows.core.identity import PersonId, TargetUser
from workflows.core.records.drift import Drift, Look
from workflows.core.records.grant import CLOSED, EndCause, Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.target import Observation, Resource
from workflows.ports import Ledger
from workflows.usecases.drift.plan import grants
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.installation import installation

MARK_LENGTH = 12
# So many requests of a person are looked through for the one that gave something.
LOOKS_BACK = 200
_AT_ONCE = 200
# So many of one look are missed at a time, and those that were missed before: more are a list of something else.
MISSED_MAX = 200


def ledger_side(
    ctx: Context, look: Look, listed: Sequence[Observation], open_: Mapping[str, Drift], started: datetime
) -> LedgerSide:
    """Raises CorruptRecord where the installation's own name cannot be read."""
    ledger, seen = ctx.ledger, {one.resource.holding: one for one in listed if one.resource is not None}
    # A record that cannot be read stands for something, too.
    busy = {id_ for part in _parts(seen) for id_ in _there(ledger, part)}
    active: dict[str, tuple[Grant, Holding | None]] = {}
    for live in _live(ledger, look):
        busy.update(one.holding for one in live if one.holding in seen)
        for grant, holding in _missed(ledger, look, [one for one in live if one.holding not in seen], started):
            if len(active) < MISSED_MAX or grant.holding in open_:
                active[grant.holding] = grant, holding
    rest = [one for id_, one in seen.items() if id_ not in busy]
    return LedgerSide(installation(ctx).id[:MARK_LENGTH], frozenset(busy), active, _ended(ctx, rest, open_))


def _live(ledger: Ledger, look: Look) -> Iterator[tuple[Grant, ...]]:
    """A part at a time: one place may have a hundred thousand."""
    places = dict.fromkeys(environment for environment, _ in look.roles)
    everybody = (keys.of_environment(keys.LIVE, name) for name in places)
    names = (keys.of_person(keys.LIVE, who) for who in look.people) if look.own else everybody
    return (grants(ledger, part) for name in names for part in ledger.walk(name))


def _missed(
    ledger: Ledger, look: Look, live: Iterable[Grant], started: datetime
) -> Iterator[tuple[Grant, Holding | None]]:
    """What should have been listed, and was not."""
    scope = look.terms.scope()
    wanted = [one for one in live if one.state is GrantState.ACTIVE and one.resource.target.scope() == scope]
    if not wanted:
        return
    snapshot = ledger.read(*(keys.holding(one.holding) for one in wanted))
    for one in wanted:
        holding = snapshot.readable(keys.holding(one.holding), Holding)
        if is_steady(one, holding, started, snapshot.now):
            yield one, holding


def _there(ledger: Ledger, ids: Sequence[str]) -> Iterator[str]:
    snapshot = ledger.read(*map(keys.holding, ids))
    return (id_ for id_ in ids if not snapshot.items[keys.holding(id_)].is_absent)


def _parts(ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while part := list(islice(left, _AT_ONCE)):
        yield part


# ---------------------------------------------------------------- what was given once


def _ended(ctx: Context, seen: Sequence[Observation], open_: Mapping[str, Drift]) -> dict[str, Grant]:
    """The newest grant that gave each of these and is over."""
    found: dict[str, Grant] = {}
    named = {one.request for one in seen if one.request} | {one.grant for one in open_.values() if one.grant}
    ids = {one.resource.holding: one for one in seen if one.resource is not None}
    wanted = [one.resource for one in seen if one.resource is not None and not one.request]
    asked = _of_users(ctx.ledger, [one for one in wanted if not _is_known_standing(one, open_)])
    for grant in (one for part in _parts(named) for one in grants(ctx.ledger, part)):
        _keep_newest(found, ids, grant)
    for grant in asked:
        _keep_newest(found, ids, grant)
    return found


def _keep_newest(found: dict[str, Grant], ids: Mapping[str, Observation], grant: Grant) -> None:
    before = found.get(grant.holding)
    if grant.holding not in ids or (before is not None and _closed_at(before) > _closed_at(grant)):
        return
    if _was_given(grant, by_name=bool(ids[grant.holding].request)):
        found[grant.holding] = grant


def _is_known_standing(resource: Resource, open_: Mapping[str, Drift]) -> bool:
    """Found before, and looked up then: it is not looked up each hour."""
    known = open_.get(resource.holding)
    return known is not None and known.resource.user == resource.user and not known.grant


def _of_users(ledger: Ledger, resources: Iterable[Resource]) -> Iterator[Grant]:
    """What the people had to whom these users are bound, one after the other."""
    people: set[PersonId] = set()
    for part in _parts(dict.fromkeys(keys.target_user(resource.user) for resource in resources)):
        snapshot = ledger.read(*part)
        people.update(one.person for name in part if (one := snapshot.readable(name, TargetUser)))
    for who in sorted(people):
        yield from grants(ledger, ledger.members(keys.of_person(keys.RECENT, who), limit=LOOKS_BACK, newest=True))


def _was_given(grant: Grant, *, by_name: bool) -> bool:
    """What carries a grant's name was written for it. Else it must have been active: what stood there before was not given."""
    if grant.state not in CLOSED or (grant.end is not None and grant.end.cause is EndCause.STANDING):
        return False
    return by_name or grant.activated_at is not None


def _closed_at(grant: Grant) -> datetime:
    return grant.closed_at or grant.deadline
