"""What a chat signed of a vote has people's words in it, and is kept for no longer than it can be of use."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.records.grant import CLOSED, Grant
from workflows.core.records.request import Request, RequestState
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.signed_votes import LOOK_AFTER

AT_ONCE = 200
_OPEN = frozenset({RequestState.PENDING, RequestState.SCHEDULED})


def forget_signed_votes(ctx: Context) -> None:
    """Take away what belongs to requests that are decided and whose access is over; look at the others a day later.

    One look while there is nothing to do.
    """
    ids = ctx.ledger.members(keys.SIGNED, high=ctx.ledger.now().timestamp(), limit=AT_ONCE)
    for id_ in ids:
        _look(ctx, id_)


def _look(ctx: Context, id_: str) -> None:
    item = keys.signed(id_)
    snapshot = ctx.ledger.read(item, keys.request(id_), keys.grant(id_))
    over = _is_over(ctx, snapshot, id_)
    again = None if over else (snapshot.now + LOOK_AFTER).timestamp()
    change = Change(
        commit_id=f"forget:{item}:{snapshot.items[item].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        deletes=frozenset({item}) if over else frozenset(),
        index=(IndexEntry(keys.SIGNED, id_, again),),
        removes_access=True,
    )
    ctx.ledger.commit(change)


def _is_over(ctx: Context, snapshot: Snapshot, id_: str) -> bool:
    """What cannot be read may still be of use."""
    request = keys.request(id_)
    if snapshot.items[request].problem or snapshot.items[keys.grant(id_)].problem:
        return False
    found = snapshot.get(request, Request)
    if found is not None and found.state in _OPEN:
        return False
    more = keys.grant(found.extends) if found is not None and found.extends else keys.grant(id_)
    grant = (snapshot if more in snapshot.items else ctx.ledger.read(more)).readable(more, Grant)
    return grant is None or grant.state in CLOSED
