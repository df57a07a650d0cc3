"""One pass after another: what is due of the comparison, a step at a time, by one worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.clockwork import LedgerClock
from workflows.core.policy import Policy
from workflows.core.records.drift import Drift, DriftPass, DriftPlan
from workflows.ports import LEASE_S, Change, Fence, Lease, Snapshot, TargetThrottled
from workflows.usecases.drift.holding_back import settle_removals
from workflows.usecases.drift.look import Told, facts_of, look_at, private_of
from workflows.usecases.drift.plan import plan
from workflows.usecases.drift.plan_parts import PART, part_of, read_looks, write
from workflows.usecases.drift.removal import see_to_removal
from workflows.usecases.drift.standing import SUBJECT, entries_of, open_of_all, progress
from workflows.usecases.shared.context import WorkerContext, event, not_in_force

# Between the ends of two passes, at least.
AT_LEAST = timedelta(seconds=30)
# Between two looks, so that whoever waits for the target's quota gets it.
PAUSE = timedelta(seconds=1)
# While this process has another policy than the one in force.
NO_POLICY = timedelta(minutes=1)
NOT_KNOWN_MAX = 20
_THROTTLED_S_MAX = 60.0


def look_for_drift(ctx: WorkerContext, id_: str) -> None:
    """The job: carry the comparison on, or see to the removal of one holding."""
    item = keys.drift(id_)
    lease = ctx.ledger.acquire(item)
    if lease is None:
        ctx.ledger.remind(item, LEASE_S / 2)
        return
    try:
        with ctx.lease_renewer.keep(lease) as current:
            if item == keys.DRIFT_DUE:
                _carry_on(ctx, current)
            else:
                see_to_removal(ctx, id_, Fence(lease.name, lease.number))
    finally:
        ctx.ledger.release(lease)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What stood there when the step began."""

    policy: Policy
    snapshot: Snapshot
    stands: DriftPass
    fence: Fence
    # The part of the plan that it rests on; empty where it does not.
    part: str


def _carry_on(ctx: WorkerContext, current: Callable[[], Lease | None]) -> None:
    lease = current()
    if lease is None:
        return
    policy = ctx.policy.current()
    # All of its looks together may be more than fits into a process: only the part that comes now is read.
    at = progress(ctx)
    part = keys.drift_plan(part_of(min(at.done, max(at.planned - 1, 0))))
    snapshot = ctx.ledger.read(keys.DRIFT_PROGRESS, part, keys.ACTIVE_POLICY, keys.CLOCK)
    stands = snapshot.readable(keys.DRIFT_PROGRESS, DriftPass) or DriftPass()
    turn = _Turn(policy, snapshot, stands, Fence(lease.name, lease.number), part)
    if not_in_force(snapshot, policy) is not None:
        _save(ctx, turn, stands, snapshot.now + NO_POLICY)
        return
    planned = snapshot.readable(part, DriftPlan)
    if stands.started_at is None or planned is None or planned.policy != policy.hash or planned.number != stands.number:
        _begin(ctx, turn)
    elif stands.done < stands.planned:
        _look(ctx, turn, planned)
    else:
        _finish(ctx, turn, planned)


def _begin(ctx: WorkerContext, turn: _Turn) -> None:
    """A pass that was cut off by another policy begins anew, under a number of its own."""
    before, number = turn.stands, turn.stands.number + 1
    planned = plan(ctx, turn.policy)
    if not write(ctx, turn.fence, turn.policy, number, planned, before.planned):
        # Another one carries it on.
        return
    now = ctx.ledger.now()
    clock = turn.snapshot.readable(keys.CLOCK, LedgerClock)
    # The very first one takes the clock as it is, and a ledger that is its first self. What was there and cannot be read was
    # perhaps no ground to take anything away.
    first = turn.snapshot.items[keys.DRIFT_PROGRESS].is_absent
    epoch, jumps = (1, clock.jumps if clock else 0) if first else (before.epoch, before.jumps)
    begun = replace(
        before,
        number=number,
        started_at=now,
        done=0,
        now_not_known=planned.not_known,
        epoch=epoch,
        jumps=jumps,
        planned=len(planned.looks),
    )
    _save(ctx, replace(turn, part=""), begun, now)


def _look(ctx: WorkerContext, turn: _Turn, planned: DriftPlan) -> None:
    stands, look = turn.stands, planned.looks[turn.stands.done % PART]
    try:
        problem = look_at(ctx, look, Told(stands.number, turn.fence))
    except TargetThrottled as wait:
        _save(ctx, turn, stands, ctx.ledger.now() + timedelta(seconds=min(max(wait.after_s, 0.2), _THROTTLED_S_MAX)))
        return
    said = (f"{', '.join(' '.join(role) for role in look.roles[:3])}: {problem}",) if problem else ()
    done = replace(stands, done=stands.done + 1, now_not_known=(*stands.now_not_known, *said))
    last = done.done == done.planned
    _save(ctx, turn, done, ctx.ledger.now() + (timedelta(0) if last else _pause(turn.policy, done.planned)))


def _pause(policy: Policy, looks: int) -> timedelta:
    """So that a pass of many looks is over in a quarter of the time until the next one."""
    return min(PAUSE, policy.drift_every / (4 * max(looks, 1)))


def _finish(ctx: WorkerContext, turn: _Turn, planned: DriftPlan) -> None:
    _forget_what_is_not_looked_at(ctx, turn, planned)
    left = settle_removals(ctx, turn.policy, turn.stands, turn.fence)
    now = ctx.ledger.now()
    again_at = now + turn.policy.drift_every
    if left.again is not None:
        again_at = min(again_at, max(left.again, now + AT_LEAST))
    ended = replace(
        turn.stands,
        started_at=None,
        ended_at=now,
        looks=turn.stands.planned,
        not_known=turn.stands.now_not_known[:NOT_KNOWN_MAX],
        now_not_known=(),
        hold=left.hold,
        held=left.held,
        why_held=left.why,
        counts=dict(Counter(one.kind.value for one in open_of_all(ctx).values())),
    )
    told = keys.chat(f"{SUBJECT}{ended.number}")
    news = {told: now} if ctx.ledger.entries_of(f"{SUBJECT}{ended.number}") else {}
    _save(ctx, turn, ended, again_at, due=news)
    ctx.wake(*news)


def _forget_what_is_not_looked_at(ctx: WorkerContext, turn: _Turn, planned: DriftPlan) -> None:
    """What the policy does not give any more is nothing that anybody looks at, so nothing is said of it either."""
    found = open_of_all(ctx).values()
    if not planned.complete or not found:
        # Whoever could not be planned may have been looked at before.
        return
    scopes = {one.scope for one in found}
    for looks in read_looks(ctx, turn.policy, turn.stands):
        if looks is None:
            return
        scopes -= {look.scope for look in looks}
    gone = [one for one in found if one.scope in scopes and one.removing_since is None]
    for one in gone:
        _forget(ctx, one, turn)


def _forget(ctx: WorkerContext, one: Drift, turn: _Turn) -> None:
    key, subject = keys.drift(one.id), f"{SUBJECT}{turn.stands.number}"
    snapshot = ctx.ledger.read(key)
    if snapshot.readable(key, Drift) != one:
        return
    facts = {**facts_of(one), "proof": "not_managed"}
    change = Change(
        commit_id=f"drift-off:{one.id}:{snapshot.items[key].version}:{turn.fence.number}",
        at=snapshot.now,
        reads=snapshot.versions(),
        deletes=frozenset({key}),
        index=entries_of(one, there=False),
        audit=(event(ctx, Event.DRIFT_GONE, subject, snapshot, facts, private_of(one)),),
        fence=turn.fence,
        removes_access=True,
    )
    ctx.ledger.commit(change)


def _save(
    ctx: WorkerContext,
    turn: _Turn,
    after: DriftPass,
    again_at: datetime,
    due: dict[str, datetime] | None = None,
) -> None:
    """Where somebody pressed meanwhile it is lost, and the step is done again."""
    versions = turn.snapshot.versions()
    version = versions[keys.DRIFT_PROGRESS]
    now = ctx.ledger.now()
    ctx.ledger.commit(
        Change(
            commit_id=f"drift-step:{version}:{turn.fence.number}:{ctx.chance.hex(8)}",
            at=now,
            reads={name: versions[name] for name in (keys.DRIFT_PROGRESS, turn.part) if name},
            puts={keys.DRIFT_PROGRESS: after},
            due={keys.DRIFT_DUE: again_at, **(due or {})},
            fence=turn.fence,
            removes_access=True,
        )
    )
