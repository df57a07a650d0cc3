"""Whether what was approved may still be given: looked at right before the call. What cannot be told is given to nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.convergence.actions import (
    GrantAccess,
    State,
    next_action,
    settle,
    start_end,
    without_extensions,
)
from workflows.core.convergence.outcomes import (
    postponed,
)
from workflows.core.records.grant import End, EndCause, GrantState
from workflows.ports import (
    DirectoryUnreachable,
    PolicyUnavailable,
    Snapshot,
)
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.rebuilt import without_unreadable
from workflows.usecases.shared.revalidation import approval_no_longer_valid
from workflows.usecases.shared.signed_votes import with_alarm
from workflows.usecases.shared.troubles import Failure, note

# How long to wait before asking again who somebody is.
_ASK_AGAIN_S = 2.0


def refuse_no_longer_valid(ctx: WorkerContext, snapshot: Snapshot, state: State, now: datetime) -> State:
    if not isinstance(next_action(state, now), GrantAccess):
        return state
    state = settle(without_unreadable(state, snapshot, now), now)
    action = next_action(state, now)
    if not isinstance(action, GrantAccess):
        return state
    state = refuse_extensions_no_longer_valid(ctx, state, now)
    for id_ in action.grants:
        if state.grants[id_].state is not GrantState.ACTIVATING:
            continue
        try:
            problem = approval_no_longer_valid(ctx, id_, now)
        except (DirectoryUnreachable, PolicyUnavailable) as unknown:
            return _not_known(ctx, state, unknown, now)
        if problem is not None:
            reason = f"the approval no longer stands ({problem.code.value.replace('_', ' ')})"
            code, params = problem.code.value, dict(problem.params)
            state = start_end(state, (id_,), End(EndCause.FAILED, now, reason=reason, code=code, params=params))
            state = with_alarm(state, id_, problem)
    return settle(state, now)


def refuse_extensions_no_longer_valid(ctx: WorkerContext, state: State, now: datetime) -> State:
    """The target's own end is moved only for an approval that stands."""
    longer = [grant for grant in state.of(GrantState.ACTIVE) if grant.extended_to is not None]
    for grant in longer:
        try:
            problem = approval_no_longer_valid(ctx, grant.extension or "", now)
        except (DirectoryUnreachable, PolicyUnavailable) as unknown:
            return _not_known(ctx, state, unknown, now)
        if problem is not None:
            reason = f"the approval no longer stands ({problem.code.value.replace('_', ' ')})"
            state = with_alarm(without_extensions(state, (grant.id,), reason), grant.id, problem)
    return state


def _not_known(ctx: WorkerContext, state: State, unknown: Exception, now: datetime) -> State:
    """Whether it may be given cannot be told now: nothing is tried, and whoever waits hears of it when it lasts."""
    again_at = now + timedelta(seconds=_ASK_AGAIN_S)
    about = ", ".join(state.grants)
    note(ctx, keys.holding(state.holding.id), Failure(str(unknown), again_at=again_at, about=about))
    return postponed(state, _ASK_AGAIN_S, now)
