"""What brings the world in line with the ledger for one holding: pure steps, one outside call at a time.

`settle` does all bookkeeping that needs no call, `next_action` names the call to make (or how long to wait), and
`after_*` record what it answered. The rules that they keep:

- the baseline is looked at before the first intent, and never again while the holding lives;
- a grant is active only after its own operation succeeded and was read back;
- a grant is ended only after the removal succeeded and absence was read back, or while another grant covers it;
- an operation whose outcome nobody saw stays in doubt until it can no longer take effect, and the holding is looked at then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.core.audit import Event
from workflows.core.lifecycle import Move, removal, step
from workflows.core.model import (
    CLOSED,
    Baseline,
    End,
    EndCause,
    Grant,
    GrantState,
    Holding,
    Intent,
    Observation,
    Operation,
    OperationKind,
    OperationState,
    Presence,
)

# Design section 2, promise 4.
LATER_LOOKS = (timedelta(seconds=15), timedelta(seconds=60))
# A signed request is accepted by AWS for five minutes; with our own timeouts on top.
IN_DOUBT_FOR = timedelta(seconds=330)
BACKOFF_MAX = timedelta(seconds=30)
# Design section 4: alarms from the third failure; then rarer, so that they stay alarms.
ALARM_AT = frozenset({3, 10, 30, 100, 300, 1000})
GIVE_FAILURES_MAX = 3
STUCK_GRANT_OPERATION = timedelta(seconds=60)
# A removal that AWS has neither done nor refused after so long is started again.
STUCK_REMOVAL = timedelta(minutes=5)
# An abandoned operation is asked after this often.
ASK_ABANDONED_EVERY = timedelta(seconds=30)
# Somebody has to know of a removal that has taken longer than this, even where nothing has failed.
LATE_REMOVAL = timedelta(minutes=2)


class Purpose(StrEnum):
    BASELINE = "baseline"
    PROOF_OF_PRESENCE = "proof_of_presence"
    PROOF_OF_ABSENCE = "proof_of_absence"
    AFTER_THE_END = "after_the_end"
    STILL_THERE = "still_there"


@dataclass(frozen=True, slots=True)
class Look:
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Give:
    grants: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Take:
    pass


@dataclass(frozen=True, slots=True)
class Poll:
    operation: Operation
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is held, nothing is owed: the record can go."""


Action = Look | Give | Take | Poll | Wait | Forget


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the audit log about one grant."""

    event: Event
    grant: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """A holding and those of its grants that are not closed, plus any that closed in this very step."""

    holding: Holding
    grants: Mapping[str, Grant]
    notes: tuple[Note, ...] = ()

    def of(self, *states: GrantState) -> list[Grant]:
        return [grant for grant in self.grants.values() if grant.state in states]

    def wanted(self, now: datetime) -> list[Grant]:
        open_ = self.of(GrantState.ACTIVATING, GrantState.ACTIVE)
        return [grant for grant in open_ if grant.deadline > now]

    def with_grants(self, changed: Iterable[Grant], *notes: Note) -> State:
        grants = {**self.grants, **{grant.id: grant for grant in changed}}
        return replace(self, grants=grants, notes=(*self.notes, *notes))

    def with_holding(self, **changes: object) -> State:
        return replace(self, holding=replace(self.holding, **changes))  # type: ignore[arg-type]  # field names are checked at run time


# ---------------------------------------------------------------- bookkeeping


def settle(state: State, now: datetime) -> State:
    """Everything that follows from time and record alone."""
    state = _start_overdue_ends(state, now)
    state = _doubt_forgotten_intent(state)
    state = _refuse_beside_standing(state, now)
    state = _give_up_stuck_operation(state, now)
    state = _close_what_needs_no_call(state, now)
    if state.wanted(now):
        state = state.with_holding(looks=())
    live = tuple(grant.id for grant in state.grants.values() if grant.state not in CLOSED)
    return state.with_holding(grants=live, given=tuple(id_ for id_ in state.holding.given if id_ in live))


def start_end(state: State, ids: Iterable[str], end: End) -> State:
    """Begin the end of these grants. The removal is tried at once, whatever backoff stood before."""
    chosen = [state.grants[id_] for id_ in ids if state.grants[id_].state in (GrantState.ACTIVATING, GrantState.ACTIVE)]
    if not chosen:
        return state
    ended = [replace(grant, state=step(grant.state, Move.END), end=end, error=None) for grant in chosen]
    facts = {"cause": end.cause.value}
    state = state.with_grants(ended, *(Note(Event.GRANT_END_STARTED, grant.id, facts) for grant in ended))
    return state.with_holding(next_try=None, failures=0) if state.holding.operation is None else state


def _start_overdue_ends(state: State, now: datetime) -> State:
    overdue = [grant for grant in state.of(GrantState.ACTIVE, GrantState.ACTIVATING) if grant.deadline <= now]
    in_time = [grant.id for grant in overdue if grant.state is GrantState.ACTIVE]
    too_late = [grant.id for grant in overdue if grant.state is GrantState.ACTIVATING]
    state = start_end(state, in_time, End(EndCause.TIME, now))
    return start_end(state, too_late, End(EndCause.FAILED, now, reason=_why_too_late(overdue)))


def _why_too_late(grants: list[Grant]) -> str:
    error = next((grant.error for grant in grants if grant.error), None)
    return error or "its time ran out before it could be given"


def _doubt_forgotten_intent(state: State) -> State:
    """An intent that is read back has lost its owner: the call may still take effect until it is over."""
    intent = state.holding.intent
    if intent is None:
        return state
    return state.with_holding(intent=None, doubt_until=_later(state.holding.doubt_until, intent.until))


def _refuse_beside_standing(state: State, now: datetime) -> State:
    if state.holding.baseline is not Baseline.STANDING:
        return state
    waiting = [grant.id for grant in state.of(GrantState.ACTIVATING)]
    return start_end(state, waiting, End(EndCause.STANDING, now))


def _give_up_stuck_operation(state: State, now: datetime) -> State:
    """An operation that never ends must not keep the removal waiting; what it may still do is in doubt."""
    holding = state.holding
    if holding.operation is None or holding.operation_at is None or state.wanted(now):
        return state
    giving = holding.operation.kind is OperationKind.GRANT
    if now - holding.operation_at <= (STUCK_GRANT_OPERATION if giving else STUCK_REMOVAL):
        return state
    doubt = _later(holding.doubt_until, now + IN_DOUBT_FOR)
    return state.with_holding(
        operation=None,
        operation_at=None,
        next_try=None,
        doubt_until=doubt,
        abandoned=holding.operation if giving else holding.abandoned,
        ask_abandoned_at=now + ASK_ABANDONED_EVERY,
    )


def _close_what_needs_no_call(state: State, now: datetime) -> State:
    """Grants whose end takes nothing away: another one covers the holding, or nothing of ours is there."""
    leaving = state.of(GrantState.REVOKING)
    covering = state.wanted(now)
    # A giving operation that is under way belongs to a grant: whether there is something to take away is not known yet.
    if not leaving or (state.holding.ours and not covering) or (not covering and state.holding.operation):
        return state
    return _close(state, leaving, now, covered_by=covering[0].id if covering else None)


_CLOSING_EVENT = {
    GrantState.ENDED: Event.GRANT_ENDED,
    GrantState.REVOKED: Event.GRANT_REVOKED,
    GrantState.ACTIVATION_FAILED: Event.GRANT_ACTIVATION_FAILED,
}


def _close(state: State, grants: list[Grant], now: datetime, covered_by: str | None = None) -> State:
    closed, notes = [], []
    for grant in grants:
        cause = grant.end.cause if grant.end else EndCause.TIME
        following = step(grant.state, removal(cause))
        closed.append(replace(grant, state=following, closed_at=now, covered_by=covered_by, error=None))
        proof = "covered" if covered_by else ("absence_read_back" if state.holding.ours else "nothing_given")
        notes.append(Note(_CLOSING_EVENT[following], grant.id, {"cause": cause.value, "proof": proof}))
    state = state.with_grants(closed, *notes)
    return state.with_holding(last_grant=closed[-1].id)


# ---------------------------------------------------------------- what to do next


def next_action(state: State, now: datetime) -> Action:
    """The one outside call to make now, or until when to wait. `state` has been settled at `now`."""
    holding, wanted = state.holding, state.wanted(now)
    if holding.operation is not None:
        due = holding.next_try is None or holding.next_try <= now
        return Poll(holding.operation) if due else Wait(holding.next_try)
    if holding.next_try is not None and holding.next_try > now:
        return Wait(_earlier(holding.next_try, *(grant.deadline for grant in wanted)))
    return _towards_presence(state, wanted, now) if wanted else _towards_absence(state, now)


def _towards_presence(state: State, wanted: list[Grant], now: datetime) -> Action:
    holding = state.holding
    if holding.baseline is Baseline.UNKNOWN:
        return Look(Purpose.BASELINE)
    until = max(grant.deadline for grant in wanted)
    waiting = tuple(
        grant.id
        for grant in wanted
        if (grant.state is GrantState.ACTIVATING and grant.id not in holding.given) or holding.lost
    )
    end_moved = holding.resource.enforces_end and holding.ours and holding.enforced_until != until
    if waiting or end_moved:
        return Give(waiting, until)
    if any(grant.state is GrantState.ACTIVATING for grant in wanted):
        return Look(Purpose.PROOF_OF_PRESENCE)
    first_end = min(grant.deadline for grant in wanted)
    if holding.doubt_until is None:
        return Wait(first_end)
    # An earlier removal whose outcome nobody saw may have taken this access with it.
    return Look(Purpose.STILL_THERE) if holding.doubt_until <= now else Wait(min(first_end, holding.doubt_until))


def _towards_absence(state: State, now: datetime) -> Action:
    holding = state.holding
    if holding.ours:
        return Look(Purpose.PROOF_OF_ABSENCE) if holding.taken else Take()
    if holding.looks and holding.looks[0] <= now:
        return Look(Purpose.AFTER_THE_END)
    if holding.abandoned is not None and holding.ask_abandoned_at is not None and holding.ask_abandoned_at <= now:
        return Poll(holding.abandoned, abandoned=True)
    following = _earlier(*holding.looks[:1], holding.ask_abandoned_at if holding.abandoned else None)
    if following is not None:
        return Wait(following)
    return Forget() if not holding.grants else Wait(None)


# ---------------------------------------------------------------- what was answered


def with_intent(state: State, action: Give | Take, fence: int, now: datetime) -> State:
    """The record before a changing call. From an intent to give on, whatever is there counts as ours to remove."""
    kind = OperationKind.GRANT if isinstance(action, Give) else OperationKind.REVOKE
    until = action.until if isinstance(action, Give) else None
    intent = Intent(kind, fence, now, now + IN_DOUBT_FOR, deadline=until)
    return state.with_holding(intent=intent, ours=True, taken=False)


def after_operation(
    state: State, action: Give | Take | Poll, operation: Operation, intended: Intent | None, now: datetime
) -> State:
    """Record how a changing call, or a look at an asynchronous one, came out."""
    if isinstance(action, Poll) and action.abandoned:
        return _after_abandoned(state, operation, now)
    state = state.with_holding(intent=None)
    if operation.state is OperationState.IN_PROGRESS:
        started = state.holding.operation_at or now
        pause = min(max((now - started) / 4, timedelta(seconds=0.5)), timedelta(seconds=5))
        grants = action.grants if isinstance(action, Give) else state.holding.operation_for
        state = state.with_holding(
            operation=operation, operation_at=started, operation_for=grants, next_try=now + pause
        )
        return _tell_of_late_removals(state, "the target is still at it", now)
    grants = action.grants if isinstance(action, Give) else state.holding.operation_for
    state = state.with_holding(operation=None, operation_at=None, operation_for=(), next_try=None)
    if operation.state is OperationState.FAILED:
        return _operation_failed(state, grants, operation, now)
    if operation.kind is OperationKind.REVOKE:
        return state.with_holding(taken=True)
    given = tuple(dict.fromkeys((*state.holding.given, *grants)))
    until = intended.deadline if intended else state.holding.enforced_until
    return state.with_holding(given=given, lost=False, enforced_until=until, failures=0)


def _after_abandoned(state: State, operation: Operation, now: datetime) -> State:
    """One that had its effect after all is looked for at once, and taken away."""
    if operation.state is OperationState.IN_PROGRESS:
        return state.with_holding(ask_abandoned_at=now + ASK_ABANDONED_EVERY)
    state = state.with_holding(abandoned=None, ask_abandoned_at=None)
    if operation.state is OperationState.FAILED:
        return state
    looks = {*state.holding.looks, now, *(now + pause for pause in LATER_LOOKS)}
    return state.with_holding(looks=tuple(sorted(looks)))


def _operation_failed(state: State, grants: tuple[str, ...], operation: Operation, now: datetime) -> State:
    words = operation.error or "the operation failed"
    if operation.kind is OperationKind.GRANT:
        waiting = [grant.id for grant in state.of(GrantState.ACTIVATING) if grant.id in grants]
        return start_end(state, waiting, End(EndCause.FAILED, now, reason=words))
    return failed(state, words, now)


def in_doubt(state: State, intended: Intent, words: str, now: datetime) -> State:
    """The call got no answer: until it can no longer take effect, nothing that is read proves anything for good."""
    state = state.with_holding(intent=None, doubt_until=_later(state.holding.doubt_until, intended.until))
    state = failed(state, words, now)
    if intended.kind is OperationKind.GRANT and state.holding.failures >= GIVE_FAILURES_MAX:
        return refused(state, words, now)
    return state


def refused(state: State, words: str, now: datetime) -> State:
    """The target said no to giving, for good: through removal, because an earlier attempt may have had its effect."""
    state = state.with_holding(intent=None)
    waiting = [grant.id for grant in state.of(GrantState.ACTIVATING)]
    return start_end(state, waiting, End(EndCause.FAILED, now, reason=words))


def postponed(state: State, after_s: float, now: datetime) -> State:
    """The target or its quota asked to wait. No failure: nothing was tried. A removal that waits for long is told, once."""
    state = state.with_holding(intent=None, next_try=now + timedelta(seconds=max(after_s, 0.05)))
    return _tell_of_late_removals(state, "the target keeps asking to wait", now)


def _tell_of_late_removals(state: State, words: str, now: datetime) -> State:
    late = [
        grant
        for grant in state.of(GrantState.REVOKING)
        if grant.error is None and grant.end is not None and now - grant.end.at > LATE_REMOVAL
    ]
    notes = (Note(Event.GRANT_REMOVAL_FAILING, grant.id, {"failures": "0"}) for grant in late)
    return state.with_grants((replace(grant, error=words) for grant in late), *notes)


def failed(state: State, words: str, now: datetime) -> State:
    """Try again later, with backoff; alarm where it is a removal that does not come off."""
    failures = state.holding.failures + 1
    pause = min(timedelta(seconds=2 ** min(failures - 1, 10)), BACKOFF_MAX)
    state = state.with_holding(intent=None, failures=failures, next_try=now + pause)
    struggling = state.of(GrantState.REVOKING) or state.of(GrantState.ACTIVATING)
    state = state.with_grants(replace(grant, error=words) for grant in struggling)
    if failures not in ALARM_AT or not state.of(GrantState.REVOKING):
        return state
    alarms = (
        Note(Event.GRANT_REMOVAL_FAILING, grant.id, {"failures": str(failures)})
        for grant in state.of(GrantState.REVOKING)
    )
    return state.with_grants((), *alarms)


def after_look(state: State, purpose: Purpose, seen: Observation, now: datetime) -> State:
    """Record what was seen. What was not answered clearly is looked at again, and proves nothing."""
    if seen.presence is Presence.UNKNOWN:
        return failed(state, seen.detail or "the target did not say", now)
    present = seen.presence is Presence.PRESENT
    if purpose is Purpose.BASELINE:
        return state.with_holding(
            baseline=Baseline.STANDING if seen.stands else Baseline.ABSENT, failures=0, next_try=None
        )
    if purpose is Purpose.PROOF_OF_PRESENCE:
        return _proved_present(state, now) if present and _as_given(state, seen) else _not_there_yet(state, now)
    if purpose is Purpose.PROOF_OF_ABSENCE:
        return _still_there(state, now) if present else _proved_absent(state, now)
    if purpose is Purpose.STILL_THERE:
        return state.with_holding(lost=not present, doubt_until=None, failures=0, next_try=None)
    return _reappeared(state, now) if present else _look_done(state, now)


def _as_given(state: State, seen: Observation) -> bool:
    """Where the target shows what it enforces: the end that was written, and nothing else changed."""
    holding = state.holding
    if not holding.resource.enforces_end or holding.enforced_until is None:
        return True
    return seen.detail is None and seen.until is not None and seen.until <= holding.enforced_until


def _proved_present(state: State, now: datetime) -> State:
    proved = [
        replace(grant, state=step(grant.state, Move.ACTIVATED), activated_at=now, error=None)
        for grant in state.of(GrantState.ACTIVATING)
        if grant.id in state.holding.given and grant.deadline > now
    ]
    notes = (Note(Event.GRANT_ACTIVE, grant.id, {"proof": "presence_read_back"}) for grant in proved)
    return state.with_grants(proved, *notes).with_holding(failures=0, next_try=None)


def _not_there_yet(state: State, now: datetime) -> State:
    state = failed(state, "the access was given, but cannot be seen yet", now)
    return state.with_holding(given=()) if state.holding.failures % 3 == 0 else state


def _still_there(state: State, now: datetime) -> State:
    state = failed(state, "the access was taken away, but can still be seen", now)
    return state.with_holding(taken=False) if state.holding.failures % 3 == 0 else state


def _proved_absent(state: State, now: datetime) -> State:
    state = _close(state, state.of(GrantState.REVOKING), now) if state.of(GrantState.REVOKING) else state
    doubt = state.holding.doubt_until
    owed = {now + pause for pause in LATER_LOOKS} | ({doubt} if doubt and doubt > now else set())
    live = tuple(grant.id for grant in state.grants.values() if grant.state not in CLOSED)
    return state.with_holding(
        ours=False,
        taken=False,
        lost=False,
        given=(),
        grants=live,
        enforced_until=None,
        looks=tuple(sorted(owed)),
        failures=0,
        next_try=None,
    )


def _reappeared(state: State, now: datetime) -> State:
    last = state.holding.last_grant
    notes = (Note(Event.GRANT_REAPPEARED, last, {"seen_at": now.isoformat()}),) if last else ()
    state = state.with_grants((), *notes)
    return state.with_holding(ours=True, taken=False, failures=0, next_try=None)


def _look_done(state: State, now: datetime) -> State:
    left = tuple(look for look in state.holding.looks if look > now)
    over = state.holding.doubt_until is not None and state.holding.doubt_until <= now
    return state.with_holding(
        looks=left, failures=0, next_try=None, doubt_until=None if over else state.holding.doubt_until
    )


def _later(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)


def _earlier(*times: datetime | None) -> datetime | None:
    known = [time for time in times if time is not None]
    return min(known) if known else None
