"""The spine, in memory: ask, resolve, approve, give, prove, end, prove again; with its refusals and its bad days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.build import (
    DANA,
    GUS,
    HOUR,
    MINUTE,
    NIA,
    NOW,
    OLU,
    PAT,
    SUE,
    auto,
    entitlement,
    environment,
    policy,
)
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.policy import Risk
from workflows.core.records.grant import CLOSED, EndCause, GrantState
from workflows.core.records.request import DecisionKind, Origin, RequestState
from workflows.core.records.target import Presence
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ports import Change, Committed, Durability
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Refuse, Settle, Throttle
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.decisions.approve import approve
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.fulfilment.converge import GIVE_WAY_S, converge
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome


@pytest.fixture
def world() -> World:
    return World()


def code(answer) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


# ---------------------------------------------------------------- the good day


def test_asked_approved_given_and_ended_by_time(world):
    id_ = world.asked()
    assert world.request(id_).resource is not None
    assert world.approve(id_).outcome == "approved"
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ACTIVE, True)
    world.advance(3600, step_s=60)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)
    assert world.events(id_) == [
        "request.made",
        "request.resolved",
        "request.approved",
        "grant.active",
        "grant.end_started",
        "grant.ended",
    ]


def test_one_life_takes_few_calls_and_leaves_nothing_behind(world):
    id_ = world.active()
    world.advance(3600, step_s=60)
    world.advance(90)
    names = [call.name for call in world.target().calls]
    # resolve, is it standing, baseline, give, proof; take, proof; two later looks.
    assert names == ["resolve", "observe", "observe", "grant", "observe", "revoke", "observe", "observe", "observe"]
    assert world.holding(id_) is None
    assert [item for item in world.ledger.due if not item.startswith("chat:")] == []


def test_the_deadline_counts_from_the_decision_not_from_the_activation(world):
    id_ = world.asked()
    world.target().next("grant", Settle(after_s=600))
    decided = world.clock.now()
    world.approve(id_)
    world.advance(605, step_s=5)
    assert world.grant(id_).state is GrantState.ACTIVE
    assert world.grant(id_).deadline == decided + HOUR


def test_the_deadline_is_on_the_clock_in_the_deciding_commit(world):
    id_ = world.asked()
    world.approve(id_)
    assert world.ledger.due[f"end:{id_}"] == (world.clock.now() + HOUR).timestamp()


def test_the_holder_gives_it_back_early(world):
    id_ = world.active()
    assert world.end(id_).outcome == "returned"
    world.work()
    grant = world.grant(id_)
    assert (grant.state, grant.end.cause, world.has_access(id_)) == (GrantState.ENDED, EndCause.RETURNED, False)


def test_an_owner_takes_it_back(world):
    id_ = world.active()
    assert world.end(id_, OLU, "wrong environment").outcome == "revoked"
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.REVOKED, False)


def test_a_rule_approves_and_the_record_names_it():
    role = entitlement(auto_approve=(auto("developers read"),))
    world = World(policy(environment(role)))
    id_ = world.active()
    assert world.grant(id_).decision.rule == "developers read"
    assert "request.auto_approved" in world.events(id_)


# ---------------------------------------------------------------- refusals


def test_nobody_approves_their_own_request(world):
    id_ = world.asked(OLU)
    assert code(world.approve(id_, OLU)) is Code.OWN_REQUEST
    assert world.request(id_).state is RequestState.PENDING


@pytest.mark.parametrize("who", [GUS, NIA])
def test_a_stranger_approves_nothing(world, who):
    id_ = world.asked()
    assert code(world.approve(id_, who)) is Code.NOT_AN_APPROVER


def test_a_deactivated_owner_approves_nothing(world):
    id_ = world.asked()
    world.chat.people[account(OLU)] = replace(world.chat.people[account(OLU)], standing_problem="person_deactivated")
    assert code(world.approve(id_)) is Code.PERSON_DEACTIVATED


def test_an_owner_deactivated_between_press_and_call_gives_nothing(world):
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    world.chat.people[account(OLU)] = replace(world.chat.people[account(OLU)], standing_problem="person_deactivated")
    world.clock.advance(61)
    world.work()
    assert (world.grant(id_).state, world.target().changes()) == (GrantState.ACTIVATION_FAILED, 0)


def test_an_unreachable_chat_gives_nothing_and_is_asked_again(world):
    id_ = world.asked()
    world.approve(id_)
    world.chat.unreachable = True
    world.clock.advance(61)
    world.advance(5)
    assert (world.grant(id_).state, world.target().changes()) == (GrantState.ACTIVATING, 0)
    world.chat.unreachable = False
    world.advance(5)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_a_second_approval_changes_nothing(world):
    id_ = world.active()
    before = world.grant(id_)
    answer = world.approve(id_, PAT)
    assert (code(answer), answer.params["by"]) == (Code.DECIDED, "Olu")
    assert world.grant(id_) == before


def test_an_approval_after_a_denial_changes_nothing(world):
    id_ = world.asked()
    assert world.deny(id_).outcome == "denied"
    assert code(world.approve(id_, PAT)) is Code.DECIDED
    assert world.target().changes() == 0


def test_the_same_press_twice_is_answered_twice_and_done_once(world):
    id_ = world.asked()
    world.knows(OLU)
    first = approve(world.ctx, id_, account(OLU), "one-press")
    again = approve(world.ctx, id_, account(OLU), "one-press")
    assert (first.outcome, again.outcome) == ("approved", "approved")
    assert world.events(id_).count("request.approved") == 1


def test_an_unanswered_request_expires_and_can_not_be_approved(world):
    id_ = world.asked()
    world.advance(3600, step_s=300)
    assert world.request(id_).state is RequestState.EXPIRED
    assert code(world.approve(id_)) is Code.DECIDED


def test_a_press_in_the_moment_after_the_expiry_is_too_late(world):
    id_ = world.asked()
    world.clock.advance(3600)
    assert code(world.approve(id_)) is Code.DECIDED


def test_the_requester_takes_back_the_ask_and_nobody_else_does(world):
    id_ = world.asked()
    assert code(world.withdraw(id_, OLU)) is Code.NOT_YOURS
    assert world.withdraw(id_).outcome == "withdrawn"
    assert code(world.approve(id_)) is Code.DECIDED


def test_asking_twice_answers_with_the_one_that_is_there(world):
    id_ = world.asked()
    assert world.ask() == Outcome(id_, "have_it")
    world.approve(id_)
    world.work()
    assert world.ask() == Outcome(id_, "have_it")
    world.end(id_)
    world.work()
    assert world.ask().outcome == "asked"


def test_ten_asks_at_most_wait_for_one_person():
    roles = [entitlement(f"role-{number}") for number in range(11)]
    world = World(policy(environment(*roles)))
    for number in range(10):
        world.asked(role=f"role-{number}")
    assert code(world.ask(role="role-10")) is Code.TOO_MANY_PENDING
    world.withdraw(world.ledger.members("pending")[0])
    assert isinstance(world.ask(role="role-10"), Outcome)


def test_stale_facts_decide_nothing(world):
    id_ = world.asked()
    world.knows(OLU)
    world.clock.advance(61)
    assert code(approve(world.ctx, id_, account(OLU), "late")) is Code.FACTS_STALE


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (Ask("payments-prod", "read-onyl", None, "INC-1"), Code.ROLE_UNKNOWN),
        (Ask("payments-prod", "read-only", None, " "), Code.REASON_MISSING),
        (Ask("payments-prod", "read-only", timedelta(days=9), "INC-1"), Code.DURATION_TOO_LONG),
        (Ask("payments-prod", "read-only", None, "INC-1"), Code.FACTS_STALE),
    ],
)
def test_a_slip_is_told_even_while_nobody_knows_freshly_who_asks(world, ask, why):
    world.knows(DANA)
    world.clock.advance(61)
    assert code(ask_for_access(world.ctx, ask, account(DANA), Origin(), "late")) is why


def test_nobody_is_given_what_they_may_not_ask_for_any_more(world):
    id_ = world.asked()
    place = world.policy.policy.environments["payments-prod"]
    role = replace(place.roles["read-only"], requesters=("security",))
    world.policy.policy = policy(replace(place, roles={"read-only": role}), hash="1" * 64)
    world.activate()
    assert code(world.approve(id_)) is Code.NO_LONGER_A_REQUESTER
    assert world.request(id_).state is RequestState.PENDING


def test_nobody_is_given_more_time_than_the_policy_of_the_decision_gives(world):
    id_ = world.asked()
    place = world.policy.policy.environments["payments-prod"]
    role = replace(place.roles["read-only"], max_duration=30 * MINUTE)
    world.policy.policy = policy(replace(place, roles={"read-only": role}), hash="1" * 64)
    world.activate()
    assert code(world.approve(id_)) is Code.LONGER_THAN_ALLOWED
    world.knows(OLU)
    less = approve_reduced(world.ctx, id_, account(OLU), None, 20 * MINUTE, "less")
    assert isinstance(less, Outcome)
    assert world.grant(id_).terms.duration == 20 * MINUTE


def test_another_policy_than_the_active_one_decides_nothing(world):
    id_ = world.asked()
    world.policy.policy = replace(world.policy.policy, hash="0" * 64)
    assert code(world.approve(id_)) is Code.POLICY_NOT_IN_FORCE
    assert code(world.ask(NIA)) is Code.POLICY_NOT_IN_FORCE


def test_other_terms_at_the_press_void_the_votes():
    role = entitlement(approve={"owners": 2})
    world = World(policy(environment(role)))
    id_ = world.asked()
    assert world.approve(id_).outcome == "agreed"
    wider = replace(role, target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="AdministratorAccess"))
    world.policy.policy = replace(policy(environment(wider)), hash="e" * 64)
    world.activate()
    assert world.approve(id_, PAT).outcome == "terms_changed"
    world.work()
    assert (world.request(id_).votes, world.request(id_).state) == ((), RequestState.PENDING)
    assert world.request(id_).terms.target.permission_set == "AdministratorAccess"


def test_a_button_for_other_terms_agrees_to_nothing(world):
    id_ = world.asked()
    assert code(world.approve(id_, terms="0123456789abcdef")) is Code.TERMS_CHANGED
    assert isinstance(world.approve(id_, terms=world.request(id_).terms.hash), Outcome)


def test_two_groups_want_two_people_and_one_counts_once():
    role = entitlement("admin", risk=Risk.ADMIN, approve={"owners": 1, "security": 1})
    world = World(policy(environment(role)))
    id_ = world.asked(role="admin")
    assert world.approve(id_, PAT).outcome == "agreed"
    assert code(world.approve(id_, PAT)) is Code.ALREADY_VOTED
    assert world.approve(id_, SUE).outcome == "approved"


def test_refusals_leave_one_entry_and_then_a_count(world):
    for number in range(5):
        record_refusal(world.ctx, GUS, "PA-1", Refused(Code.NOT_AN_APPROVER), f"r{number}")
    assert [entry.event.value for entry in world.all_entries()] == ["request.refused"]
    world.advance(61)
    assert [entry.event.value for entry in world.all_entries()] == ["request.refused", "refusals.counted"]
    assert world.all_entries()[1].facts["more"] == "4"


def test_slips_of_the_keyboard_are_no_entries(world):
    record_refusal(world.ctx, GUS, "PA-1", Refused(Code.ID_UNKNOWN, audited=False), "r")
    assert world.all_entries() == []


# ---------------------------------------------------------------- standing access, overlaps


def test_access_that_stood_before_is_told_and_stays(world):
    probe = world.asked()
    resource = world.request(probe).resource
    world.withdraw(probe)
    world.target().put(resource)
    id_ = world.asked()
    assert world.request(id_).closing.code == Code.STANDING_ACCESS
    assert (world.target().changes(), world.target().has(resource)) == (0, True)


def test_access_that_somebody_gave_while_the_ask_was_pending_stays(world):
    id_ = world.asked()
    world.target().put(world.request(id_).resource)
    world.approve(id_)
    world.work()
    assert (world.grant(id_).state, world.grant(id_).end.cause) == (GrantState.ACTIVATION_FAILED, EndCause.STANDING)
    assert (world.target().changes(), world.has_access(id_)) == (0, True)


def test_the_same_access_through_a_group_counts_as_standing(world):
    id_ = world.asked()
    world.target().through_group[world.request(id_).resource.holding] = "g-1"
    world.approve(id_)
    world.work()
    assert (world.grant(id_).end.cause, world.target().changes()) == (EndCause.STANDING, 0)


def overlapping() -> tuple[World, str, str]:
    """Two roles that mean the same permission set: two grants on one holding, ten minutes apart."""
    world = World(policy(environment(entitlement("one"), entitlement("two"))))
    first = world.active(role="one")
    world.advance(600, step_s=60)
    return world, first, world.active(role="two")


def test_the_end_of_the_first_of_two_grants_leaves_the_second():
    world, first, second = overlapping()
    world.advance(3000, step_s=60)
    assert (world.grant(first).state, world.grant(first).covered_by) == (GrantState.ENDED, second)
    assert (world.grant(second).state, world.has_access(second)) == (GrantState.ACTIVE, True)
    world.advance(700, step_s=60)
    assert (world.grant(second).state, world.has_access(second)) == (GrantState.ENDED, False)


def test_the_second_of_two_grants_becomes_active_by_its_own_operation():
    world, _, second = overlapping()
    assert world.grant(second).state is GrantState.ACTIVE
    assert [call.name for call in world.target().calls].count("grant") == 2


def test_our_own_half_done_grant_is_not_taken_for_standing_access(world):
    id_ = world.asked()
    world.target().next("grant", Lose(applied=True), Lose(applied=True), Lose(applied=True))
    world.approve(id_)
    world.advance(30)
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert not world.has_access(id_)


# ---------------------------------------------------------------- bad days at the target


def test_an_asynchronous_grant_is_active_only_when_it_has_settled(world):
    id_ = world.asked()
    world.target().next("grant", Settle(after_s=10))
    world.approve(id_)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATING
    world.advance(15)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_what_a_settled_removal_has_done_and_its_proof_are_one_commit(world, monkeypatch):
    id_ = world.active()
    world.target().next("revoke", Settle(after_s=1))
    world.end(id_)
    world.work()
    written, really = [], world.ledger.commit
    monkeypatch.setattr(world.ledger, "commit", lambda change: written.append(change) or really(change))
    world.clock.advance(1)
    converge(world.ctx, world.grant(id_).holding)
    assert world.grant(id_).state in CLOSED
    assert [call.name for call in world.target().calls][-3:] == ["revoke", "poll", "observe"]
    assert len(written) == 1


def test_a_proof_that_would_come_after_a_slow_look_is_a_step_of_its_own(world, monkeypatch):
    id_ = world.active()
    world.target().next("revoke", Settle(after_s=1))
    world.end(id_)
    world.work()
    target, really = world.target(), world.target().poll
    monkeypatch.setattr(
        target, "poll", lambda *args: (world.lease_renewer.pass_time(int(GIVE_WAY_S)), really(*args))[1]
    )
    world.clock.advance(1)
    converge(world.ctx, world.grant(id_).holding)
    assert [call.name for call in target.calls][-2:] == ["revoke", "poll"]
    world.advance(3)
    assert world.grant(id_).state in CLOSED


def test_a_proof_of_what_is_to_be_taken_away_by_then_counts_for_nothing(world, monkeypatch):
    id_ = world.asked()
    world.target().next("grant", Settle(after_s=1))
    world.approve(id_)
    world.work()
    target, really = world.target(), world.target().observe

    def meanwhile(resource):
        world.end(id_)
        monkeypatch.setattr(target, "observe", really)
        return replace(really(resource), presence=Presence.ABSENT)

    monkeypatch.setattr(target, "observe", meanwhile)
    world.clock.advance(1)
    converge(world.ctx, world.grant(id_).holding)
    # That it was not seen is no failure of the removal, which goes on at once.
    assert world.grant(id_).state in CLOSED
    assert [call.name for call in target.calls][-3:] == ["observe", "revoke", "observe"]


def test_an_end_that_takes_more_time_with_it_is_told_at_once(world):
    id_ = world.active()
    granted = world.grant(id_)
    rewrite(world, replace(granted, extension="PA-99", extended_to=granted.deadline + HOUR))
    world.target().next("revoke", Settle(after_s=1))
    world.clock.advance((granted.deadline - world.clock.now()).total_seconds())
    converge(world.ctx, granted.holding)
    assert world.grant(id_).state is GrantState.REVOKING
    assert world.ledger.due[keys.chat(id_)] == world.clock.now().timestamp()


@pytest.mark.parametrize("kind", DecisionKind)
def test_an_end_that_begins_by_itself_is_told_when_it_lasts_and_one_of_a_break_glass_at_once(world, kind):
    id_ = world.active()
    granted = world.grant(id_)
    rewrite(world, replace(granted, decision=replace(granted.decision, kind=kind)))
    world.target().next("revoke", Settle(after_s=1))
    world.clock.advance((granted.deadline - world.clock.now()).total_seconds())
    woken, told = [], keys.chat(id_)
    ctx = replace(world.ctx, wake=lambda *items: woken.extend(items))
    begun = world.clock.now()
    converge(ctx, granted.holding)
    assert world.grant(id_).state is GrantState.REVOKING
    at_once = kind is DecisionKind.BREAK_GLASS
    assert world.ledger.due[told] == (begun if at_once else begun + timedelta(seconds=2)).timestamp()
    assert (told in woken) is at_once
    woken.clear()
    world.clock.advance(1)
    converge(ctx, granted.holding)
    assert world.grant(id_).state is GrantState.ENDED
    assert world.ledger.due[told] == world.clock.now().timestamp()
    assert told in woken


def rewrite(world, grant):
    snapshot = world.ledger.read(keys.grant(grant.id))
    change = Change(world.press_id(), snapshot.now, snapshot.versions(), puts={keys.grant(grant.id): grant})
    assert isinstance(world.ledger.commit(change), Committed)


def test_an_asynchronous_grant_that_fails_is_not_given_and_says_why(world):
    id_ = world.asked()
    world.target().next("grant", Settle(after_s=5, error="The role is not there"))
    world.approve(id_)
    world.advance(12)
    grant = world.grant(id_)
    assert (grant.state, grant.end.reason) == (GrantState.ACTIVATION_FAILED, "The role is not there")
    assert not world.has_access(id_)


def test_a_refusal_of_the_target_is_said_and_nothing_is_open(world):
    id_ = world.asked()
    world.target().next("grant", Refuse("AWS does not let the worker do this."))
    world.approve(id_)
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ACTIVATION_FAILED, False)


def test_throttling_postpones_and_does_not_count_as_a_failure(world):
    id_ = world.asked()
    world.target().next("grant", Throttle(3), Throttle(3))
    world.approve(id_)
    world.advance(10)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_nothing_is_given_at_or_after_the_deadline(world):
    id_ = world.asked(duration=MINUTE)
    world.target().next("grant", *[Throttle(20)] * 10)
    world.approve(id_)
    world.advance(120)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ACTIVATION_FAILED, False)


def test_a_removal_is_tried_for_ever_and_alarms_from_the_third_failure(world):
    id_ = world.active(duration=MINUTE)
    world.target().next("revoke", *[Refuse("no")] * 12)
    world.advance(60)
    assert (world.grant(id_).state, world.grant(id_).error) == (GrantState.REVOKING, "no")
    assert "grant.removal_failing" not in world.events(id_)
    world.advance(200)
    assert world.grant(id_).state is GrantState.REVOKING
    assert "grant.removal_failing" in world.events(id_)
    world.advance(400)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


def test_an_end_that_was_not_seen_is_not_announced(world):
    id_ = world.active(duration=MINUTE)
    world.target().stale_s = 20
    world.advance(75)
    assert world.grant(id_).state is GrantState.REVOKING
    world.advance(60)
    assert world.grant(id_).state is GrantState.ENDED


def test_a_late_call_that_brings_access_back_after_the_end_is_undone(world):
    id_ = world.asked(duration=MINUTE)
    world.target().next("grant", Lose(applied=True, late_s=100))
    world.approve(id_)
    world.advance(100)
    assert world.grant(id_).state in (GrantState.ENDED, GrantState.ACTIVATION_FAILED)
    world.advance(400)
    assert not world.has_access(id_)
    assert "grant.reappeared" in world.events(id_)


def test_access_found_after_the_end_is_taken_away_again_and_alarms(world):
    id_ = world.active(duration=MINUTE)
    world.advance(70)
    world.target().put(world.grant(id_).resource)
    world.advance(70)
    assert not world.has_access(id_)
    assert "grant.reappeared" in world.events(id_)


def test_a_stuck_giving_operation_does_not_keep_the_removal_waiting(world):
    id_ = world.asked(duration=MINUTE)
    world.target().next("grant", Settle(after_s=10_000))
    world.approve(id_)
    world.advance(180)
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED


def test_a_press_of_end_while_it_is_being_set_up_ends_it(world):
    id_ = world.asked()
    world.target().next("grant", Settle(after_s=10))
    world.approve(id_)
    world.work()
    world.end(id_, OLU, "mistake")
    world.advance(30)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.REVOKED, False)


@pytest.mark.parametrize("seconds", [4, 7])
def test_a_target_that_answers_slowly_is_believed_all_the_same(world, seconds):
    id_ = world.asked()
    target = world.target()
    look = target.observe

    def slowly(resource):
        world.lease_renewer.pass_time(seconds)
        return look(resource)

    target.observe = slowly
    world.approve(id_)
    world.knows(DANA, OLU)
    converge(world.ctx, world.grant(id_).holding)
    assert world.grant(id_).state is GrantState.ACTIVE
    assert [call.name for call in target.calls if call.name != "resolve"][1:] == ["observe", "grant", "observe"]


# ---------------------------------------------------------------- bad days of our own


def test_a_ledger_that_is_not_durable_gives_nothing_and_still_takes_away(world):
    id_ = world.active(duration=MINUTE)
    world.ledger.is_durable = Durability(False, "verify", "appendonly is off")
    other = world.asked(NIA)
    assert code(world.approve(other)) is Code.LEDGER_NOT_DURABLE
    world.advance(65)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


class Killed(BaseException):
    """The worker died here."""


def test_a_worker_killed_between_the_call_and_its_record_is_made_good(world):
    id_ = world.asked()
    world.approve(id_)
    kill_after(world, "grant")
    with pytest.raises(Killed):
        converge(world.ctx, world.grant(id_).holding)
    assert world.has_access(id_)
    assert world.grant(id_).state is GrantState.ACTIVATING
    world.advance(5)
    assert world.grant(id_).state is GrantState.ACTIVE
    world.advance(3700, step_s=60)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


def test_a_worker_killed_after_taking_away_is_made_good(world):
    id_ = world.active(duration=MINUTE)
    world.clock.advance(60)
    kill_after(world, "revoke")
    with pytest.raises(Killed):
        converge(world.ctx, world.grant(id_).holding)
    assert world.grant(id_).state is GrantState.REVOKING
    world.advance(6)
    assert world.grant(id_).state is GrantState.ENDED


def test_a_worker_that_sleeps_before_its_call_and_wakes_after_the_end_gives_nothing(world):
    id_ = world.asked(duration=MINUTE)
    world.approve(id_)
    target = world.target()
    send = target.grant

    def asleep(resource, until, before_send):
        target.grant = send
        world.clock.advance(30)
        world.end(id_, OLU, "not needed")
        world.advance(10)
        assert world.grant(id_).state is GrantState.REVOKED
        return send(resource, until, before_send)

    target.grant = asleep
    converge(world.ctx, world.grant(id_).holding)
    world.advance(400)
    assert (world.has_access(id_), world.grant(id_).state) == (False, GrantState.REVOKED)


def test_everything_down_past_the_deadline_ends_it_at_once_when_back(world):
    id_ = world.active()
    world.clock.advance(2 * 3600)
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


def test_a_role_deleted_from_the_policy_can_still_be_taken_away(world):
    id_ = world.active()
    world.policy.policy = replace(policy(environment(entitlement("other"))), hash="d" * 64)
    world.activate()
    world.advance(3600, step_s=60)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


def test_the_holder_is_warned_once_before_the_end(world):
    id_ = world.active()
    world.advance(3300, step_s=60)
    assert world.grant(id_).warned
    assert world.grant(id_).deadline - world.clock.now() == timedelta(minutes=5)


def test_another_account_under_the_same_address_is_suspended_not_believed(world):
    world.withdraw(world.asked())
    other = replace(world.chat.people[account(DANA)], slack=replace(account(DANA), user="UOTHER"))
    world.chat.people[other.slack] = other
    world.chat.refresh_person(other.slack, world.policy.policy)
    ask = Ask("payments-prod", "read-only", None, "why")
    assert code(ask_for_access(world.ctx, ask, other.slack, Origin(), "other")) is Code.PERSON_SUSPENDED
    assert isinstance(world.ask(), Outcome), "nobody is disabled by an account that takes their address"
    assert "person.binding_changed" in [entry.event.value for entry in world.all_entries()]


def kill_after(world: World, name: str) -> None:
    """The next call of `name` takes effect, and then the worker dies."""
    target = world.target()
    call = getattr(target, name)

    def once(*args):
        setattr(target, name, call)
        call(*args)
        raise Killed

    setattr(target, name, once)


def test_times_are_the_ledgers(world):
    assert world.request(world.asked()).created_at == NOW
