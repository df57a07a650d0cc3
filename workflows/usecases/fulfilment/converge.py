"""Make the world agree with the ledger for one holding, and prove it. May run twice, late, or after a crash.

The steps are decided in `core.convergence`; here they are carried out under a lease: an intent is committed before each
changing call, and each attempt on the wire is refused once the lease is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.convergence.actions import (
    Forget,
    GrantAccess,
    Observe,
    Poll,
    Purpose,
    RevokeAccess,
    State,
    Wait,
    next_action,
    settle,
)
from workflows.core.convergence.outcomes import (
    broken,
    failed,
    later_end_kept,
    postponed,
    with_intent,
)
from workflows.core.records.grant import GrantState
from workflows.core.records.holding import Holding, grants_of
from workflows.ports import (
    LEASE_S,
    Committed,
    Lease,
    LeaseOver,
    LedgerUnreachable,
    Lost,
    Snapshot,
)
from workflows.usecases.fulfilment.calls import Outcome, ask_world, call_target, guard_of
from workflows.usecases.fulfilment.converge_step import ConvergenceTurn, rests, step_id, write_step
from workflows.usecases.fulfilment.still_valid import refuse_extensions_no_longer_valid, refuse_no_longer_valid
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.ledger_doubt import watch
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.rebuilt import grant_still_due, restore_holding
from workflows.usecases.shared.rounds import Doing, acquiring, alone, making_durable, reading, releasing
from workflows.usecases.shared.troubles import Failure, note

# A holding that wants more steps than this in one go is looked at again a little later, so that none starves the others.
STEPS_MAX = 25
# The same for one that takes so long, in seconds; a job that takes twice as many things is stopped by force.
GIVE_WAY_S = 30.0


def converge(ctx: WorkerContext, holding_id: str, grant_id: str = "") -> None:
    """Bring one holding up to date. Somebody else at work on it is no fault: the clock comes back to it.

    `grant_id`: one of its grants, where it is known: for a holding that cannot be read.
    """
    alone(ctx, converging(ctx, holding_id, grant_id))


def converging(ctx: WorkerContext, holding_id: str, grant_id: str = "", names: tuple[str, ...] = ()) -> Doing[None]:
    """The same, for many at once. `names`: what will have to be read beside the holding, where that is known."""
    item = keys.holding(holding_id)
    lease = yield from acquiring(item)
    if lease is None:
        ctx.ledger.remind(item, LEASE_S / 2)
        return
    problem: Exception | None = None
    try:
        yield from _under(ctx, lease, holding_id, grant_id, names)
    except LeaseOver:
        # Nothing was sent. The intent stands, and whoever has the lease now treats it as in doubt.
        pass
    except Exception as raised:
        problem = raised
    # Not in a `finally`: who is dead asks nothing any more.
    yield from releasing(lease)
    if problem is not None:
        raise problem


def _under(ctx: WorkerContext, lease: Lease, holding_id: str, grant_id: str, names: tuple[str, ...]) -> Doing[None]:
    item = keys.holding(holding_id)
    read_at_s = ctx.monotonic_s()
    snapshot = yield from reading(item, *names)
    found = snapshot.items[item]
    if found.is_absent:
        take_off(ctx, item, item)
        return
    if found.problem and not restore_holding(ctx, holding_id, grant_id, lease):
        return
    with ctx.lease_renewer.keep(lease) as current:
        seen = None if found.problem else Seen(names, snapshot, read_at_s)
        yield from _steps(Course(ctx, holding_id, current, ctx.monotonic_s() + GIVE_WAY_S, seen))


@dataclass(slots=True)
class Seen:
    """What was read under the lease, and not looked at yet: the holding, and `names` beside it."""

    names: tuple[str, ...]
    snapshot: Snapshot
    read_at_s: float


@dataclass(slots=True)
class Course:
    """One holding on its way. `current`: the lease, or None once it is lost. `until_s`: when others get a turn."""

    ctx: WorkerContext
    holding: str
    current: Callable[[], Lease | None]
    until_s: float
    seen: Seen | None
    # What its record names, as far as it is known.
    names: tuple[str, ...] = ()


def _steps(course: Course) -> Doing[None]:
    ctx, item = course.ctx, keys.holding(course.holding)
    try:
        for _ in range(STEPS_MAX):
            if not (yield from _step(course)):
                return
            if ctx.monotonic_s() >= course.until_s:
                break
        ctx.ledger.remind(item, 0.2)
    except (LeaseOver, LedgerUnreachable):
        raise
    except Exception as problem:
        yield from _broke(course, problem)


def _broke(course: Course, problem: Exception) -> Doing[None]:
    """A fault of ours is a failure like any other: counted, told, alarmed, tried again with pauses."""
    ctx = course.ctx
    number = ctx.fault("a holding could not be brought up to date", problem, holding=course.holding)
    course.seen = None
    lease = course.current()
    if lease is None:
        return
    turn, before = yield from _read(course, lease)
    if before is not None:
        now = turn.snapshot.now
        yield from write_step(ctx, turn, before, broken(settle(before, now), went_wrong(number), now))


# ---------------------------------------------------------------- one step


def _step(course: Course) -> Doing[bool]:
    """Read, settle, act once, record. False when there is nothing more to do now."""
    ctx, lease = course.ctx, course.current()
    if lease is None:
        return False
    turn, before = yield from _read(course, lease)
    if before is None:
        return False
    if ctx.ledger.lost() is not None and watch(ctx):
        # What is not given by this record may be given all the same: it is read once more with that in mind.
        return True
    now = turn.snapshot.now
    state = settle(before, now)
    if _has_later_end_to_keep(state, now):
        return (yield from _keep_later_end(ctx, turn, before, state, now))
    state = refuse_no_longer_valid(ctx, turn.snapshot, state, now)
    action = next_action(state, now)
    if isinstance(action, (Wait, Forget)):
        written = yield from write_step(ctx, turn, before, state, forget=isinstance(action, Forget))
        return isinstance(written, Lost) and written.why in _READ_AGAIN
    if ctx.monotonic_s() >= course.until_s:
        # Others of the same round were slow. Nothing outside is begun that may take as long again: a job is stopped by force.
        return True
    if isinstance(action, (GrantAccess, RevokeAccess)):
        return (yield from _change_world(course, turn, before, state, action))
    outcome = ask_world(ctx, state, action)
    proof = _proof(course, outcome(state, now), now) if isinstance(action, Poll) else None

    def answered(fresh: State, at: datetime) -> State:
        return _proved(proof, _if_still(action, settle(fresh, at), outcome, at), at)

    return (yield from _record(course, answered))


# Reasons for a lost commit after which another turn of the loop can do better.
_READ_AGAIN = ("version", "stale")
# How long to wait while the ledger's own clock is in doubt.
_CLOCK_AGAIN_S = 10.0
# How long to wait while processes of an older version run.
_OLDER_AGAIN_S = 3.0


def _if_still(action: Observe | Poll, state: State, outcome: Outcome, at: datetime) -> State:
    """The answer counts only for the question that is still the one to ask; else the next turn asks another one."""
    following = next_action(state, at)
    same = type(following) is type(action) and (
        not isinstance(action, Observe) or not isinstance(following, Observe) or following.purpose is action.purpose
    )
    return outcome(state, at) if same else state


def _read(course: Course, lease: Lease) -> Doing[tuple[ConvergenceTurn, State | None]]:
    """The holding, its grants and their slots at one instant. The holding names them: where they are not those that are known of,
    all is read again.
    """
    ctx, item = course.ctx, keys.holding(course.holding)
    seen, course.seen = course.seen, None
    names = course.names
    while True:
        if seen is None:
            read_at_s = ctx.monotonic_s()
            seen = Seen(names, (yield from reading(item, *names)), read_at_s)
        turn = ConvergenceTurn(course.holding, seen.snapshot, lease, seen.read_at_s)
        holding = seen.snapshot.get(item, Holding)
        if holding is None:
            return turn, None
        wanted = (*map(keys.grant, holding.grants), *map(keys.slot, holding.slots))
        if set(wanted) == set(seen.names):
            course.names = wanted
            grants = [grant_still_due(ctx, seen.snapshot, id_) for id_ in holding.grants]
            return turn, State(holding, grants_of(*filter(None, grants)))
        names, seen = wanted, None


def _change_world(
    course: Course, turn: ConvergenceTurn, before: State, state: State, action: GrantAccess | RevokeAccess
) -> Doing[bool]:
    """Commit the intent, make the call, look, record."""
    ctx = course.ctx
    intended = with_intent(state, action, turn.lease.number, turn.snapshot.now)
    giving = isinstance(action, GrantAccess)
    written = yield from write_step(ctx, turn, before, intended, gives=giving)
    if isinstance(written, Lost):
        return (yield from _not_intended(ctx, turn, before, state, written))
    durable = yield from making_durable(step_id(turn, intended))
    if not durable and giving:
        return (yield from _record(course, lambda fresh, at: failed(fresh, _NOT_DURABLE, at)))
    intent = intended.holding.intent
    if intent is None:
        raise AssertionError("with_intent sets an intent")
    target = ctx.targets.for_terms(state.holding.resource.target)
    after = call_target(target, intended, action, guard_of(ctx, turn, action, course.current))
    proof = _proof(course, after(intended, intent, turn.snapshot.now), turn.snapshot.now)
    return (yield from _record(course, lambda fresh, at: _proved(proof, after(fresh, intent, at), at)))


_PROOFS = frozenset({Purpose.PROOF_OF_PRESENCE, Purpose.PROOF_OF_ABSENCE})


def _proof(course: Course, expected: State, now: datetime) -> tuple[Observe, Outcome] | None:
    """What an operation has done is looked for at once, so that its outcome and the proof are one commit. Others may have been
    slow: then it is a step of its own.
    """
    look = next_action(expected, now)
    if not isinstance(look, Observe) or look.purpose not in _PROOFS or course.ctx.monotonic_s() >= course.until_s:
        return None
    return look, ask_world(course.ctx, expected, look)


def _proved(proof: tuple[Observe, Outcome] | None, done: State, at: datetime) -> State:
    return done if proof is None else _if_still(proof[0], done, proof[1], at)


_NOT_DURABLE = "the ledger is not durable at the moment, so nothing is given"


def _not_intended(ctx: WorkerContext, turn: ConvergenceTurn, before: State, state: State, lost: Lost) -> Doing[bool]:
    """Without its intent on the record the call is not made."""
    now = turn.snapshot.now
    if lost.why in ("clock", "restored"):
        # Nothing has failed: it waits until the ledger, or its clock, is believed again, or its own time is over.
        yield from write_step(ctx, turn, before, postponed(state, _CLOCK_AGAIN_S, now))
        return False
    if lost.why == "older":
        _tell_of_older(ctx, turn, state)
        yield from write_step(ctx, turn, before, postponed(state, _OLDER_AGAIN_S, now))
        return False
    if lost.why != "durability":
        return lost.why in _READ_AGAIN
    yield from write_step(ctx, turn, before, failed(state, _NOT_DURABLE, now))
    return False


def _tell_of_older(ctx: WorkerContext, turn: ConvergenceTurn, state: State) -> None:
    """It waits until the older processes are gone, and whoever waits hears of it when that lasts."""
    again_at = turn.snapshot.now + timedelta(seconds=_OLDER_AGAIN_S)
    why = "a process of an older version is still running, so nothing is given"
    note(ctx, keys.holding(turn.holding), Failure(why, again_at=again_at, about=", ".join(state.grants)))


def _record(course: Course, outcome: Outcome) -> Doing[bool]:
    """Write down what came out. Others may have changed grants meanwhile (an owner's End), so it is read anew. True where
    something is left to do now.
    """
    for _ in range(10):
        lease = course.current()
        if lease is None:
            return False
        fresh_turn, fresh = yield from _read(course, lease)
        if fresh is None:
            return False
        now = fresh_turn.snapshot.now
        after = outcome(fresh, now)
        written = yield from write_step(course.ctx, fresh_turn, fresh, after)
        if isinstance(written, Committed):
            return not rests(after, now)
        if written.why not in _READ_AGAIN:
            return False
    return True


# ---------------------------------------------------------------- more time where the target enforces no end


def _has_later_end_to_keep(state: State, now: datetime) -> bool:
    holding = state.holding
    waits = holding.next_try is not None and holding.next_try > now
    longer = any(grant.extended_to is not None for grant in state.of(GrantState.ACTIVE))
    return longer and not waits and not holding.resource.enforces_end


def _keep_later_end(
    ctx: WorkerContext, turn: ConvergenceTurn, before: State, state: State, now: datetime
) -> Doing[bool]:
    """The deadline moves for an approval that stands, and for no other; the target need not be asked."""
    looked_at = refuse_extensions_no_longer_valid(ctx, state, now)
    if _has_later_end_to_keep(looked_at, now):
        written = yield from write_step(ctx, turn, before, later_end_kept(looked_at), gives=True)
        return (yield from _not_intended(ctx, turn, before, state, written)) if isinstance(written, Lost) else True
    # It does not stand, or nobody can tell now.
    written = yield from write_step(ctx, turn, before, looked_at)
    return isinstance(written, Committed) or written.why in _READ_AGAIN
