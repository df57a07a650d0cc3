"""The pure steps of convergence at their corners, and the faults that tests/property found, one plain test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.build import DANA, HOUR, MINUTE, NOW, entitlement, environment, facts, policy, request
from tests.support.world import World
from workflows.core.audit import Event
from workflows.core.convergence.actions import (
    IN_DOUBT_FOR,
    STUCK_GRANT_OPERATION,
    STUCK_REMOVAL,
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
    start_end,
)
from workflows.core.convergence.outcomes import (
    BACKOFF_MAX,
    LATE_REMOVAL,
    LATER_LOOKS,
    after_look,
    after_operation,
    failed,
    in_doubt,
    postponed,
    refused,
    with_intent,
)
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding, Intent
from workflows.core.records.request import Decision, DecisionKind
from workflows.core.records.target import Observation, Operation, OperationKind, OperationState, Presence
from workflows.core.rules.grant_terms import grant_for, held
from workflows.ports import LEASE_S
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Settle
from workflows.usecases.fulfilment.advance_request import advance_request
from workflows.usecases.fulfilment.converge import converge

SECOND = timedelta(seconds=1)
PRESENT, ABSENT = Observation(Presence.PRESENT), Observation(Presence.ABSENT)
GIVEN = Operation(OperationKind.GRANT, OperationState.SUCCEEDED)
TAKEN = Operation(OperationKind.REVOKE, OperationState.SUCCEEDED)
GIVING = Operation(OperationKind.GRANT, OperationState.IN_PROGRESS, "op-1")
TAKING = Operation(OperationKind.REVOKE, OperationState.IN_PROGRESS, "op-2")


def grant(id_: str = "PA-1", state: GrantState = GrantState.ACTIVATING, **changes) -> Grant:
    decision = Decision(DecisionKind.APPROVAL, NOW, "f" * 64, by=(facts(DANA).id,))
    return replace(grant_for(request(id_), decision), state=state, **changes)


def state(*grants: Grant, **changes) -> State:
    """A holding with these grants on it; `changes` are the holding's."""
    holding: Holding | None = None
    for item in grants or (grant(),):
        holding = held(holding, item)
    assert holding is not None
    known = replace(holding, baseline=Baseline.ABSENT, grants=tuple(item.id for item in grants))
    return State(replace(known, **changes), {item.id: item for item in grants})


def leaving(id_: str = "PA-1", cause: EndCause = EndCause.TIME, **changes) -> Grant:
    return grant(id_, GrantState.REVOKING, end=End(cause, NOW), **changes)


def active(id_: str = "PA-1", **changes) -> Grant:
    return grant(id_, GrantState.ACTIVE, activated_at=NOW, **changes)


def events(after: State) -> list[Event]:
    return [note.event for note in after.notes]


def intent(kind: OperationKind = OperationKind.GRANT, at: datetime = NOW) -> Intent:
    return Intent(kind, 1, at, at + IN_DOUBT_FOR, deadline=NOW + HOUR)


# ---------------------------------------------------------------- what to do next


def test_nothing_is_given_before_the_baseline_is_known():
    assert next_action(state(grant(), baseline=Baseline.UNKNOWN), NOW) == Observe(Purpose.BASELINE)


def test_a_retry_does_not_look_at_the_baseline_again():
    retried = state(grant(), ours=True, failures=2, doubt_until=NOW + IN_DOUBT_FOR)
    assert next_action(retried, NOW) == GrantAccess(("PA-1",), NOW + HOUR)


def test_each_grant_gets_an_operation_of_its_own():
    both = state(active("PA-1"), grant("PA-2"), ours=True)
    assert next_action(both, NOW) == GrantAccess(("PA-2",), NOW + HOUR)


def test_what_was_given_is_read_back_before_anything_else():
    assert next_action(state(grant(), ours=True, given=("PA-1",)), NOW) == Observe(Purpose.PROOF_OF_PRESENCE)


def test_active_access_waits_for_the_nearest_deadline():
    both = state(active("PA-1", deadline=NOW + MINUTE), active("PA-2"), ours=True)
    assert next_action(both, NOW) == Wait(NOW + MINUTE)


def test_an_operation_under_way_is_asked_after_before_anything_new_is_started():
    begun = state(leaving(), ours=True, operation=GIVING, operation_at=NOW)
    assert next_action(begun, NOW) == Poll(GIVING)
    assert next_action(replace(begun, holding=replace(begun.holding, next_try=NOW + SECOND)), NOW) == Wait(NOW + SECOND)


def test_a_backoff_never_waits_past_a_deadline():
    slow = state(grant(deadline=NOW + SECOND), next_try=NOW + BACKOFF_MAX)
    assert next_action(slow, NOW) == Wait(NOW + SECOND)


def test_removal_comes_first_and_then_its_proof():
    assert next_action(state(leaving(), ours=True), NOW) == RevokeAccess()
    assert next_action(state(leaving(), ours=True, taken=True), NOW) == Observe(Purpose.PROOF_OF_ABSENCE)


def test_a_holding_is_forgotten_only_when_no_look_is_owed():
    empty = state(grant(state=GrantState.ENDED), grants=(), looks=(NOW + SECOND,))
    assert next_action(empty, NOW) == Wait(NOW + SECOND)
    assert next_action(empty, NOW + SECOND) == Observe(Purpose.AFTER_THE_END)
    assert next_action(replace(empty, holding=replace(empty.holding, looks=())), NOW) == Forget()


def test_where_the_target_enforces_the_end_a_moved_end_is_written_there():
    resource = replace(grant().resource, kind=AwsKind.IAM_POLICY, enforces_end=True)
    longer = state(active(deadline=NOW + 2 * HOUR), resource=resource, ours=True, enforced_until=NOW + HOUR)
    assert next_action(longer, NOW) == GrantAccess((), NOW + 2 * HOUR)


def test_an_end_that_was_never_ours_is_not_moved():
    resource = replace(grant().resource, enforces_end=True)
    idle = state(active(), resource=resource, ours=False, enforced_until=NOW + MINUTE)
    assert next_action(idle, NOW) == Wait(NOW + HOUR)


# ---------------------------------------------------------------- settle


def test_the_deadline_itself_is_too_late():
    over = settle(state(active(), ours=True), NOW + HOUR)
    assert over.grants["PA-1"].state is GrantState.REVOKING
    assert next_action(over, NOW + HOUR) == RevokeAccess()


def test_what_was_not_active_in_time_has_failed_and_says_why():
    over = settle(state(grant(error="AWS is slow"), ours=True), NOW + HOUR)
    end = over.grants["PA-1"].end
    assert (end.cause, end.reason) == (EndCause.FAILED, "AWS is slow")


def test_the_end_beside_another_grant_takes_nothing_away():
    both = settle(state(leaving("PA-1"), active("PA-2"), ours=True), NOW)
    assert (both.grants["PA-1"].state, both.grants["PA-1"].covered_by) == (GrantState.ENDED, "PA-2")
    assert (both.holding.grants, both.holding.ours) == (("PA-2",), True)


def test_a_grant_that_has_run_out_covers_nothing():
    both = settle(state(leaving("PA-1"), active("PA-2", deadline=NOW), ours=True), NOW)
    assert [item.state for item in both.grants.values()] == [GrantState.REVOKING, GrantState.REVOKING]
    assert next_action(both, NOW) == RevokeAccess()


def test_where_nothing_was_given_the_end_needs_no_call():
    ended = settle(state(leaving(cause=EndCause.REVOKED)), NOW)
    assert ended.grants["PA-1"].state is GrantState.REVOKED
    assert ended.notes[-1].facts["proof"] == "nothing_given"
    assert ended.grants["PA-1"].nothing_given  # nobody looked, so that no card may say that a removal was verified


def test_what_was_taken_away_or_goes_on_elsewhere_was_given():
    covered = settle(state(leaving(), active("PA-2"), ours=True), NOW)
    gone = after_look(state(leaving(), ours=True, taken=True), Purpose.PROOF_OF_ABSENCE, ABSENT, NOW)
    for after in (covered, gone):
        assert after.grants["PA-1"].state is GrantState.ENDED
        assert not after.grants["PA-1"].nothing_given


def test_a_giving_operation_under_way_keeps_the_grant_open_although_nothing_is_ours_yet():
    begun = settle(state(leaving(), operation=GIVING, operation_at=NOW), NOW)
    assert begun.grants["PA-1"].state is GrantState.REVOKING


def test_beside_standing_access_nothing_is_given_and_nothing_taken():
    standing = settle(state(grant(), baseline=Baseline.STANDING), NOW)
    assert standing.grants["PA-1"].state is GrantState.ACTIVATION_FAILED
    assert standing.grants["PA-1"].end.cause is EndCause.STANDING
    assert next_action(standing, NOW) == Forget()


def test_an_intent_that_is_read_back_is_in_doubt_until_its_call_can_no_longer_take_effect():
    found = settle(state(grant(), ours=True, intent=intent()), NOW + SECOND)
    assert (found.holding.intent, found.holding.doubt_until) == (None, NOW + IN_DOUBT_FOR)


def test_a_forgotten_intent_never_shortens_the_doubt():
    later = NOW + 2 * IN_DOUBT_FOR
    found = settle(state(grant(), ours=True, intent=intent(), doubt_until=later), NOW)
    assert found.holding.doubt_until == later


def test_a_stuck_giving_operation_is_given_up_only_when_nobody_waits_for_it():
    late = NOW + STUCK_GRANT_OPERATION + SECOND
    wanted = settle(state(grant(), ours=True, operation=GIVING, operation_at=NOW), late)
    unwanted = settle(state(leaving(), ours=True, operation=GIVING, operation_at=NOW), late)
    assert wanted.holding.operation == GIVING
    assert (unwanted.holding.operation, unwanted.holding.doubt_until) == (None, late + IN_DOUBT_FOR)
    assert next_action(unwanted, late) == RevokeAccess()


def test_a_removal_under_way_is_started_again_when_the_target_forgets_it():
    slow = state(leaving(), ours=True, operation=TAKING, operation_at=NOW)
    assert settle(slow, NOW + STUCK_REMOVAL).holding.operation == TAKING
    again = settle(slow, NOW + STUCK_REMOVAL + SECOND)
    assert (again.grants["PA-1"].state, next_action(again, NOW + STUCK_REMOVAL)) == (
        GrantState.REVOKING,
        RevokeAccess(),
    )


def test_settling_twice_changes_nothing_more():
    once = settle(state(leaving("PA-1"), active("PA-2"), ours=True), NOW)
    again = settle(replace(once, notes=()), NOW)
    assert (again.holding, again.grants, again.notes) == (once.holding, once.grants, ())


def test_looks_that_were_owed_are_off_while_somebody_has_access():
    assert settle(state(active(), ours=True, looks=(NOW,)), NOW).holding.looks == ()


def test_the_start_of_an_end_forgets_the_backoff_of_giving():
    ended = start_end(state(grant(), next_try=NOW + HOUR, failures=2), ("PA-1",), End(EndCause.REVOKED, NOW))
    assert (ended.holding.next_try, ended.holding.failures) == (None, 0)


def test_an_end_is_started_once():
    ended = start_end(state(leaving()), ("PA-1",), End(EndCause.REVOKED, NOW + SECOND))
    assert (ended.grants["PA-1"].end.cause, ended.notes) == (EndCause.TIME, ())


# ---------------------------------------------------------------- what a changing call answered


def test_from_the_intent_to_give_on_what_is_there_counts_as_ours():
    intended = with_intent(state(grant(), taken=True), GrantAccess(("PA-1",), NOW + HOUR), 7, NOW)
    assert (intended.holding.ours, intended.holding.taken) == (True, False)
    assert (intended.holding.intent.fence, intended.holding.intent.until) == (7, NOW + IN_DOUBT_FOR)


def test_a_call_that_succeeded_makes_nothing_active():
    given = after_operation(state(grant(), ours=True), GrantAccess(("PA-1",), NOW + HOUR), GIVEN, intent(), NOW)
    assert (given.holding.given, given.grants["PA-1"].state) == (("PA-1",), GrantState.ACTIVATING)
    assert given.notes == ()


def test_a_removal_that_succeeded_ends_nothing():
    taken = after_operation(state(leaving(), ours=True), RevokeAccess(), TAKEN, intent(), NOW)
    assert (taken.holding.taken, taken.grants["PA-1"].state) == (True, GrantState.REVOKING)


def test_a_slow_operation_is_given_to_the_grants_it_was_started_for():
    started = after_operation(state(grant(), ours=True), GrantAccess(("PA-1",), NOW + HOUR), GIVING, intent(), NOW)
    done = after_operation(started, Poll(GIVING), replace(GIVEN, id="op-1"), None, NOW + MINUTE)
    assert (done.holding.given, done.holding.operation, done.holding.operation_for) == (("PA-1",), None, ())


@pytest.mark.parametrize(("since_s", "pause_s"), [(0, 0.5), (8, 2), (600, 5)])
def test_a_slow_operation_is_asked_after_less_and_less_often(since_s, pause_s):
    now = NOW + timedelta(seconds=since_s)
    begun = state(grant(), ours=True, operation=GIVING, operation_at=NOW)
    assert after_operation(begun, Poll(GIVING), GIVING, None, now).holding.next_try == now + timedelta(seconds=pause_s)


def test_a_failed_giving_operation_ends_only_the_grants_it_was_for():
    begun = state(grant("PA-1"), grant("PA-2"), ours=True, operation=GIVING, operation_at=NOW, operation_for=("PA-1",))
    done = after_operation(
        begun, Poll(GIVING), replace(GIVING, state=OperationState.FAILED, error="no role"), None, NOW
    )
    assert [item.state for item in done.grants.values()] == [GrantState.REVOKING, GrantState.ACTIVATING]
    assert done.grants["PA-1"].end.reason == "no role"


def test_a_failed_removal_is_tried_again():
    begun = state(leaving(), ours=True, operation=TAKING, operation_at=NOW)
    done = after_operation(begun, Poll(TAKING), replace(TAKING, state=OperationState.FAILED), None, NOW)
    assert (done.holding.taken, done.holding.next_try) == (False, NOW + SECOND)
    assert next_action(done, NOW + SECOND) == RevokeAccess()


def test_a_call_without_an_answer_is_in_doubt_and_tried_again():
    lost = in_doubt(state(grant(), ours=True, intent=intent()), intent(), "no answer", NOW)
    assert (lost.holding.intent, lost.holding.doubt_until) == (None, NOW + IN_DOUBT_FOR)
    assert lost.grants["PA-1"].state is GrantState.ACTIVATING


def test_the_third_giving_without_an_answer_is_taken_away():
    lost = in_doubt(state(grant(), ours=True, failures=2), intent(), "no answer", NOW)
    assert lost.grants["PA-1"].state is GrantState.REVOKING
    assert next_action(lost, NOW) == RevokeAccess()


def test_a_removal_without_an_answer_is_never_given_up():
    lost = in_doubt(state(leaving(), ours=True, failures=99), intent(OperationKind.REVOKE), "no answer", NOW)
    assert (lost.grants["PA-1"].state, lost.holding.next_try) == (GrantState.REVOKING, NOW + BACKOFF_MAX)


def test_a_refusal_to_give_leaves_active_access_alone():
    no = refused(state(active("PA-1"), grant("PA-2"), ours=True), "not allowed", NOW)
    assert [item.state for item in no.grants.values()] == [GrantState.ACTIVE, GrantState.REVOKING]


def test_being_asked_to_wait_is_no_failure():
    waiting = postponed(state(grant(), ours=True, failures=1, intent=intent()), 3, NOW)
    assert (waiting.holding.failures, waiting.holding.next_try) == (1, NOW + 3 * SECOND)
    assert (waiting.holding.intent, waiting.holding.doubt_until) == (None, None)


def test_a_removal_that_is_only_slow_is_told_once_after_two_minutes():
    late = NOW + LATE_REMOVAL + SECOND
    slow = state(leaving(), ours=True)
    assert events(postponed(slow, 1, NOW + LATE_REMOVAL)) == []
    told = postponed(slow, 1, late)
    assert events(told) == [Event.GRANT_REMOVAL_FAILING]
    assert events(postponed(replace(told, notes=()), 1, late + MINUTE)) == []


def test_failures_wait_longer_each_time_and_thirty_seconds_at_most():
    pauses, tried = [], state(leaving(), ours=True)
    for _ in range(8):
        tried = failed(tried, "no", NOW)
        pauses.append((tried.holding.next_try - NOW).total_seconds())
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_failing_removal_alarms_at_the_third_time_and_a_failing_activation_never():
    taking, giving = state(leaving(), ours=True, failures=2), state(grant(), ours=True, failures=2)
    assert events(failed(taking, "no", NOW)) == [Event.GRANT_REMOVAL_FAILING]
    assert events(failed(giving, "no", NOW)) == []


# ---------------------------------------------------------------- what was seen


@pytest.mark.parametrize("purpose", Purpose)
def test_an_unclear_answer_proves_nothing(purpose):
    before = state(grant("PA-1"), leaving("PA-2"), ours=True, given=("PA-1",), taken=True, baseline=Baseline.UNKNOWN)
    after = after_look(before, purpose, Observation(Presence.UNKNOWN, detail="not allowed to look"), NOW)
    assert [item.state for item in after.grants.values()] == [GrantState.ACTIVATING, GrantState.REVOKING]
    assert (after.holding.baseline, after.holding.next_try) == (Baseline.UNKNOWN, NOW + SECOND)


@pytest.mark.parametrize(
    ("seen", "baseline"),
    [
        (PRESENT, Baseline.STANDING),
        (ABSENT, Baseline.ABSENT),
        (replace(ABSENT, through="group g-1"), Baseline.STANDING),
    ],
)
def test_the_baseline_is_what_stood_there_in_whatever_way(seen, baseline):
    after = after_look(state(grant(), baseline=Baseline.UNKNOWN), Purpose.BASELINE, seen, NOW)
    assert after.holding.baseline is baseline


def test_only_the_grant_whose_own_operation_succeeded_becomes_active():
    both = state(grant("PA-1"), grant("PA-2"), ours=True, given=("PA-1",))
    after = after_look(both, Purpose.PROOF_OF_PRESENCE, PRESENT, NOW)
    assert [item.state for item in after.grants.values()] == [GrantState.ACTIVE, GrantState.ACTIVATING]
    assert [(note.event, note.grant) for note in after.notes] == [(Event.GRANT_ACTIVE, "PA-1")]


def test_a_proof_that_comes_at_the_deadline_activates_nothing():
    after = after_look(state(grant(), ours=True, given=("PA-1",)), Purpose.PROOF_OF_PRESENCE, PRESENT, NOW + HOUR)
    assert (after.grants["PA-1"].state, after.notes) == (GrantState.ACTIVATING, ())


@pytest.mark.parametrize("until", [None, NOW + 2 * HOUR])
def test_where_the_target_shows_its_end_another_end_is_no_proof(until):
    resource = replace(grant().resource, enforces_end=True)
    given = state(grant(), resource=resource, ours=True, given=("PA-1",), enforced_until=NOW + HOUR)
    after = after_look(given, Purpose.PROOF_OF_PRESENCE, replace(PRESENT, until=until), NOW)
    assert after.grants["PA-1"].state is GrantState.ACTIVATING


def test_what_was_given_and_cannot_be_seen_is_given_again_at_the_third_look():
    looked = state(grant(), ours=True, given=("PA-1",))
    for _ in range(2):
        looked = after_look(looked, Purpose.PROOF_OF_PRESENCE, ABSENT, NOW)
        assert looked.holding.given == ("PA-1",)
    assert after_look(looked, Purpose.PROOF_OF_PRESENCE, ABSENT, NOW).holding.given == ()


def test_what_was_taken_and_can_be_seen_is_taken_again_at_the_third_look():
    looked = state(leaving(), ours=True, taken=True)
    for _ in range(2):
        looked = after_look(looked, Purpose.PROOF_OF_ABSENCE, PRESENT, NOW)
        assert (looked.holding.taken, looked.grants["PA-1"].state) == (True, GrantState.REVOKING)
    assert after_look(looked, Purpose.PROOF_OF_ABSENCE, PRESENT, NOW).holding.taken is False


def test_absence_read_back_closes_and_leaves_two_later_looks():
    after = after_look(state(leaving(), ours=True, taken=True), Purpose.PROOF_OF_ABSENCE, ABSENT, NOW)
    assert (after.grants["PA-1"].state, after.holding.ours) == (GrantState.ENDED, False)
    assert after.holding.looks == tuple(NOW + pause for pause in LATER_LOOKS)


def test_an_operation_in_doubt_adds_a_look_at_the_time_when_it_can_no_longer_come():
    doubt = NOW + IN_DOUBT_FOR
    unsure = state(leaving(), ours=True, taken=True, doubt_until=doubt)
    after = after_look(unsure, Purpose.PROOF_OF_ABSENCE, ABSENT, NOW)
    assert after.holding.looks[-1] == doubt


def test_while_an_operation_is_in_doubt_it_is_looked_once_a_minute():
    unsure = state(leaving(), ours=True, taken=True, doubt_until=NOW + IN_DOUBT_FOR)
    after = after_look(unsure, Purpose.PROOF_OF_ABSENCE, ABSENT, NOW)
    owed = [(look - NOW).total_seconds() for look in after.holding.looks]
    assert owed == [15, 60, 120, 180, 240, 300, 330]


def test_the_doubt_is_over_only_after_the_look_that_was_owed_for_it():
    doubt = NOW + IN_DOUBT_FOR
    unsure = state(grant(state=GrantState.ENDED), grants=(), looks=(NOW, doubt), doubt_until=doubt)
    first = after_look(unsure, Purpose.AFTER_THE_END, ABSENT, NOW)
    assert (first.holding.looks, first.holding.doubt_until) == ((doubt,), doubt)
    last = after_look(first, Purpose.AFTER_THE_END, ABSENT, doubt)
    assert (last.holding.looks, last.holding.doubt_until) == ((), None)


def test_access_seen_after_the_end_is_ours_again_and_alarms():
    quiet = state(grant(state=GrantState.ENDED), grants=(), looks=(NOW,), last_grant="PA-1")
    after = after_look(quiet, Purpose.AFTER_THE_END, PRESENT, NOW)
    assert (events(after), next_action(after, NOW)) == ([Event.GRANT_REAPPEARED], RevokeAccess())


def test_a_group_that_gives_the_same_access_does_not_keep_a_grant_from_ending():
    through = replace(ABSENT, through="group g-1")
    after = after_look(state(leaving(), ours=True, taken=True), Purpose.PROOF_OF_ABSENCE, through, NOW)
    assert after.grants["PA-1"].state is GrantState.ENDED


# ---------------------------------------------------------------- under a lease


def asleep_before(world: World, name: str, seconds: float) -> None:
    """The next call of `name` reaches the wire only after the worker has slept."""
    target = world.target()
    call = getattr(target, name)

    def late(*args):
        setattr(target, name, call)
        world.clock.advance(seconds)
        return call(*args)

    setattr(target, name, late)


def sent(world: World) -> list[str]:
    return [call.name for call in world.target().calls if call.name in {"grant", "revoke"}]


def test_a_worker_that_wakes_up_after_its_lease_gives_nothing():
    world = World()
    id_ = world.asked()
    world.approve(id_)
    asleep_before(world, "grant", LEASE_S + 1)
    converge(world.ctx, world.grant(id_).holding)
    assert sent(world) == []


def test_a_worker_that_wakes_up_after_its_lease_takes_nothing():
    world = World()
    id_ = world.active()
    world.end(id_)
    asleep_before(world, "revoke", LEASE_S + 1)
    converge(world.ctx, world.grant(id_).holding)
    assert sent(world) == ["grant"]


def test_a_worker_that_wakes_up_after_the_deadline_gives_nothing_although_it_has_its_lease():
    world = World()
    id_ = world.asked(duration=MINUTE)
    world.approve(id_)
    world.clock.advance(59)
    asleep_before(world, "grant", LEASE_S - 1)
    converge(world.ctx, world.grant(id_).holding)
    assert sent(world) == []


def test_every_write_of_a_worker_proves_its_lease_and_only_an_intent_to_give_asks_for_durability():
    world, changes = World(), []
    id_ = world.asked(duration=MINUTE)
    world.approve(id_)
    commit = world.ledger.commit
    world.ledger.commit = lambda change: changes.append(change) or commit(change)
    world.advance(200)
    ours = [change for change in changes if change.commit_id.startswith("holding:")]
    assert all(change.fence is not None for change in ours)
    intents = [next(iter(change.puts.values())).intent for change in ours if change.gives_access]
    assert [found.kind for found in intents] == [OperationKind.GRANT]


# ---------------------------------------------------------------- what tests/property found


def test_two_workers_that_resolve_one_request_at_once_resolve_it_once():
    world = World()
    id_ = world.ask().id
    world.ledger.before_commit = lambda _: advance_request(world.ctx, id_)
    advance_request(world.ctx, id_)
    assert world.events(id_) == ["request.made", "request.resolved"]


def test_a_request_that_one_worker_has_resolved_is_not_denied_by_another():
    world = World()
    id_ = world.ask().id
    target = world.target()
    resolve = target.resolve

    def first_says_no(*args):
        target.resolve = resolve
        target.people.pop(DANA)
        answer = resolve(*args)
        target.add_again()
        advance_request(world.ctx, id_)
        return answer

    target.add_again = lambda: target.people.update({DANA: "u-dana"})
    target.resolve = first_says_no
    advance_request(world.ctx, id_)
    assert world.events(id_) == ["request.made", "request.resolved"]


def test_a_late_removal_of_an_earlier_grant_does_not_leave_a_later_one_active_without_access():
    world = World(policy(environment(entitlement("one"), entitlement("two"))))
    world.active(role="one", duration=MINUTE)
    world.target().next("revoke", Lose(applied=True, late_s=40))
    world.advance(63)
    later = world.active(role="two")
    world.advance(600, step_s=10)
    assert world.grant(later).state is GrantState.ACTIVE
    assert world.has_access(later)


def test_a_giving_operation_that_settles_long_after_it_was_given_up_leaves_no_access():
    world = World()
    id_ = world.asked(duration=MINUTE)
    world.target().next("grant", Settle(after_s=900))
    world.approve(id_)
    world.advance(2000, step_s=10)
    assert not world.has_access(id_)
