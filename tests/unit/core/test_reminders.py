"""Nobody waits: reminders, the next group, and what an escalation allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NOW, OLU, PAT, SUE, entitlement, environment, facts, groups, policy
from tests.support.world import World
from workflows.core import keys
from workflows.core.policy import Escalation, Group, Policy
from workflows.core.records.grant import GrantState
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import MayDecide, may_decide
from workflows.core.rules.reminders import next_chase, reminder_due
from workflows.usecases.oversight.reminders import chase
from workflows.usecases.shared.context import Outcome


def calling(after: timedelta = 10 * MINUTE, *, may_approve: bool = False, **changes: object) -> Policy:
    escalate = Escalation(after, ("security",), may_approve=may_approve)
    return policy(environment(escalate=escalate, **changes))


def chased(world: World, id_: str) -> list[int]:
    request = world.request(id_)
    return [round((at - request.created_at).total_seconds() / 60) for at in request.chased_at]


def refused(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


# ---------------------------------------------------------------- reminders


def test_owners_are_reminded_ever_more_seldom_and_each_time_once():
    world = World()
    id_ = world.asked()
    world.advance(3500, step_s=10)
    assert chased(world, id_) == [8, 15, 30]
    assert world.events(id_).count("request.reminded") == 3


def test_what_is_decided_is_not_chased():
    world = World()
    id_ = world.asked()
    assert keys.chase_due(id_) in world.ledger.due
    world.approve(id_)
    assert keys.chase_due(id_) not in world.ledger.due
    world.advance(1200, step_s=10)
    assert world.request(id_).chased_at == ()


def test_what_is_denied_withdrawn_or_expired_is_not_chased():
    world = World()
    for over in (
        lambda id_: world.deny(id_),
        lambda id_: world.withdraw(id_),
        lambda _: world.advance(3700, step_s=60),
    ):
        id_ = world.asked()
        over(id_)
        assert keys.chase_due(id_) not in world.ledger.due


def test_short_requests_are_not_chased_into_noise():
    world = World(policy(environment(entitlement(expires_after=5 * MINUTE))))
    id_ = world.asked()
    world.advance(290, step_s=5)
    assert world.request(id_).chased_at == ()


def test_reminders_that_were_missed_are_one():
    world = World()
    id_ = world.asked()
    world.clock.advance(40 * 60)
    world.work()
    assert len(world.request(id_).chased_at) == 1
    world.advance(300, step_s=10)
    assert len(world.request(id_).chased_at) == 1


def test_a_job_that_runs_again_reminds_nobody_again():
    world = World()
    id_ = world.asked()
    world.clock.advance(8 * 60)
    for _ in range(3):
        chase(world.ctx, id_)
    assert world.events(id_).count("request.reminded") == 1


def test_two_calls_are_a_minute_apart():
    asked = build.request(escalated_at=NOW + 7 * MINUTE, expires_at=NOW + HOUR)
    assert not reminder_due(asked, NOW + timedelta(minutes=7, seconds=30))
    assert next_chase(asked, None) == NOW + 8 * MINUTE


# ---------------------------------------------------------------- the next group


def test_the_next_group_is_called_once_after_its_time():
    world = World(calling())
    id_ = world.asked()
    world.advance(9 * 60, step_s=10)
    assert world.request(id_).escalated_at is None
    world.advance(180, step_s=10)
    assert world.request(id_).escalated_at == NOW + 10 * MINUTE
    assert world.events(id_).count("request.escalated") == 1


def test_an_escalation_only_calls_unless_the_policy_says_more():
    world = World(calling())
    id_ = world.asked()
    world.advance(11 * 60, step_s=10)
    assert refused(world.approve(id_, SUE)) is Code.NOT_AN_APPROVER


def test_an_escalation_that_may_approve_stands_in_for_missing_owners_from_then_on():
    world = World(calling(may_approve=True))
    id_ = world.asked()
    assert refused(world.approve(id_, SUE)) is Code.NOT_AN_APPROVER
    world.advance(11 * 60, step_s=10)
    assert isinstance(world.approve(id_, SUE), Outcome)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_whoever_asked_is_not_let_in_by_an_escalation_to_themselves():
    groups_ = {**policy().groups, "security": Group("security", members=frozenset({SUE, DANA}))}
    world = World(replace(calling(may_approve=True), groups=groups_))
    id_ = world.asked()
    world.advance(11 * 60, step_s=10)
    assert refused(world.approve(id_, DANA)) is Code.OWN_REQUEST


def test_an_escalation_fills_no_place_of_another_group():
    role = entitlement(approve={"owners": 1, "security": 1})
    called = policy(environment(role, escalate=Escalation(10 * MINUTE, ("oncall",), may_approve=True)))
    asked = replace(build.request(role=role), escalated_at=NOW)
    known = replace(groups(), at=NOW + MINUTE)
    assert may_decide(called, asked, facts(build.NIA), known) == MayDecide(("owners",))


def test_in_production_a_slack_group_that_is_not_trusted_is_called_and_approves_nothing():
    untrusted = {**policy().groups, "security": Group("security", slack_usergroup="S0SEC")}
    asked = replace(build.request(), escalated_at=NOW)
    answer = may_decide(replace(calling(may_approve=True), groups=untrusted), asked, facts(SUE), groups())
    assert refused(answer) is Code.NOT_AN_APPROVER


def test_what_was_decided_after_an_escalation_is_derived_again_before_anything_is_given():
    world = World(calling(may_approve=True))
    id_ = world.asked()
    world.advance(11 * 60, step_s=10)
    assert isinstance(world.approve(id_, SUE), Outcome)
    # Before a worker gets to it, the policy does not let them approve any more.
    world.policy.policy = calling()
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED


def test_an_escalation_beside_an_approval_is_harmless_whoever_is_first():
    for approval_first in (True, False):
        world = World(calling())
        id_ = world.asked()
        world.clock.advance(10 * 60)
        commit = world.ledger.commit

        def interrupted(change, world=world, id_=id_, commit=commit, first=approval_first):
            mine = change.commit_id.startswith("chase:") is first
            if mine and change.commit_id.startswith(("chase:", "race")):
                world.ledger.commit = commit
                world.approve(id_, OLU, press="race") if first else chase(world.ctx, id_)
            return commit(change)

        world.ledger.commit = interrupted
        if approval_first:
            chase(world.ctx, id_)
        else:
            assert isinstance(world.approve(id_, OLU, press="race"), Outcome)
        assert world.request(id_).state is RequestState.APPROVED
        assert world.events(id_).count("request.approved") == 1
        assert world.events(id_).count("request.escalated") == (0 if approval_first else 1)
        assert keys.chase_due(id_) not in world.ledger.due


def test_a_process_with_another_policy_chases_nobody():
    world = World(calling())
    id_ = world.asked()
    world.clock.advance(11 * 60)
    world.policy.policy = replace(calling(), hash="0" * 64)
    chase(world.ctx, id_)
    assert world.request(id_).escalated_at is None
    assert keys.chase_due(id_) in world.ledger.due


def test_an_escalation_to_people_who_own_it_anyway_counts_them_once():
    role = entitlement(approve={"owners": 2})
    world = World(policy(environment(role, escalate=Escalation(10 * MINUTE, ("security",), may_approve=True))))
    id_ = world.asked()
    world.advance(11 * 60, step_s=10)
    assert world.approve(id_, PAT).outcome == "agreed"
    assert refused(world.approve(id_, PAT)) is Code.ALREADY_VOTED
    assert world.approve(id_, SUE).outcome == "approved"


def test_nobody_is_reminded_of_what_cannot_be_decided_yet():
    """The role was changed, and its names are being looked up again."""
    world = World()
    id_ = world.asked()
    changed = policy(environment(entitlement(allows="Something else")))
    world.policy.policy = replace(changed, hash="e" * 64)
    world.activate()
    world.approve(id_)
    assert world.request(id_).resource is None
    world.clock.advance(8 * 60)
    chase(world.ctx, id_)
    assert world.request(id_).chased_at == ()
    world.advance(60)
    assert len(world.request(id_).chased_at) == 1
