"""What the clock finds: items that lead nowhere any more, and ends that the queue did not bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from workflows.core import keys
from workflows.core.audit import Event
from workflows.ports import Change
from workflows.usecases.shared.context import Context, event
from workflows.usecases.shared.rebuilt import grant_or_rebuilt
from workflows.usecases.shared.troubles import attempt

# The clock wakes a worker for an end at once, and again after 5 s. What is later than this did not come by the queue.
OVERDUE_S = 8.0


def take_off(ctx: Context, item: str, *reads: str) -> None:
    """Nothing is to be done for `item`: off the clock with it, unless one of the records `reads` has changed meanwhile."""
    snapshot = ctx.ledger.read(*reads)
    versions = ":".join(str(found.version) for found in snapshot.items.values())
    change = Change(
        commit_id=f"off:{item}:{versions}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        due={item: None},
        removes_access=True,
    )
    ctx.ledger.commit(change)


def overdue_holdings(ctx: Context, limit: int = 50) -> Mapping[str, str]:
    """Holdings with a grant whose deadline has passed for a while and that is not closed, each with one of those: whatever is
    wrong with the queue (full memory refuses its writes, say), these are to be converged without it.
    """
    late = ctx.ledger.members(keys.LIVE, high=ctx.ledger.now().timestamp() - OVERDUE_S, limit=limit)
    if not late:
        return {}
    snapshot = ctx.ledger.read(*map(keys.grant, late))
    found: dict[str, str] = {}

    def look(id_: str) -> None:
        grant = grant_or_rebuilt(ctx, snapshot, id_)
        if grant is not None:
            found[grant.holding] = grant.id

    for id_ in late:
        # One by one: a record that cannot be read must keep no other one open.
        attempt(ctx, keys.end_due(id_), partial(look, id_))
    return found


def end_what_is_overdue(ctx: Context, end: Callable[[str, str], None]) -> int:
    """One try by `end` for each overdue holding, whatever becomes of the others. Returns how many there are."""
    overdue = overdue_holdings(ctx)
    for holding, grant in overdue.items():
        attempt(ctx, keys.holding(holding), partial(end, holding, grant))
    return len(overdue)


def declare_durability(ctx: Context, mode: str) -> None:
    """Where durability is only declared, the record says that nobody has checked it. Once for each policy in force."""
    if mode != "declared":
        return
    snapshot = ctx.ledger.read(keys.ACTIVE_POLICY)
    version = snapshot.items[keys.ACTIVE_POLICY].version
    entry = event(ctx, Event.LEDGER_DURABILITY_DECLARED, "ledger", snapshot, {"mode": mode})
    change = Change(f"durability-declared:{version}", snapshot.now, snapshot.versions(), audit=(entry,))
    ctx.ledger.commit(change)
