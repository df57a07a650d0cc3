"""What is not known is neither yes nor no: whoever asks is told so, nothing is put on record, and the answer comes later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import FactsStale
from bot.chat.interaction import COMMAND, Interaction
from tests.support import build
from tests.support.build import (
    DANA,
    GUS,
    NIA,
    NOW,
    OLU,
    PAT,
    SUE,
    auto,
    entitlement,
    environment,
    facts,
    groups,
    policy,
)
from tests.support.world import World, account
from workflows.core.identity import Address
from workflows.core.people import Account, GroupFacts, Member, Membership, PersonId, is_fresh
from workflows.core.policy import BreakGlass, Group, Risk
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Decision, DecisionKind, Origin, Vote
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import may_decide, may_end, recount, still_decided
from workflows.core.rules.break_glass import History, may_break, may_review, review_owed
from workflows.core.rules.eligibility import Ask, MayAsk, may_ask, no_longer
from workflows.core.rules.reduced_approval import may_reduce
from workflows.ports import DirectoryUnreachable
from workflows.usecases.oversight.unblock import may_unblock
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.revocation.revoke_all import RevocationScope, may_revoke_all
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import Outcome

IN_VAIN = Membership(frozenset({OLU}), NOW, "Slack asked to be left alone", failed_at=NOW)
UNKNOWN = {name: IN_VAIN for name in build.GROUPS}
GLASS = BreakGlass(who=("oncall",), roles=("read-only",), max_duration=build.HOUR)
READ = entitlement(approve={"owners": 1})
ADMIN = entitlement("admin", risk=Risk.ADMIN, approve={"owners": 1, "security": 1})
POLICY = policy(environment(READ, ADMIN, break_glass=GLASS))


def voted(*votes: tuple[PersonId, str], role=ADMIN):
    asked = build.request(role=role)
    return replace(asked, votes=tuple(Vote(who, who, NOW, (group,), asked.terms.hash) for who, group in votes))


def answers(known: GroupFacts):
    """What every door says to somebody who is in no group that is known."""
    ask = Ask("payments-prod", "read-only", None, "INC-42 checkout errors")
    who, place = facts(GUS), POLICY.environments["payments-prod"]
    review = review_owed("PA-1", place.name, place.break_glass, DANA, NOW)
    actor = Actor(POLICY, who, known)
    lesser = replace(POLICY.environments["payments-prod"].roles["admin"], requesters=("developers",))
    return {
        "ask": may_ask(POLICY, ask, who, GUS, known, NOW),
        "for somebody": may_ask(POLICY, ask, facts(DANA), GUS, known, NOW),
        "approve": may_decide(POLICY, build.request(), who, known),
        "less": may_reduce(POLICY, build.request(role=lesser), "read-only", None, who, known, NOW),
        "end": may_end(POLICY, "payments-prod", DANA, who, known),
        "break glass": may_break(POLICY, ask, who, known, History(None, None), NOW),
        "review": may_review(POLICY, review, who, known),
        "lift": may_unblock(actor, DANA),
        "revoke all": may_revoke_all(actor, RevocationScope(environment="payments-prod")),
        "no longer": no_longer(POLICY, build.request(who=GUS), known),
    }


def test_no_door_refuses_anybody_while_nobody_knows_who_is_in_its_groups():
    for door, answer in answers(groups(**UNKNOWN)).items():
        assert isinstance(answer, Refused), door
        assert (answer.code, answer.audited) == (Code.NOT_KNOWN_YET, False), door


def test_every_door_refuses_outsiders_once_it_is_known():
    refused = {door: answer.code for door, answer in answers(groups()).items() if isinstance(answer, Refused)}
    assert Code.NOT_KNOWN_YET not in refused.values()
    assert len(refused) == len(answers(groups()))


def test_a_group_that_was_never_looked_up_is_not_known_either():
    assert all(
        isinstance(answer, Refused) and answer.code is Code.NOT_KNOWN_YET for answer in answers(GroupFacts()).values()
    )


def test_who_is_in_a_group_that_is_known_needs_no_other():
    partly = groups(security=IN_VAIN)
    assert not isinstance(may_decide(policy(), build.request(), facts(OLU), partly), Refused)
    assert partly.member(OLU, ("security", "platform")) is Member.YES
    assert partly.member(GUS, ("security", "platform")) is Member.UNKNOWN
    assert groups().member(GUS, ("security", "platform")) is Member.NO


def test_membership_has_no_truth_value():
    with pytest.raises(TypeError, match="unknown"):
        bool(groups().member(OLU, ("platform",)))


def test_old_members_of_a_group_that_does_not_answer_decide_nothing_and_are_still_called():
    known = groups(platform=IN_VAIN)
    assert known.members(("platform",)) == frozenset()
    assert known.last_known().members(("platform",)) == {OLU}


def test_an_agreement_is_not_lost_because_its_group_does_not_answer():
    asked = voted((SUE, "security"))
    assert recount(POLICY, asked, groups()) == asked.votes
    unknown = recount(POLICY, asked, groups(security=IN_VAIN))
    assert isinstance(unknown, Refused)
    assert unknown.code is Code.NOT_KNOWN_YET
    # Who has left for certain speaks no more.
    assert recount(POLICY, asked, groups(security=frozenset())) == ()


@pytest.mark.parametrize("silent", ["platform", "security", "developers"])
def test_a_decision_that_cannot_be_derived_again_is_not_refused(silent):
    asked = voted((OLU, "owners"), (SUE, "security"))
    decided = replace(asked, decision=Decision(DecisionKind.APPROVAL, NOW, POLICY.hash, by=(OLU, SUE)))
    people = {who: facts(who) for who in (DANA, OLU, SUE)}
    assert still_decided(POLICY, decided, groups(), people) is None
    answer = still_decided(POLICY, decided, groups(**{silent: replace(IN_VAIN, members=frozenset())}), people)
    assert answer is not None
    assert answer.code is Code.NOT_KNOWN_YET


class TestMembersOfWhomNobodyKnowsWhoTheyAre:
    def test_an_ask_is_taken_where_they_may_be_able_to_approve(self):
        nobody_yet = Membership(as_of=NOW, unresolved=frozenset({Account("slack", "T1", "U7")}))
        ask = Ask("payments-prod", "read-only", None, "INC-42 checkout errors")
        assert isinstance(may_ask(POLICY, ask, facts(DANA), DANA, groups(platform=nobody_yet), NOW), MayAsk)
        empty = groups(platform=Membership(as_of=NOW))
        answer = may_ask(POLICY, ask, facts(DANA), DANA, empty, NOW)
        assert isinstance(answer, Refused)
        assert answer.code is Code.NOBODY_CAN_APPROVE

    def test_they_make_nobody_else_unknown(self):
        known = groups(platform=Membership(frozenset({OLU}), NOW, unresolved=frozenset({Account("slack", "T1", "U7")})))
        assert known.member(OLU, ("platform",)) is Member.YES
        assert known.member(NIA, ("platform",)) is Member.NO
        assert not known.whole(("platform",))

    def test_who_cannot_act_approves_nothing_and_is_counted_nowhere(self):
        left = groups(platform=Membership(frozenset({OLU, PAT}), NOW, unusable=frozenset({PAT})))
        assert left.members(("platform",)) == {OLU}


class TestFreshness:
    def test_facts_from_the_future_are_stale(self):
        assert is_fresh(NOW, NOW)
        assert is_fresh(NOW - timedelta(seconds=60), NOW)
        assert not is_fresh(NOW - timedelta(seconds=61), NOW)
        assert not is_fresh(NOW + timedelta(minutes=5), NOW)

    def test_a_group_learnt_in_the_future_is_stale(self):
        later = groups(platform=Membership(frozenset({OLU}), NOW + timedelta(hours=1)))
        assert later.stale(("platform",), NOW) == ("platform",)

    def test_a_look_in_vain_counts_as_a_look_for_a_press_and_as_none_for_a_worker(self):
        known = groups(platform=replace(IN_VAIN, as_of=NOW - timedelta(hours=1)))
        assert known.stale(("platform",), NOW) == ()
        assert known.to_look_up(("platform", "security"), NOW) == ("platform",)


# ---------------------------------------------------------------- lives, in memory

CREW = "slack:S0CREW"


def world_of_crew(group: str, **role) -> World:
    """One group's members are listed elsewhere, by address as from PagerDuty: a look at them can be in vain."""
    listed = Group(group, slack_usergroup="S0CREW", trusted=True)
    own = policy(environment(entitlement(**role)))
    world = World(replace(own, groups={**own.groups, group: listed}))
    learn(world, group)
    return world


def learn(world: World, group: str) -> None:
    members = frozenset(map(Address, build.GROUPS[group]))
    world.directory.put_members(CREW, Membership(as_of=world.clock.now(), addresses=members))


def look_in_vain(world: World) -> None:
    known = world.directory.members(CREW) or Membership()
    world.directory.put_members(CREW, known.failed("Slack asked to be left alone", world.clock.now()))


def test_what_was_approved_waits_while_nobody_can_say_whether_its_approver_still_may():
    world = world_of_crew("platform")
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    look_in_vain(world)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATING
    assert not world.has_access(id_)
    learn(world, "platform")
    world.advance(5)
    assert world.has_access(id_)


def test_a_rule_is_waited_for_while_nobody_can_say_whether_it_is_for_this_person():
    world = world_of_crew("oncall", auto_approve=(auto(who=("oncall",)),))
    answer = world.ask(NIA)
    assert isinstance(answer, Outcome)
    look_in_vain(world)
    world.work()
    assert world.request(answer.id).resource is None
    learn(world, "oncall")
    world.advance(5)
    decision = world.request(answer.id).decision
    assert decision is not None
    assert decision.rule == "rule"


def test_people_are_asked_where_that_lasts():
    world = world_of_crew("oncall", auto_approve=(auto(who=("oncall",)),))
    answer = world.ask(NIA)
    assert isinstance(answer, Outcome)
    for _ in range(10):
        look_in_vain(world)
        world.advance(5)
    request = world.request(answer.id)
    assert (request.decision, request.resource is not None) == (None, True)


def test_what_an_incidents_channel_is_is_waited_for_and_an_emergency_does_not_wait():
    silent = True

    def prove(_policy, origin):
        if silent:
            raise DirectoryUnreachable("Slack did not say what channel that is")
        return replace(origin, incident=True)

    world = World(policy(environment(entitlement(), break_glass=GLASS)))
    world.ctx = replace(world.ctx, prove_origin=prove)
    answer = world.ask()
    assert isinstance(answer, Outcome)
    world.work()
    assert world.request(answer.id).resource is None
    world.knows(NIA)
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    glass = break_glass(world.ctx, ask, account(NIA), Origin(), "glass")
    assert isinstance(glass, Outcome)
    world.work()
    assert world.has_access(glass.id)
    silent = False
    world.advance(5)
    assert world.request(answer.id).origin.incident


def test_whom_a_worker_may_find_is_not_unknown_before_one_has_looked():
    world = World()
    world.knows(OLU)
    desk = Dispatcher(world.ctx, "/prodaccess")
    typed = Interaction("command:1", COMMAND, Account("slack", "T1", "UOLU"), text="history newt@example.com")
    with pytest.raises(FactsStale):
        desk.carry_out(typed)
    answer = desk.carry_out(replace(typed, looked=True))
    assert answer.refused is not None
    assert answer.refused.code is Code.PERSON_UNKNOWN
