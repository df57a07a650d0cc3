"""Many holdings whose time has come, in a few round trips to the ledger: each as `converge` would do it by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workflows.core import keys
from workflows.core.records.grant import CLOSED
from workflows.core.records.request import slot_id
from workflows.usecases.fulfilment.converge import converging
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.rebuilt import grant_or_rebuilt
from workflows.usecases.shared.rounds import Doing, Failed, reading, together

# So many at once. Their calls to the target are made one after the other, and their intents are committed together: more of them
# save hardly a round trip, and more calls would be in doubt after a crash.
AT_ONCE = 8
# What has not been begun after so many seconds is left to the clock, and to other workers.
BEGIN_WITHIN_S = 10.0

Outcomes = Mapping[str, Exception | None]


def end_grants(ctx: WorkerContext, ids: Sequence[str]) -> Outcomes:
    """Deadlines have come. What each came to: what it raised, or nothing. Those that are left out were not begun."""
    return _in_parts(ctx, ids, lambda id_: ending(ctx, id_))


def converge_holdings(ctx: WorkerContext, ids: Sequence[str]) -> Outcomes:
    return _in_parts(ctx, ids, lambda id_: converging(ctx, id_))


def ending(ctx: WorkerContext, id_: str) -> Doing[None]:
    """The holding knows what to do; the item stays due until the grant is closed."""
    item = keys.grant(id_)
    snapshot = yield from reading(item)
    grant = grant_or_rebuilt(ctx, snapshot, id_)
    if grant is None or grant.state in CLOSED:
        take_off(ctx, keys.end_due(id_), item)
        return
    slot = keys.slot(slot_id(grant.holder, grant.terms.environment, grant.terms.role))
    yield from converging(ctx, grant.holding, id_, (item, slot))


def _in_parts(ctx: WorkerContext, ids: Sequence[str], begin: Callable[[str], Doing[None]]) -> Outcomes:
    outcomes: dict[str, Exception | None] = {}
    began_s = ctx.monotonic_s()
    different = list(dict.fromkeys(ids))
    for start in range(0, len(different), AT_ONCE):
        if start and ctx.monotonic_s() - began_s >= BEGIN_WITHIN_S:
            break
        outcomes |= _part(ctx, different[start : start + AT_ONCE], begin)
    return outcomes


def _part(ctx: WorkerContext, ids: Sequence[str], begin: Callable[[str], Doing[None]]) -> Outcomes:
    try:
        done = together(ctx, {id_: begin(id_) for id_ in ids})
    except Exception as problem:
        # It was none of theirs alone, and ended all of them: a job's time was over, say.
        return dict.fromkeys(ids, problem)
    return {id_: one.why if isinstance(one, Failed) else None for id_, one in done.items()}
