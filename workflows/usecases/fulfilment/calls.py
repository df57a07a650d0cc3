"""What convergence asks of a target: each call, and what its answer makes of the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from workflows.core.convergence.actions import (
    GrantAccess,
    Observe,
    Poll,
    Purpose,
    RevokeAccess,
    State,
)
from workflows.core.convergence.outcomes import (
    after_look,
    after_operation,
    failed,
    in_doubt,
    not_denied,
    postponed,
    refused,
    taken_by_others,
)
from workflows.core.records.grant import EndCause, GrantState
from workflows.core.records.holding import Baseline, Intent
from workflows.core.records.target import Operation, Presence, Resource
from workflows.ports import (
    IN_LINE,
    Lease,
    LeaseOver,
    SentTooLate,
    Target,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)
from workflows.usecases.fulfilment.converge_step import ConvergenceTurn
from workflows.usecases.shared.context import WorkerContext

# A call is sent so long after its intent, or not at all, in seconds. Many intents may be committed together, and the calls of the
# others may be slow; `IN_DOUBT_FOR` counts from the intent, and has half a minute more than a request can live.
SENT_WITHIN_S = 15.0

# What an answer makes of the state, at the time when it is written down. A slow answer is not an old decision: the record
# is read anew after it, and the answer is applied to what stands then.
Outcome = Callable[[State, datetime], State]


@contextmanager
def _turn(state: State) -> Iterator[None]:
    """Where only time has ended access, what is asked of its target stands in line; see `IN_LINE`."""
    kept = IN_LINE.set(not _waited_for(state))
    try:
        yield
    finally:
        IN_LINE.reset(kept)


def _waited_for(state: State) -> bool:
    """Whether somebody has asked for what is done now: for access, for more time, or for its end."""
    asked = any(grant.extended_to is not None for grant in state.of(GrantState.ACTIVE))
    taken = (grant.end for grant in state.of(GrantState.REVOKING))
    return (
        asked or bool(state.of(GrantState.ACTIVATING)) or any(end and end.cause is not EndCause.TIME for end in taken)
    )


def ask_world(ctx: WorkerContext, state: State, action: Observe | Poll) -> Outcome:
    resource = state.holding.resource
    target = ctx.targets.for_terms(resource.target)
    try:
        with _turn(state):
            if isinstance(action, Poll):
                operation = target.poll(resource, action.operation)
                return lambda fresh, at: after_operation(fresh, action, operation, None, at)
            seen = target.observe(resource)
    except TargetThrottled as wait:
        after_s = wait.after_s
        return lambda fresh, at: postponed(fresh, after_s, at)
    except (TargetInDoubt, TargetRefused) as problem:
        words = problem.words if isinstance(problem, TargetRefused) else str(problem)
        return lambda fresh, at: failed(fresh, words, at)
    purpose = action.purpose
    if purpose is Purpose.BASELINE and target.tells_ours_apart and seen.presence is not Presence.UNKNOWN:
        if seen.others:
            return lambda fresh, at: taken_by_others(fresh, seen.detail or "", at)
        # What is there under our own name is ours, from a life that this record does not know of.
        return lambda fresh, _at: fresh.with_holding(baseline=Baseline.ABSENT, failures=0, next_try=None)
    return lambda fresh, at: after_look(fresh, purpose, seen, at)


def guard_of(
    ctx: WorkerContext, turn: ConvergenceTurn, action: GrantAccess | RevokeAccess, current: Callable[[], Lease | None]
) -> Callable[[], None]:
    """Called right before each attempt goes out. A worker that was stopped and wakes up late stops here."""
    give_until_s = None
    if isinstance(action, GrantAccess):
        give_until_s = turn.read_at_s + (action.until - turn.snapshot.now).total_seconds()

    def before_send() -> None:
        lease, now_s = current(), ctx.monotonic_s()
        if lease is None or lease.number != turn.lease.number or now_s >= lease.deadline_s:
            raise LeaseOver("the lease ran out before the call was sent")
        if now_s >= turn.read_at_s + SENT_WITHIN_S:
            raise SentTooLate("others took so long that the intent is too old for the call")
        if give_until_s is not None and now_s >= give_until_s:
            raise LeaseOver("the time of the grant ran out before the call was sent")

    return before_send


Then = Callable[[State, Intent, datetime], State]


def call_target(target: Target, state: State, action: GrantAccess | RevokeAccess, guard: Callable[[], None]) -> Then:
    """Make the one changing call; returns how to record its outcome. LeaseOver leaves the intent to the next worker."""
    resource = state.holding.resource
    try:
        with _turn(state):
            operation: Operation = (
                target.grant(resource, action.until, guard)
                if isinstance(action, GrantAccess)
                else _take(target, resource, action, guard)
            )
    except TargetThrottled as wait:
        after_s = wait.after_s
        return lambda fresh, intent, at: postponed(fresh, after_s, at)  # noqa: ARG005 - one signature for all outcomes
    except SentTooLate:
        # It is known that nothing was sent, so nothing is in doubt.
        return lambda fresh, intent, at: postponed(fresh, 0.0, at)  # noqa: ARG005 - as above
    except TargetInDoubt as problem:
        words = str(problem)
        return lambda fresh, intent, at: in_doubt(fresh, intent, words, at)
    except TargetRefused as problem:
        said = problem.words
        if isinstance(action, RevokeAccess) and action.sessions_before is not None:
            return lambda fresh, intent, at: not_denied(fresh, said)  # noqa: ARG005 - as above
        giving = isinstance(action, GrantAccess)
        return lambda fresh, intent, at: refused(fresh, said, at) if giving else failed(fresh, said, at)  # noqa: ARG005 - as above
    return lambda fresh, intent, at: after_operation(fresh, action, operation, intent, at)


def _take(target: Target, resource: Resource, action: RevokeAccess, guard: Callable[[], None]) -> Operation:
    if action.sessions_before is None:
        return target.revoke(resource, guard)
    return target.deny_sessions(resource, action.sessions_before, guard)
