"""What of drift stands on the ledger, and when the next comparison is due: for whoever does not compare."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.core import keys
from workflows.core.records.drift import Drift, DriftPass
from workflows.ports import IndexEntry
from workflows.usecases.shared.context import Context

# Chat subjects: what one pass found, and what waits for people.
SUBJECT = "drift-"
HOLD = "drift-hold-"
# The first pass after a clock has begun to lead: others who start at the same time go first.
FIRST_AFTER_S = 900.0
_OPEN_MAX = 10_000


def schedule(ctx: Context) -> None:
    """Once by whoever begins to lead: a comparison is due, now and then. What is due sooner stays so."""
    ctx.ledger.remind(keys.DRIFT_DUE, FIRST_AFTER_S)


def ask_for_pass(ctx: Context) -> int:
    """Somebody wants to know now. Returns the number of the pass that will tell: the one that has not begun yet."""
    stands = progress(ctx)
    ctx.ledger.remind(keys.DRIFT_DUE, 0.0)
    ctx.wake(keys.DRIFT_DUE)
    return stands.number + 1 if stands.started_at is None else stands.number


def progress(ctx: Context) -> DriftPass:
    snapshot = ctx.ledger.read(keys.DRIFT_PROGRESS)
    return snapshot.readable(keys.DRIFT_PROGRESS, DriftPass) or DriftPass()


def open_of(ctx: Context, scope: str) -> dict[str, Drift]:
    ids = ctx.ledger.members(keys.drift_of(scope), limit=_OPEN_MAX)
    return read_drifts(ctx, ids)


def open_of_all(ctx: Context) -> dict[str, Drift]:
    """All that is open, the oldest first."""
    return read_drifts(ctx, ctx.ledger.members(keys.DRIFT, limit=_OPEN_MAX))


def read_drifts(ctx: Context, ids: Sequence[str]) -> dict[str, Drift]:
    """Those that can be read, by id."""
    found: dict[str, Drift] = {}
    for first in range(0, len(ids), 500):
        part = ids[first : first + 500]
        snapshot = ctx.ledger.read(*map(keys.drift, part))
        found |= {id_: one for id_ in part if (one := snapshot.readable(keys.drift(id_), Drift)) is not None}
    return found


def entries_of(one: Drift, *, there: bool = True) -> tuple[IndexEntry, ...]:
    """Where it is listed, by since when."""
    names = (
        keys.DRIFT,
        keys.drift_of(one.scope),
        *(keys.of_environment(keys.DRIFT, name) for name in one.environments),
    )
    score = one.first_seen.timestamp() if there else None
    return tuple(IndexEntry(name, one.id, score) for name in names)


def called(one: Drift) -> str:
    """Whose it is, for people: a name, else as the target calls the user."""
    return one.who or one.resource.user_id
