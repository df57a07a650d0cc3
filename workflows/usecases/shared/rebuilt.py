"""Taking away goes on with what is known, where a record cannot be read: a grant from its request, a holding from its grants.

Nothing is ever given on what is put together here, and none of it is written before something is taken away: perhaps a newer
version, which runs beside this one, can read what we cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from workflows.core import keys
from workflows.core.convergence.actions import State, start_end
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.request import Request, slot_id
from workflows.core.rules.grant_terms import grant_for, grant_of_gate
from workflows.ports import Change, Committed, CorruptRecord, Fence, Lease, Ledger, Snapshot
from workflows.usecases.shared.context import Context


def grant_or_rebuilt(ctx: Context, snapshot: Snapshot, id_: str) -> Grant | None:
    """The grant in the snapshot. Raises CorruptRecord where neither it can be read nor its request."""
    item = keys.grant(id_)
    problem = snapshot.items[item].problem
    if not problem:
        return snapshot.get(item, Grant)
    found = rebuilt_grant(ctx.ledger, id_)
    if found is None:
        raise CorruptRecord(problem, item)
    return found


def grant_where_known(ctx: Context, snapshot: Snapshot, id_: str) -> Grant | None:
    """The same, and None where nothing is known of it."""
    try:
        return grant_or_rebuilt(ctx, snapshot, id_)
    except CorruptRecord:
        return None


def grant_still_due(ctx: Context, snapshot: Snapshot, id_: str) -> Grant | None:
    """A holding's grant, and None where nothing is known of it but that its time is over: nobody has access by it any more."""
    try:
        return grant_or_rebuilt(ctx, snapshot, id_)
    except CorruptRecord:
        end = ctx.ledger.score(keys.LIVE, id_)
        if end is None or end > snapshot.now.timestamp():
            raise
        return None


def rebuilt_grant(ledger: Ledger, id_: str) -> Grant | None:
    """A live grant as its request and the index of what is live tell of it; None where they do not."""
    item = keys.request(id_)
    request = ledger.read(item).readable(item, Request)
    end = ledger.score(keys.LIVE, id_)
    made = _follows(request) if request is not None else None
    if made is None or end is None:
        return None
    return replace(
        made, state=GrantState.ACTIVE, activated_at=made.decision.at, deadline=datetime.fromtimestamp(end, UTC)
    )


def _follows(request: Request) -> Grant | None:
    """What was given by it; a pipeline's role has it since its run took the approval. None: nothing was."""
    gate = request.gate
    if gate is not None:
        known = request.gives is not None and request.gives.resource is not None and request.decision is not None
        return grant_of_gate(request, gate.redeemed_at) if known and gate.redeemed_at is not None else None
    if request.decision is None or request.resource is None:
        return None
    return grant_for(request, request.decision)


def rebuilt_holding(ctx: Context, holding_id: str, grant_id: str) -> Holding | None:
    """What a live grant and its holder's others say of their holding. That something of ours is there is assumed: looking for it
    and taking it away does no harm where nothing is.
    """
    first = _grants(ctx, (grant_id,))
    if not first:
        return None
    ids = ctx.ledger.members(keys.of_person(keys.LIVE, first[0].holder))
    grants = [grant for grant in _grants(ctx, ids) if grant.holding == holding_id]
    slots = (slot_id(grant.holder, grant.terms.environment, grant.terms.role) for grant in grants)
    return Holding(
        holding_id,
        first[0].resource,
        grants=tuple(grant.id for grant in grants),
        slots=tuple(dict.fromkeys(slots)),
        baseline=Baseline.ABSENT,
        ours=True,
    )


def _grants(ctx: Context, ids: Sequence[str]) -> list[Grant]:
    snapshot = ctx.ledger.read(*map(keys.grant, ids))
    found = (grant_where_known(ctx, snapshot, id_) for id_ in ids)
    return [grant for grant in found if grant is not None]


def restore_holding(ctx: Context, holding_id: str, grant_id: str, lease: Lease) -> bool:
    """Write a holding that cannot be read as it is put together, once something of it has to be taken away.

    `grant_id`: one of its grants, where the caller knows one. False where there is nothing to do yet, or nothing to go by.
    """
    item = keys.holding(holding_id)
    snapshot = ctx.ledger.read(item)
    holding = rebuilt_holding(ctx, holding_id, grant_id) if grant_id else None
    if holding is None or not any(_is_over(grant, snapshot.now) for grant in _grants(ctx, holding.grants)):
        return False
    change = Change(
        commit_id=f"restored:{item}:{lease.number}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: holding},
        due={item: snapshot.now},
        fence=Fence(lease.name, lease.number),
        removes_access=True,
    )
    return isinstance(ctx.ledger.commit(change), Committed)


def _is_over(grant: Grant, now: datetime) -> bool:
    return grant.state is GrantState.REVOKING or grant.deadline <= now


def without_unreadable(state: State, snapshot: Snapshot, now: datetime) -> State:
    """Before something is given: grants whose own records cannot be read get none of it, and end."""
    for grant in state.of(GrantState.ACTIVE):
        item = snapshot.items.get(keys.grant(grant.id))
        if item is not None and item.problem:
            state = start_end(state, (grant.id,), End(EndCause.REVOKED, now, reason="its record cannot be read"))
    return state
