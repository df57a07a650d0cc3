"""Writes one step of a convergence to the ledger, with all that follows from it for chat, indexes and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.convergence.actions import Action, Note, State, Wait, next_action, settle
from workflows.core.gates.ask import is_pipeline
from workflows.core.records.grant import CLOSED, EndCause, Grant, GrantState
from workflows.core.records.request import DecisionKind, Slot, slot_id
from workflows.ports import Change, Committed, Fence, IndexEntry, Lease, Lost, Snapshot
from workflows.usecases.shared.activity_due import looks_after
from workflows.usecases.shared.context import WorkerContext, event
from workflows.usecases.shared.extension import deadlines_moved
from workflows.usecases.shared.rounds import Doing, committing, waking
from workflows.usecases.shared.troubles import Failure, note, over

# An end that has just begun by itself is told when it lasts; mostly the next thing to tell is that it is over.
TOLD_AFTER = timedelta(seconds=2)
# While a step is under way, the clock finds the holding again this much later, should this worker die.
RESCUE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ConvergenceTurn:
    """One step's view: what was read, under which lease, and when by this host's monotonic clock."""

    holding: str
    snapshot: Snapshot
    lease: Lease
    read_at_s: float


def step_id(turn: ConvergenceTurn, after: State) -> str:
    """The id of the commit that this turn makes next."""
    item = keys.holding(after.holding.id)
    return f"{item}:{turn.snapshot.items[item].version}:{turn.lease.number}"


def write_step(
    ctx: WorkerContext,
    turn: ConvergenceTurn,
    before: State,
    after: State,
    *,
    gives: bool = False,
    forget: bool = False,
) -> Doing[Committed | Lost]:
    """Write the step, with all that follows from it for chat, indexes and the clock."""
    now = turn.snapshot.now
    item = keys.holding(after.holding.id)
    changed = [grant for grant in after.grants.values() if before.grants.get(grant.id) != grant]
    closed = [grant for grant in changed if grant.state in CLOSED]
    asks = _asks(before, changed, now)
    longer = deadlines_moved(
        [grant for grant in changed if grant.id in before.grants and before.grants[grant.id].deadline != grant.deadline]
    )
    why = {grant.id: _why(grant) for grant in after.grants.values()}
    shown = _shown(before, changed, after.notes, now)
    change = Change(
        commit_id=step_id(turn, after),
        at=now,
        reads=turn.snapshot.versions(),
        puts={**({} if forget else {item: after.holding}), **{keys.grant(grant.id): grant for grant in changed}},
        deletes=frozenset({item} if forget else ()) | _freed(turn.snapshot, closed),
        due={
            item: _due(after, now, forget=forget),
            **_due_of(changed),
            **shown,
            **asks,
            **longer.due,
            **looks_after(ctx, closed),
        },
        index=(*(entry for grant in closed for entry in _moved(grant, now)), *longer.index),
        audit=tuple(
            event(ctx, note.event, note.grant, turn.snapshot, note.facts, _private(note, why)) for note in after.notes
        ),
        fence=Fence(turn.lease.name, turn.lease.number),
        gives_access=gives,
        # Whatever is not a step towards giving must be written down even when memory is full.
        removes_access=not gives,
    )
    result = yield from committing(change)
    if isinstance(result, Lost):
        return result
    news = {item for item, at in shown.items() if at <= now} | set(asks)
    if news:
        yield from waking(*sorted(news))
    _tell_of_trouble(ctx, before, after)
    return result


def _tell_of_trouble(ctx: WorkerContext, before: State, after: State) -> None:
    """One more failure is noted where all are; of a removal that fails its own alarm tells already."""
    item, failures = keys.holding(after.holding.id), after.holding.failures
    if failures > before.holding.failures:
        words = next((grant.error for grant in after.grants.values() if grant.error), "the target did not answer")
        removing = bool(after.of(GrantState.REVOKING))
        about = ", ".join(after.grants) or after.holding.last_grant or ""
        note(ctx, item, Failure(words, alarms=not removing, again_at=after.holding.next_try, about=about))
    elif before.holding.failures and not failures:
        over(ctx, item)


def rests(state: State, now: datetime) -> bool:
    """Whether a state that has just been written asks for nothing until the time that was written with it."""
    quiet = replace(state, notes=())
    settled = settle(quiet, now)
    live = {id_: grant for id_, grant in quiet.grants.items() if grant.state not in CLOSED}
    left = {id_: grant for id_, grant in settled.grants.items() if grant.state not in CLOSED}
    return settled.holding == quiet.holding and left == live and isinstance(next_action(settled, now), Wait)


def _due(state: State, now: datetime, *, forget: bool) -> datetime | None:
    """When the clock must look again: when the wait is over, or soon, should this worker die before its next step."""
    if forget:
        return None
    following: Action = next_action(settle(replace(state, notes=()), now), now)
    return following.until if isinstance(following, Wait) else now + RESCUE


def _due_of(changed: list[Grant]) -> dict[str, datetime | None]:
    closed = [grant.id for grant in changed if grant.state in CLOSED]
    return dict.fromkeys([*map(keys.end_due, closed), *map(keys.warn_due, closed)])


def _shown(before: State, changed: list[Grant], notes: tuple[Note, ...], now: datetime) -> dict[str, datetime]:
    """When chat is to show what has come about."""
    said = {grant.id for grant in changed} | {note.grant for note in notes}
    begun = {grant.id for grant in changed if _has_begun_to_end(before, grant)}
    other = {note.grant for note in notes if note.event is not Event.GRANT_END_STARTED}
    return {keys.chat(id_): now + TOLD_AFTER if id_ in begun - other else now for id_ in sorted(said)}


def _has_begun_to_end(before: State, grant: Grant) -> bool:
    """By itself, in this very step. A break-glass is told as it goes."""
    earlier = before.grants.get(grant.id)
    begun = earlier is not None and earlier.state is GrantState.ACTIVE and grant.state is GrantState.REVOKING
    by_itself = grant.end is not None and grant.end.cause is EndCause.TIME
    return begun and by_itself and grant.decision.kind is not DecisionKind.BREAK_GLASS


def _asks(before: State, changed: list[Grant], now: datetime) -> dict[str, datetime | None]:
    """Asks for more time that have to hear of it: their grant has begun to end, or their later end was put in place or not."""
    due: dict[str, datetime | None] = {}
    for grant in changed:
        earlier = before.grants.get(grant.id)
        ask = earlier.extension if earlier else None
        if ask is None or (earlier and earlier.extension == grant.extension and earlier.end == grant.end):
            continue
        due |= {keys.request(ask): now, keys.chat(ask): now}
    return due


def _private(note: Note, why: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    words = dict(why.get(note.grant, {}))
    return {**words, "reason": note.why} if note.why else words


def _moved(grant: Grant, now: datetime) -> list[IndexEntry]:
    """Out of what is live, into what is over."""
    live = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
    out = [IndexEntry(name, grant.id, None) for name in (*live, *((keys.RUNS,) if is_pipeline(grant.holder) else ()))]
    slot = slot_id(grant.holder, grant.terms.environment, grant.terms.role)
    return [*out, *(IndexEntry(name, grant.id, now.timestamp()) for name in (keys.CLOSED, keys.last_of(slot)))]


def _freed(snapshot: Snapshot, closed: list[Grant]) -> set[str]:
    """Slots that the closed grants took; one that a later request has taken stays."""
    names = {keys.slot(slot_id(grant.holder, grant.terms.environment, grant.terms.role)): grant.id for grant in closed}
    there = [name for name in names if name in snapshot.items]
    taken = {name: snapshot.readable(name, Slot) for name in there}
    # One that cannot be read would keep its person out for ever.
    unreadable = {name for name in there if snapshot.items[name].problem}
    return unreadable | {name for name, slot in taken.items() if slot is not None and slot.request == names[name]}


def _why(grant: Grant) -> dict[str, str]:
    words = {"reason": grant.end.reason if grant.end and grant.end.reason else "", "error": grant.error or ""}
    return {name: text for name, text in words.items() if text}
