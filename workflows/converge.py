"""Make the world agree with the ledger for one holding, and prove it. May run twice, late, or after a crash.

The steps are decided in `core.convergence`; here they are carried out under a lease: an intent is committed before each
changing call, and each attempt on the wire is refused once the lease is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.context import WorkerContext, event
from workflows.core import keys
from workflows.core.convergence import (
    Action,
    Forget,
    Give,
    Look,
    Note,
    Poll,
    Purpose,
    State,
    Take,
    Wait,
    after_look,
    after_operation,
    failed,
    in_doubt,
    next_action,
    postponed,
    refused,
    settle,
    start_end,
    with_intent,
)
from workflows.core.model import (
    CLOSED,
    Baseline,
    End,
    EndCause,
    Grant,
    GrantState,
    Holding,
    Intent,
    Operation,
    Slot,
    slot_id,
)
from workflows.ports import (
    LEASE_S,
    Change,
    Committed,
    DirectoryUnreachable,
    Fence,
    IndexEntry,
    Lease,
    LeaseOver,
    Lost,
    PolicyUnavailable,
    Snapshot,
    Target,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)
from workflows.recheck import undecided
from workflows.sweep import take_off

# A holding that wants more steps than this in one go is looked at again a little later, so that none starves the others.
STEPS_MAX = 25
# While a step is under way, the clock finds the holding again this much later, should this worker die.
RESCUE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Turn:
    """One step's view: what was read, under which lease, and when by this host's monotonic clock."""

    holding: str
    snapshot: Snapshot
    lease: Lease
    read_at_s: float


def converge(ctx: WorkerContext, holding_id: str) -> None:
    """Bring one holding up to date. Somebody else at work on it is no fault: the clock comes back to it."""
    item = keys.holding(holding_id)
    lease = ctx.ledger.acquire(item)
    if lease is None:
        ctx.ledger.remind(item, LEASE_S / 2)
        return
    try:
        if ctx.ledger.read(item).items[item].record is None:
            take_off(ctx, item, item)
            return
        with ctx.keeper.keep(lease) as current:
            for _ in range(STEPS_MAX):
                if not _step(ctx, holding_id, current):
                    return
            ctx.ledger.remind(item, 0.2)
    except LeaseOver:
        # Nothing was sent. The intent stands, and whoever has the lease now treats it as in doubt.
        return
    finally:
        ctx.ledger.release(lease)


def grants_of(*grants: Grant) -> Mapping[str, Grant]:
    return {grant.id: grant for grant in grants}


# ---------------------------------------------------------------- one step


def _step(ctx: WorkerContext, holding_id: str, current: Callable[[], Lease | None]) -> bool:
    """Read, settle, act once, record. False when there is nothing more to do now."""
    lease = current()
    if lease is None:
        return False
    turn, before = _read(ctx, holding_id, lease)
    if before is None:
        return False
    now = turn.snapshot.now
    state = _refuse_undecided(ctx, settle(before, now), now)
    action = next_action(state, now)
    if isinstance(action, (Wait, Forget)):
        written = _commit(ctx, turn, before, state, forget=isinstance(action, Forget))
        return isinstance(written, Lost) and written.why in _READ_AGAIN
    if isinstance(action, (Give, Take)):
        return _change_world(ctx, turn, before, state, action, current)
    return _goes_on(_commit(ctx, turn, before, _ask_world(ctx, state, action, now)))


# Reasons for a lost commit after which another turn of the loop can do better.
_READ_AGAIN = ("version", "stale")
# How long to wait before asking again who somebody is.
_ASK_AGAIN_S = 2.0


def _goes_on(written: Committed | Lost) -> bool:
    return isinstance(written, Committed) or written.why in _READ_AGAIN


def _read(ctx: WorkerContext, holding_id: str, lease: Lease) -> tuple[Turn, State | None]:
    """The holding, its grants and their slots at one instant. The holding names them, so it is read first, then all again."""
    item = keys.holding(holding_id)
    names: tuple[str, ...] = ()
    while True:
        read_at_s = ctx.monotonic_s()
        snapshot = ctx.ledger.read(item, *names)
        holding = snapshot.get(item, Holding)
        if holding is None:
            return Turn(holding_id, snapshot, lease, read_at_s), None
        wanted = (*map(keys.grant, holding.grants), *map(keys.slot, holding.slots))
        if wanted == names:
            grants = [snapshot.get(keys.grant(id_), Grant) for id_ in holding.grants]
            return Turn(holding_id, snapshot, lease, read_at_s), State(holding, grants_of(*filter(None, grants)))
        names = wanted


def _ask_world(ctx: WorkerContext, state: State, action: Look | Poll, now: datetime) -> State:
    resource = state.holding.resource
    target = ctx.targets.for_terms(resource.target)
    if isinstance(action, Look) and action.purpose is Purpose.BASELINE and target.tells_ours_apart:
        # What is there under our own name is ours, from a life that this record does not know of.
        return state.with_holding(baseline=Baseline.ABSENT)
    try:
        if isinstance(action, Poll):
            return after_operation(state, action, target.poll(resource, action.operation), None, now)
        seen = target.observe(resource)
    except TargetThrottled as wait:
        return postponed(state, wait.after_s, now)
    except TargetInDoubt as problem:
        return failed(state, str(problem), now)
    except TargetRefused as problem:
        return failed(state, problem.words, now)
    return after_look(state, action.purpose, seen, now)


def _change_world(
    ctx: WorkerContext,
    turn: Turn,
    before: State,
    state: State,
    action: Give | Take,
    current: Callable[[], Lease | None],
) -> bool:
    """Commit the intent, make the call, look, record."""
    intended = with_intent(state, action, turn.lease.number, turn.snapshot.now)
    giving = isinstance(action, Give)
    written = _commit(ctx, turn, before, intended, gives=giving)
    if isinstance(written, Lost):
        return _not_intended(ctx, turn, before, state, written)
    if not ctx.ledger.make_durable() and giving:
        return _record(ctx, turn, lambda fresh, at: failed(fresh, _NOT_DURABLE, at), current)
    intent = intended.holding.intent
    if intent is None:
        raise AssertionError("with_intent sets an intent")
    guard = _guard(ctx, turn, action, current)
    target = ctx.targets.for_terms(state.holding.resource.target)
    after = _call(target, intended, action, guard)
    return _record(ctx, turn, lambda fresh, at: after(fresh, intent, at), current)


_NOT_DURABLE = "the ledger is not durable at the moment, so nothing is given"


def _not_intended(ctx: WorkerContext, turn: Turn, before: State, state: State, lost: Lost) -> bool:
    """Without its intent on the record the call is not made."""
    if lost.why != "durability":
        return lost.why in _READ_AGAIN
    _commit(ctx, turn, before, failed(state, _NOT_DURABLE, turn.snapshot.now))
    return False


def _guard(
    ctx: WorkerContext, turn: Turn, action: Give | Take, current: Callable[[], Lease | None]
) -> Callable[[], None]:
    """Called right before each attempt goes out. A worker that was stopped and wakes up late stops here."""
    give_until_s = None
    if isinstance(action, Give):
        give_until_s = turn.read_at_s + (action.until - turn.snapshot.now).total_seconds()

    def before_send() -> None:
        lease, now_s = current(), ctx.monotonic_s()
        if lease is None or lease.number != turn.lease.number or now_s >= lease.deadline_s:
            raise LeaseOver("the lease ran out before the call was sent")
        if give_until_s is not None and now_s >= give_until_s:
            raise LeaseOver("the time of the grant ran out before the call was sent")

    return before_send


Then = Callable[[State, Intent, datetime], State]


def _call(target: Target, state: State, action: Give | Take, guard: Callable[[], None]) -> Then:
    """Make the one changing call; returns how to record its outcome. LeaseOver leaves the intent to the next worker."""
    resource = state.holding.resource
    try:
        operation: Operation = (
            target.grant(resource, action.until, guard) if isinstance(action, Give) else target.revoke(resource, guard)
        )
    except TargetThrottled as wait:
        after_s = wait.after_s
        return lambda fresh, intent, at: postponed(fresh, after_s, at)  # noqa: ARG005 - one signature for all outcomes
    except TargetInDoubt as problem:
        words = str(problem)
        return lambda fresh, intent, at: in_doubt(fresh, intent, words, at)
    except TargetRefused as problem:
        said = problem.words
        giving = isinstance(action, Give)
        return lambda fresh, intent, at: refused(fresh, said, at) if giving else failed(fresh, said, at)  # noqa: ARG005 - as above
    return lambda fresh, intent, at: after_operation(fresh, action, operation, intent, at)


def _record(
    ctx: WorkerContext, turn: Turn, change: Callable[[State, datetime], State], current: Callable[[], Lease | None]
) -> bool:
    """Write down what came out. Others may have changed grants meanwhile (an owner's End), so it is read anew.

    Followed at once by the proof, where one is wanted, so that outcome and proof are one commit.
    """
    for _ in range(10):
        lease = current()
        if lease is None:
            return False
        fresh_turn, fresh = _read(ctx, turn.holding, lease)
        if fresh is None:
            return False
        now = fresh_turn.snapshot.now
        outcome = change(fresh, now)
        written = _commit(ctx, fresh_turn, fresh, _with_proof(ctx, outcome, now))
        if isinstance(written, Committed):
            return True
        if written.why not in _READ_AGAIN:
            return False
    return True


def _with_proof(ctx: WorkerContext, state: State, now: datetime) -> State:
    following = next_action(state, now)
    proves = isinstance(following, Look) and following.purpose.value.startswith("proof")
    return _ask_world(ctx, state, following, now) if proves and isinstance(following, Look) else state


# ---------------------------------------------------------------- who may still have it


def _refuse_undecided(ctx: WorkerContext, state: State, now: datetime) -> State:
    action = next_action(state, now)
    if not isinstance(action, Give):
        return state
    for id_ in action.grants:
        if state.grants[id_].state is not GrantState.ACTIVATING:
            continue
        try:
            problem = undecided(ctx, id_, now)
        except (DirectoryUnreachable, PolicyUnavailable):
            return postponed(state, _ASK_AGAIN_S, now)
        if problem is not None:
            reason = f"the approval no longer stands ({problem.code.value.replace('_', ' ')})"
            state = start_end(state, (id_,), End(EndCause.FAILED, now, reason=reason))
    return settle(state, now)


# ---------------------------------------------------------------- writing it down


def _commit(
    ctx: WorkerContext,
    turn: Turn,
    before: State,
    after: State,
    *,
    gives: bool = False,
    forget: bool = False,
) -> Committed | Lost:
    """Write the step, with all that follows from it for chat, indexes and the clock."""
    now = turn.snapshot.now
    item = keys.holding(after.holding.id)
    changed = [grant for grant in after.grants.values() if before.grants.get(grant.id) != grant]
    closed = [grant for grant in changed if grant.state in CLOSED]
    why = {grant.id: _why(grant) for grant in after.grants.values()}
    change = Change(
        commit_id=f"{item}:{turn.snapshot.items[item].version}:{turn.lease.number}",
        at=now,
        reads=turn.snapshot.versions(),
        puts={**({} if forget else {item: after.holding}), **{keys.grant(grant.id): grant for grant in changed}},
        deletes=frozenset({item} if forget else ()) | _freed(turn.snapshot, closed),
        due={item: _due(after, now, forget=forget), **_due_of(changed, after.notes, now)},
        index=tuple(entry for grant in closed for entry in _moved(grant, now)),
        audit=tuple(
            event(ctx, note.event, note.grant, turn.snapshot, note.facts, why.get(note.grant)) for note in after.notes
        ),
        fence=Fence(turn.lease.name, turn.lease.number),
        gives_access=gives,
        # Whatever is not a step towards giving must be written down even when memory is full.
        removes_access=not gives,
    )
    result = ctx.ledger.commit(change)
    if isinstance(result, Lost):
        return result
    chats = {keys.chat(grant.id) for grant in changed} | {keys.chat(note.grant) for note in after.notes}
    if chats:
        ctx.wake(*sorted(chats))
    return result


def _due(state: State, now: datetime, *, forget: bool) -> datetime | None:
    """When the clock must look again: when the wait is over, or soon, should this worker die before its next step."""
    if forget:
        return None
    following: Action = next_action(settle(replace(state, notes=()), now), now)
    return following.until if isinstance(following, Wait) else now + RESCUE


def _due_of(changed: list[Grant], notes: tuple[Note, ...], now: datetime) -> dict[str, datetime | None]:
    due: dict[str, datetime | None] = {}
    for grant in changed:
        due[keys.chat(grant.id)] = now
        if grant.state in CLOSED:
            due[keys.end_due(grant.id)] = None
            due[keys.warn_due(grant.id)] = None
    due.update({keys.chat(note.grant): now for note in notes})
    return due


def _moved(grant: Grant, now: datetime) -> list[IndexEntry]:
    """Out of what is live, into what is over."""
    live = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
    out = [IndexEntry(name, grant.id, None) for name in live]
    slot = slot_id(grant.holder, grant.terms.environment, grant.terms.role)
    return [*out, *(IndexEntry(name, grant.id, now.timestamp()) for name in (keys.CLOSED, keys.last_of(slot)))]


def _freed(snapshot: Snapshot, closed: list[Grant]) -> set[str]:
    """Slots that the closed grants took; one that a later request has taken stays."""
    names = {keys.slot(slot_id(grant.holder, grant.terms.environment, grant.terms.role)): grant.id for grant in closed}
    taken = {name: snapshot.get(name, Slot) for name in names if name in snapshot.items}
    return {name for name, slot in taken.items() if slot is not None and slot.request == names[name]}


def _why(grant: Grant) -> dict[str, str]:
    words = {"reason": grant.end.reason if grant.end and grant.end.reason else "", "error": grant.error or ""}
    return {name: text for name, text in words.items() if text}
