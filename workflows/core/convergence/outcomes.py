"""How an outside call came out, written into the state of a holding. Pure; `core.convergence` decides what to call."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core.audit import Event
from workflows.core.convergence.actions import (
    ASK_ABANDONED_EVERY,
    IN_DOUBT_FOR,
    GrantAccess,
    Note,
    Poll,
    Purpose,
    RevokeAccess,
    State,
    close,
    later_of,
    latest_end,
    start_end,
    without_extensions,
)
from workflows.core.records.grant import CLOSED, End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Intent
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.target import Observation, Operation, OperationKind, OperationState, Presence
from workflows.core.rules.extension import extension_facts, in_place

# After an end the holding is looked at again, for what came late; while a call is in doubt as often as the last one says.
LATER_LOOKS = (timedelta(seconds=15), timedelta(seconds=60))
BACKOFF_MAX = timedelta(seconds=30)
# Alarms from the third failure; then rarer, so that they stay alarms.
ALARM_AT = frozenset({3, 10, 30, 100, 300, 1000})
GIVE_FAILURES_MAX = 3
# No session that a target gives lives longer; see `targets/aws/iam_policy.py`.
SESSION_MAX = timedelta(hours=36)
# Somebody has to know of a removal that has taken longer than this, even where nothing has failed.
LATE_REMOVAL = timedelta(minutes=2)


def with_intent(state: State, action: GrantAccess | RevokeAccess, fence: int, now: datetime) -> State:
    """The record before a changing call. From an intent to give on, whatever is there counts as ours to remove."""
    kind = OperationKind.GRANT if isinstance(action, GrantAccess) else OperationKind.REVOKE
    until = action.until if isinstance(action, GrantAccess) else None
    intent = Intent(kind, fence, now, now + IN_DOUBT_FOR, deadline=until)
    return state.with_holding(intent=intent, ours=True, taken=False)


def after_operation(
    state: State,
    action: GrantAccess | RevokeAccess | Poll,
    operation: Operation,
    intended: Intent | None,
    now: datetime,
) -> State:
    """Record how a changing call, or a look at an asynchronous one, came out."""
    if isinstance(action, Poll) and action.abandoned:
        return _after_abandoned(state, operation, now)
    state = state.with_holding(intent=None)
    if operation.state is OperationState.IN_PROGRESS:
        started = state.holding.operation_at or now
        pause = min(max((now - started) / 4, timedelta(seconds=0.5)), timedelta(seconds=5))
        if isinstance(action, GrantAccess):
            # Somebody waits for this one: the first look is at once, which costs a call where it is not done by then.
            pause = timedelta(0)
        grants = action.grants if isinstance(action, GrantAccess) else state.holding.operation_for
        state = state.with_holding(
            operation=operation, operation_at=started, operation_for=grants, next_try=now + pause
        )
        return _tell_of_late_removals(state, "the target is still removing it", now)
    grants = action.grants if isinstance(action, GrantAccess) else state.holding.operation_for
    state = state.with_holding(operation=None, operation_at=None, operation_for=(), next_try=None)
    if operation.state is OperationState.FAILED:
        return _operation_failed(state, grants, operation, now)
    if operation.kind is OperationKind.REVOKE:
        before = action.sessions_before if isinstance(action, RevokeAccess) else state.holding.denied_before
        return state.with_holding(taken=True, denied_before=before, deny_until=before and before + SESSION_MAX)
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
    state = state.with_holding(intent=None, doubt_until=later_of(state.holding.doubt_until, intended.until))
    state = failed(state, words, now)
    waits = bool(state.of(GrantState.ACTIVATING))
    if waits and intended.kind is OperationKind.GRANT and state.holding.failures >= GIVE_FAILURES_MAX:
        return refused(state, words, now)
    return state


def not_denied(state: State, words: str) -> State:
    """The target does not let sessions be denied. That holds up no removal: it goes on without."""
    return state.with_holding(intent=None, deny_refused=words, denied_before=None, deny_until=None, taken=False)


def broken(state: State, words: str, now: datetime) -> State:
    """A fault of ours came between: giving is given up after some tries, taking away never."""
    state = failed(state, words, now)
    if state.of(GrantState.ACTIVATING) and state.holding.failures >= GIVE_FAILURES_MAX:
        return refused(state, words, now)
    return state


def refused(state: State, words: str, now: datetime) -> State:
    """The target said no to giving, for good: through removal, because an earlier attempt may have had its effect.

    What is active stays so until its end, without the extension that was to be put in place.
    """
    state = without_extensions(state, [grant.id for grant in state.of(GrantState.ACTIVE)], words)
    waiting = [grant.id for grant in state.of(GrantState.ACTIVATING)]
    if not waiting:
        return failed(state, words, now)
    state = state.with_holding(intent=None)
    return start_end(state, waiting, End(EndCause.FAILED, now, reason=words))


def taken_by_others(state: State, words: str, now: datetime) -> State:
    """Under our name stands what another installation has given. Nothing is given, and nothing of theirs is taken."""
    waiting = [grant.id for grant in state.of(GrantState.ACTIVATING)]
    return start_end(state, waiting, End(EndCause.FAILED, now, reason=words))


def postponed(state: State, after_s: float, now: datetime) -> State:
    """The target or its quota asked to wait. No failure: nothing was tried. A removal that waits for long is told, once."""
    state = state.with_holding(intent=None, next_try=now + timedelta(seconds=max(after_s, 0.05)))
    return _tell_of_late_removals(state, "the target takes only so many calls at a time", now)


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
    longer = [grant for grant in state.of(GrantState.ACTIVE) if grant.extended_to is not None]
    struggling = state.of(GrantState.REVOKING) or state.of(GrantState.ACTIVATING) or longer
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
    if purpose is Purpose.LATER_END:
        return _later_end(state, seen, now)
    if purpose is Purpose.PROOF_OF_ABSENCE:
        if present:
            return _still_there(state, now)
        return _proved_absent(state, now) if _as_denied(state, seen) else _denial_not_seen(state, now)
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
    notes = (
        Note(Event.GRANT_ACTIVE, grant.id, {"proof": "presence_read_back", "until": grant.deadline.isoformat()})
        for grant in proved
    )
    return state.with_grants(proved, *notes).with_holding(failures=0, next_try=None)


def _later_end(state: State, seen: Observation, now: datetime) -> State:
    """The target shows the later end, so it is the deadline. Where it shows another one it is written again."""
    until = state.holding.enforced_until
    # Targets keep whole seconds.
    shown = seen.until if seen.presence is Presence.PRESENT and seen.detail is None else None
    if until is None or shown is None or until - shown >= timedelta(seconds=1):
        return failed(state, "the later end was written, but cannot be seen yet", now).with_holding(enforced_until=None)
    moved = [grant for grant in state.of(GrantState.ACTIVE) if grant.extended_to and grant.extended_to <= until]
    notes = [_extended(grant, "later_end_read_back") for grant in moved]
    return state.with_grants(map(in_place, moved), *notes).with_holding(failures=0, next_try=None)


def later_end_kept(state: State) -> State:
    """Where the target enforces no end the deadline alone has to move."""
    moved = [grant for grant in state.of(GrantState.ACTIVE) if grant.extended_to is not None]
    return state.with_grants(map(in_place, moved), *(_extended(grant, "kept_by_the_bot") for grant in moved))


def _extended(grant: Grant, proof: str) -> Note:
    facts = extension_facts(grant, grant.extension or "", latest_end(grant))
    return Note(Event.GRANT_EXTENDED, grant.id, {**facts, "proof": proof})


def _not_there_yet(state: State, now: datetime) -> State:
    state = failed(state, "the access was given, but cannot be seen yet", now)
    return state.with_holding(given=()) if state.holding.failures % 3 == 0 else state


def _as_denied(state: State, seen: Observation) -> bool:
    wanted = state.holding.denied_before
    return wanted is None or (seen.denied_before is not None and seen.denied_before >= wanted)


def _denial_not_seen(state: State, now: datetime) -> State:
    """The access is gone, and what should deny its sessions is not there: written again, and then done without."""
    if state.holding.failures + 1 >= GIVE_FAILURES_MAX:
        return not_denied(state, "what denies them was written, and is not there").with_holding(
            failures=0, next_try=None
        )
    state = failed(state, "open sessions were denied, but that cannot be seen yet", now)
    return state.with_holding(taken=False)


def _still_there(state: State, now: datetime) -> State:
    state = failed(state, "the access was taken away, but can still be seen", now)
    return state.with_holding(taken=False) if state.holding.failures % 3 == 0 else state


def _proved_absent(state: State, now: datetime) -> State:
    state = close(state, state.of(GrantState.REVOKING), now) if state.of(GrantState.REVOKING) else state
    doubt = state.holding.doubt_until
    owed = {now + pause for pause in LATER_LOOKS} | _while_in_doubt(now, doubt)
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


def _while_in_doubt(now: datetime, doubt: datetime | None) -> set[datetime]:
    """Once a minute, and when nothing can come about any more: what comes late stays for a minute at most."""
    if doubt is None or doubt <= now:
        return set()
    minutes = range(2, int((doubt - now) / LATER_LOOKS[-1]) + 1)
    each = {now + minute * LATER_LOOKS[-1] for minute in minutes}
    return {doubt, *(at for at in each if doubt - at > LATER_LOOKS[0])}


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
