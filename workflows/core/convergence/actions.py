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
from workflows.core.provider import Sessions
from workflows.core.records.grant import CLOSED, End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.lifecycle import Move, removal, step
from workflows.core.records.target import Operation, OperationKind
from workflows.core.rules.extension import given_up

# A target may accept a signed request for five minutes; with our own timeouts on top.
IN_DOUBT_FOR = timedelta(seconds=330)
STUCK_GRANT_OPERATION = timedelta(seconds=60)
# A removal that a target has neither done nor refused after so long is started again.
STUCK_REMOVAL = timedelta(minutes=5)
# An abandoned operation is asked after this often.
ASK_ABANDONED_EVERY = timedelta(seconds=30)


class Purpose(StrEnum):
    BASELINE = "baseline"
    PROOF_OF_PRESENCE = "proof_of_presence"
    PROOF_OF_ABSENCE = "proof_of_absence"
    AFTER_THE_END = "after_the_end"
    STILL_THERE = "still_there"
    LATER_END = "later_end"


@dataclass(frozen=True, slots=True)
class Observe:
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class GrantAccess:
    grants: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class RevokeAccess:
    """`sessions_before`: sessions that were begun before it are denied in the same call."""

    sessions_before: datetime | None = None


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


Action = Observe | GrantAccess | RevokeAccess | Poll | Wait | Forget


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the audit log about one grant."""

    event: Event
    grant: str
    facts: Mapping[str, str] = field(default_factory=dict)
    # In words, where the grant's own record does not tell it.
    why: str = ""


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
    why = "the target did not confirm the later end in time"
    if not state.holding.resource.enforces_end:
        why = "that the approval still stands could not be told in time"
    state = without_extensions(state, in_time, why)
    state = start_end(state, in_time, End(EndCause.TIME, now))
    return start_end(state, too_late, End(EndCause.FAILED, now, reason=_why_too_late(overdue)))


def without_extensions(state: State, ids: Iterable[str], why: str) -> State:
    """What was approved and is not put in place any more: the old end stands, and the record says why."""
    lost = [state.grants[id_] for id_ in ids if state.grants[id_].extended_to is not None]
    notes = (
        Note(Event.GRANT_EXTENSION_FAILED, grant.id, {"extension": grant.extension or ""}, grant.error or why)
        for grant in lost
    )
    return state.with_grants(map(given_up, lost), *notes)


def _why_too_late(grants: list[Grant]) -> str:
    error = next((grant.error for grant in grants if grant.error), None)
    return error or "its time ran out before it could be given"


def _doubt_forgotten_intent(state: State) -> State:
    """An intent that is read back has lost its owner: the call may still take effect until it is over."""
    intent = state.holding.intent
    if intent is None:
        return state
    return state.with_holding(intent=None, doubt_until=later_of(state.holding.doubt_until, intent.until))


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
    doubt = later_of(holding.doubt_until, now + IN_DOUBT_FOR)
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
    return close(state, leaving, now, covered_by=covering[0].id if covering else None)


_CLOSING_EVENT = {
    GrantState.ENDED: Event.GRANT_ENDED,
    GrantState.REVOKED: Event.GRANT_REVOKED,
    GrantState.ACTIVATION_FAILED: Event.GRANT_ACTIVATION_FAILED,
}


def close(state: State, grants: list[Grant], now: datetime, covered_by: str | None = None) -> State:
    closed, notes = [], []
    for grant in grants:
        cause = grant.end.cause if grant.end else EndCause.TIME
        following = step(grant.state, removal(cause))
        nothing_given = not covered_by and not state.holding.ours
        proof = "covered" if covered_by else ("nothing_given" if nothing_given else "absence_read_back")
        over = replace(
            grant, state=following, closed_at=now, covered_by=covered_by, nothing_given=nothing_given, error=None
        )
        taken_back = cause is EndCause.REVOKED and state.holding.ours and not covered_by
        over = _with_sessions(over, state.holding) if taken_back else over
        closed.append(over)
        facts = {"cause": cause.value, "proof": proof, **_sessions_facts(over)}
        notes.append(Note(_CLOSING_EVENT[following], grant.id, facts))
    state = state.with_grants(closed, *notes)
    return state.with_holding(last_grant=closed[-1].id)


def _with_sessions(grant: Grant, holding: Holding) -> Grant:
    """What became of open sessions, for one that was taken back; nothing where its role does not ask for it."""
    if holding.resource.target.sessions is not Sessions.DENIED:
        return grant
    if holding.denied_before is not None:
        return replace(grant, denied_before=holding.denied_before)
    return replace(grant, not_denied=holding.deny_refused or "the access was gone already")


def _sessions_facts(grant: Grant) -> dict[str, str]:
    if grant.denied_before is not None:
        return {"denied_before": grant.denied_before.isoformat()}
    return {"not_denied": "yes"} if grant.not_denied else {}


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
        return Observe(Purpose.BASELINE)
    until = max(latest_end(grant) for grant in wanted)
    waiting = tuple(
        grant.id
        for grant in wanted
        if (grant.state is GrantState.ACTIVATING and grant.id not in holding.given) or holding.lost
    )
    end_moved = holding.resource.enforces_end and holding.ours and holding.enforced_until != until
    if waiting or end_moved:
        return GrantAccess(waiting, until)
    if any(grant.state is GrantState.ACTIVATING for grant in wanted):
        return Observe(Purpose.PROOF_OF_PRESENCE)
    if any(grant.extended_to is not None for grant in wanted):
        return Observe(Purpose.LATER_END)
    first_end = min(grant.deadline for grant in wanted)
    if holding.doubt_until is None:
        return Wait(first_end)
    # An earlier removal whose outcome nobody saw may have taken this access with it.
    return Observe(Purpose.STILL_THERE) if holding.doubt_until <= now else Wait(min(first_end, holding.doubt_until))


def _towards_absence(state: State, now: datetime) -> Action:
    holding = state.holding
    if holding.ours:
        return Observe(Purpose.PROOF_OF_ABSENCE) if holding.taken else RevokeAccess(deny_from(state, now))
    if holding.looks and holding.looks[0] <= now:
        return Observe(Purpose.AFTER_THE_END)
    if holding.abandoned is not None and holding.ask_abandoned_at is not None and holding.ask_abandoned_at <= now:
        return Poll(holding.abandoned, abandoned=True)
    if holding.deny_until is not None and holding.deny_until <= now:
        return RevokeAccess()
    ask = holding.ask_abandoned_at if holding.abandoned else None
    following = _earlier(*holding.looks[:1], ask, holding.deny_until)
    if following is not None:
        return Wait(following)
    return Forget() if not holding.grants else Wait(None)


def deny_from(state: State, now: datetime) -> datetime | None:
    """The time before which sessions are to be denied with a removal: a whole second, rather one too late. None: no session is.

    After a revocation alone. Whoever gives access back, or whose time is over, ends nothing of their own.
    """
    holding = state.holding
    if holding.resource.target.sessions is not Sessions.DENIED or holding.deny_refused:
        return None
    taken_back = any(
        grant.end is not None and grant.end.cause is EndCause.REVOKED for grant in state.of(GrantState.REVOKING)
    )
    stands = holding.deny_until is not None and holding.deny_until > now
    return now.replace(microsecond=0) + timedelta(seconds=1) if taken_back or stands else None


def latest_end(grant: Grant) -> datetime:
    """The end that a target which enforces one is told: ahead of the deadline while an extension is put in place."""
    return max(grant.deadline, grant.extended_to or grant.deadline)


def later_of(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)


def _earlier(*times: datetime | None) -> datetime | None:
    known = [time for time in times if time is not None]
    return min(known) if known else None
