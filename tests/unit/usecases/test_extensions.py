"""More time on a live grant: the old deadline moves, the target's own end first, and never a gap."""

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
    OLU,
    PAT,
    auto,
    entitlement,
    environment,
    policy,
)
from tests.support.world import World
from workflows.core import keys
from workflows.core.policy import BreakGlass, Freeze, Policy
from workflows.core.records.grant import GrantState
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.ports import IN_LINE
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Refuse
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.shared.context import Outcome

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
SPECS = {
    AwsKind.IDENTITY_CENTER: AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
    AwsKind.IDENTITY_CENTER_GROUP: AwsSpec(AwsKind.IDENTITY_CENTER_GROUP, group="readers"),
    AwsKind.IAM_POLICY: AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=DOCUMENT),
    AwsKind.IAM_GROUP: AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="readers"),
}


def ruled(kind: AwsKind = AwsKind.IDENTITY_CENTER, **changes: object) -> Policy:
    return policy(environment(entitlement(target=SPECS[kind], **changes)))


def enforcing(**changes: object) -> World:
    return World(ruled(AwsKind.IAM_POLICY, **changes))


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


@pytest.fixture
def world() -> World:
    return World(ruled())


# ---------------------------------------------------------------- the good day


@pytest.mark.parametrize("kind", list(SPECS))
def test_access_goes_on_without_a_gap_and_ends_at_the_new_end(kind):
    world = World(ruled(kind))
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    assert world.approve(more).outcome == "extended"
    world.work()
    grant = world.grant(id_)
    assert (grant.deadline, grant.extensions, grant.extension) == (old + HOUR, (more,), None)
    assert (grant.extended_to, grant.extended_by) == (None, ("Olu",))
    for _ in range(118):
        world.advance(60, step_s=60)
        assert world.has_access(id_), world.clock.now()
    world.advance(180, step_s=30)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)
    assert world.target(kind).changes() == (3 if kind is AwsKind.IAM_POLICY else 2)
    assert world.events(id_).count("grant.extended") == 1
    assert world.events(more) == ["request.made", "request.resolved", "request.approved"]
    assert [item for item in world.ledger.due if not item.startswith(("chat:", "holding:"))] == []


def test_where_the_target_enforces_an_end_it_moves_before_the_deadline():
    world = enforcing()
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    world.approve(more)
    decided = world.grant(id_)
    assert (decided.deadline, decided.extended_to) == (old, old + HOUR)
    assert world.ledger.due[f"end:{id_}"] == old.timestamp()
    assert "grant.extended" not in world.events(id_)
    world.target(AwsKind.IAM_POLICY).next("grant", Lose(applied=False))
    world.work()
    assert world.grant(id_).deadline == old, "nobody has seen the later end"
    world.advance(3)
    assert world.grant(id_).deadline == old + HOUR
    assert world.ledger.due[f"end:{id_}"] == (old + HOUR).timestamp()
    assert world.target(AwsKind.IAM_POLICY).calls[-1].name == "observe"
    entry = next(entry for entry in world.all_entries() if entry.event == "grant.extended")
    assert (entry.facts["proof"], entry.facts["extension"]) == ("later_end_read_back", more)


def test_what_puts_a_later_end_in_place_stands_in_no_line(monkeypatch):
    world = enforcing()
    id_ = world.active()
    asked, target = [], world.target(AwsKind.IAM_POLICY)
    for name in ("grant", "observe"):
        really = getattr(target, name)
        monkeypatch.setattr(
            target, name, lambda *given, name=name, really=really: asked.append((name, IN_LINE.get())) or really(*given)
        )
    world.approve(world.more_asked(id_))
    world.work()
    assert set(asked) == {("grant", False), ("observe", False)}


@pytest.mark.parametrize("kind", list(SPECS))
def test_the_end_of_a_live_grant_is_always_on_the_clock(kind):
    world = World(ruled(kind))
    id_ = world.active()
    seen = []
    commit = world.ledger.commit

    def watched(change):
        result = commit(change)
        grant = world.grant(id_)
        if grant.state is GrantState.ACTIVE:
            end = grant.deadline.timestamp()
            listed = [id_ in world.ledger.members(keys.LIVE, high=end - less) for less in (0, 1)]
            seen.append(world.ledger.due[f"end:{id_}"] == end and listed == [True, False])
        return result

    world.ledger.commit = watched
    more = world.more_asked(id_)
    world.approve(more)
    world.work()
    assert seen
    assert all(seen)


def test_the_holder_is_warned_again_before_the_new_end(world):
    id_ = world.active()
    world.advance(56 * 60, step_s=60)
    assert world.grant(id_).warned
    more = world.more_asked(id_)
    world.approve(more)
    world.work()
    assert not world.grant(id_).warned
    world.advance(54 * 60, step_s=60)
    assert not world.grant(id_).warned
    world.advance(6 * 60, step_s=60)
    assert world.grant(id_).warned


def test_extensions_follow_each_other(world):
    id_ = world.active()
    old = world.grant(id_).deadline
    first = world.more_asked(id_, duration=30 * MINUTE)
    world.approve(first)
    world.work()
    second = world.more_asked(id_, duration=30 * MINUTE)
    world.approve(second, PAT)
    world.work()
    assert world.grant(id_).extensions == (first, second)
    assert world.grant(id_).deadline == old + HOUR


# ---------------------------------------------------------------- who, and under which rules


def test_nobody_approves_the_extension_of_their_own_access(world):
    id_ = world.asked(OLU)
    world.approve(id_, PAT)
    world.work()
    more = world.more_asked(id_, who=OLU)
    assert code(world.approve(more, OLU)) is Code.OWN_REQUEST
    assert world.approve(more, PAT).outcome == "extended"


@pytest.mark.parametrize("who", [NIA, GUS, OLU])
def test_only_the_holder_asks_for_more(world, who):
    id_ = world.active()
    assert code(world.extend(id_, who)) is Code.NOT_YOURS


def test_a_second_ask_answers_with_the_one_that_waits(world):
    id_ = world.active()
    more = world.more_asked(id_)
    assert world.extend(id_) == Outcome(more, "have_it")
    assert world.ask().outcome == "have_it", "the grant's own place is taken by the grant"


def test_an_extension_may_be_denied_or_withdrawn_and_asked_again(world):
    id_ = world.active()
    old = world.grant(id_).deadline
    world.deny(world.more_asked(id_))
    assert world.grant(id_).extension is None
    world.withdraw(world.more_asked(id_))
    more = world.more_asked(id_)
    assert world.grant(id_).extension == more
    assert world.grant(id_).deadline == old


def test_two_must_agree_to_more_where_two_must_agree_to_the_role():
    world = World(ruled(approve={"owners": 1, "security": 1}))
    id_ = world.asked()
    world.approve(id_, OLU)
    world.approve(id_, PAT)
    world.work()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    assert world.approve(more, OLU).outcome == "agreed"
    assert world.grant(id_).deadline == old
    assert world.approve(more, PAT).outcome == "extended"
    world.work()
    assert world.grant(id_).deadline == old + HOUR


def test_a_rules_limit_counts_all_of_the_time():
    world = World(ruled(auto_approve=(auto(max_duration=2 * HOUR),)))
    id_ = world.active()
    first = world.more_asked(id_)
    assert world.request(first).decision.rule == "rule"
    assert world.grant(id_).extensions == (first,)
    second = world.more_asked(id_, duration=MINUTE)
    assert world.request(second).state is RequestState.PENDING


def test_an_extension_by_a_rule_stands_at_the_recheck():
    world = enforcing(auto_approve=(auto(max_duration=2 * HOUR),))
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    world.work()
    assert (world.grant(id_).extensions, world.grant(id_).deadline) == ((more,), old + HOUR)


def test_the_total_has_a_limit():
    world = World(ruled(max_total=90 * MINUTE))
    id_ = world.active()
    answer = world.extend(id_)
    assert code(answer) is Code.TOTAL_TOO_LONG
    assert answer.params["left_s"] == str(30 * 60)
    assert isinstance(world.extend(id_, duration=30 * MINUTE), Outcome)


def test_what_was_taken_by_break_glass_is_prolonged_by_people_alone_and_within_its_own_limit():
    break_glass = BreakGlass(("developers",), ("read-only",), HOUR, max_total=90 * MINUTE)
    role = entitlement(auto_approve=(auto(),))
    world = World(policy(environment(role, break_glass=break_glass)))
    id_ = world.active()
    _by_break_glass(world, id_)
    assert code(world.extend(id_)) is Code.TOTAL_TOO_LONG
    more = world.more_asked(id_, duration=20 * MINUTE)
    assert world.request(more).state is RequestState.PENDING, "the rule does not speak for it"
    assert world.approve(more).outcome == "extended"


def _by_break_glass(world: World, id_: str) -> None:
    from workflows.core.records.request import DecisionKind
    from workflows.ports import Change

    snapshot = world.ledger.read(keys.grant(id_))
    grant = world.grant(id_)
    put = replace(grant, decision=replace(grant.decision, kind=DecisionKind.BREAK_GLASS, rule=None))
    world.ledger.commit(Change("glass", snapshot.now, snapshot.versions(), puts={keys.grant(id_): put}))


def test_a_freeze_keeps_extensions_from_being_asked_for_and_approved(world):
    id_ = world.active()
    more = world.more_asked(id_)
    place = world.policy.policy.environments["payments-prod"]
    now = world.clock.now()
    frozen = replace(place, freezes=(Freeze(now - MINUTE, now + 9 * HOUR, "Year end"),))
    world.policy.policy = replace(world.policy.policy, environments={place.name: frozen})
    assert code(world.approve(more)) is Code.FREEZE
    world.withdraw(more)
    assert code(world.extend(id_)) is Code.FREEZE


def test_a_role_that_gives_something_else_by_now_is_not_prolonged(world):
    id_ = world.active()
    other = AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="Other")
    more = world.more_asked(id_)
    world.policy.policy = policy(environment(entitlement(target=other)))
    assert world.approve(more).outcome == "terms_changed"
    world.work()
    assert world.request(more).closing.code == Code.ROLE_CHANGED
    assert world.grant(id_).extension is None
    assert code(world.extend(id_)) is Code.ROLE_CHANGED


# ---------------------------------------------------------------- too late


@pytest.mark.parametrize("kind", list(SPECS))
def test_approved_after_the_end_it_changes_nothing_and_closes(kind):
    world = World(ruled(kind))
    id_ = world.active()
    more = world.more_asked(id_)
    world.clock.advance(3601)
    assert code(world.approve(more)) is Code.GRANT_OVER
    world.advance(60)
    assert world.grant(id_).state is GrantState.ENDED
    assert world.request(more).closing.code == Code.GRANT_OVER
    assert world.grant(id_).extension is None
    assert code(world.extend(id_)) is Code.GRANT_OVER


def test_when_a_grant_is_ended_the_ask_for_more_closes_as_well(world):
    id_ = world.active()
    more = world.more_asked(id_)
    world.end(id_, OLU, "enough")
    assert code(world.approve(more)) is Code.GRANT_OVER
    world.work()
    assert world.request(more).state is RequestState.DENIED
    assert more not in world.ledger.members(keys.PENDING)
    assert f"request:{more}" not in world.ledger.due


def test_a_target_that_cannot_be_reached_ends_it_at_the_old_end_and_says_so():
    world = enforcing()
    id_ = world.active()
    world.advance(59 * 60, step_s=60)
    more = world.more_asked(id_)
    world.target(AwsKind.IAM_POLICY).next("grant", *[Lose(applied=False)] * 50)
    world.approve(more)
    world.advance(90)
    grant = world.grant(id_)
    assert (grant.state, world.has_access(id_), grant.extensions) == (GrantState.ENDED, False, ())
    failed = next(entry for entry in world.all_entries() if entry.event == "grant.extension_failed")
    assert (failed.facts["extension"], failed.private["reason"]) == (more, "grant: no answer")


def test_an_extension_that_the_target_refuses_leaves_the_old_end():
    world = enforcing()
    id_ = world.active()
    old = world.grant(id_).deadline
    world.target(AwsKind.IAM_POLICY).next("grant", Refuse("the user has gone"))
    more = world.more_asked(id_)
    world.approve(more)
    world.work()
    grant = world.grant(id_)
    assert (grant.state, grant.deadline, grant.extension, grant.extended_to) == (GrantState.ACTIVE, old, None, None)
    assert grant.extended_by == ()
    world.advance(3660, step_s=30)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)
    assert world.target(AwsKind.IAM_POLICY).changes() < 5


def test_an_approval_that_no_longer_stands_does_not_move_the_targets_end():
    world = enforcing()
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    world.approve(more)
    gone = build_facts(OLU)
    world.chat.people[gone.slack] = gone
    world.directory.put_person(gone)
    before = world.target(AwsKind.IAM_POLICY).changes()
    world.work()
    assert world.grant(id_).deadline == old
    assert world.target(AwsKind.IAM_POLICY).changes() == before
    assert "grant.extension_failed" in world.events(id_)


def build_facts(who):
    from tests.support.build import facts

    return facts(who, standing_problem="person_deactivated")


def test_ended_while_the_later_end_is_put_in_place(world):
    world = enforcing()
    id_ = world.active()
    world.target(AwsKind.IAM_POLICY).next("grant", *[Lose(applied=True)] * 5)
    more = world.more_asked(id_)
    world.approve(more)
    world.work()
    world.end(id_, OLU, "enough")
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.REVOKED, False)


def test_of_many_approvals_at_once_one_extends(world):
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    commit, raced = world.ledger.commit, []

    def slower(change):
        if not raced:
            raced.append(True)
            assert world.approve(more, PAT).outcome == "extended"
        return commit(change)

    world.knows(OLU)
    world.ledger.commit = slower
    assert code(world.approve(more, OLU)) is Code.DECIDED
    world.work()
    assert world.grant(id_).deadline == old + HOUR
    assert world.events(id_).count("grant.extended") == 1


def test_a_press_that_comes_twice_extends_once(world):
    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    answers = [world.approve(more, press="same").outcome for _ in range(2)]
    assert answers == ["extended", "extended"]
    world.work()
    assert world.grant(id_).deadline == old + HOUR


def test_an_approver_gives_less_of_the_time_that_was_asked(world):
    from tests.support.world import account
    from workflows.usecases.decisions.approve_reduced import approve_reduced

    id_ = world.active()
    old = world.grant(id_).deadline
    more = world.more_asked(id_)
    world.knows(OLU)
    answer = approve_reduced(world.ctx, more, account(OLU), None, timedelta(minutes=10), "less-press")
    assert answer.outcome == "extended"
    world.work()
    assert world.grant(id_).deadline == old + 10 * MINUTE
    assert world.grant(id_).holder == DANA


def test_what_is_too_long_by_now_is_not_approved(world):
    id_ = world.active()
    more = world.more_asked(id_)
    world.policy.policy = ruled(max_total=90 * MINUTE)
    assert code(world.approve(more)) is Code.TOTAL_TOO_LONG
    assert world.request(more).state is RequestState.PENDING
