"""May this person approve, and is it enough? The promises of `workflows.core.rules.approval`."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from tests.support.build import (
    DANA,
    GUS,
    HOUR,
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
    request,
)
from workflows.core.people import Membership
from workflows.core.policy import Freeze, Group, Hours, Tier
from workflows.core.records.request import Decision, DecisionKind, Origin, Vote
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import (
    MayDecide,
    auto_approval,
    decision_by_votes,
    may_decide,
    may_end,
    missing,
    still_decided,
)


def code(answer) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def vote(who, *names: str, terms: str = "t") -> Vote:
    return Vote(who, str(who), NOW, names, terms)


def test_an_owner_may_decide():
    assert may_decide(policy(), request(), facts(OLU), groups()) == MayDecide(("owners",))


def test_nobody_decides_their_own_request_even_as_owner():
    assert code(may_decide(policy(), request(who=OLU), facts(OLU), groups())) is Code.OWN_REQUEST


def test_nobody_decides_what_is_asked_for_them_by_somebody_else():
    asked = replace(request(who=DANA), holder=OLU)
    assert code(may_decide(policy(), asked, facts(OLU), groups())) is Code.OWN_REQUEST


def test_a_second_account_of_the_same_person_is_the_same_person():
    other_account = facts(OLU)
    assert (
        code(may_decide(policy(), request(who=OLU), replace(other_account, name="Somebody Else"), groups()))
        is Code.OWN_REQUEST
    )


@pytest.mark.parametrize("who", [GUS, DANA, NIA])
def test_who_is_not_an_owner_may_not_decide(who):
    asked = request(who=OLU)
    assert code(may_decide(policy(), asked, facts(who), groups())) is Code.NOT_AN_APPROVER


@pytest.mark.parametrize("problem", ["person_deactivated", "person_guest", "person_bot", "person_foreign"])
def test_an_owner_who_is_no_member_any_more_may_not_decide(problem):
    assert code(may_decide(policy(), request(), facts(OLU, standing_problem=problem), groups())) is Code(problem)


def test_an_untrusted_slack_group_approves_nothing_in_production():
    slack_group = Group("platform", slack_usergroup="S1")
    trusted = replace(slack_group, trusted=True)
    base = policy()
    untrusted = replace(base, groups={**base.groups, "platform": slack_group})
    assert code(may_decide(untrusted, request(), facts(OLU), groups())) is Code.NOT_AN_APPROVER
    assert may_decide(
        replace(base, groups={**base.groups, "platform": trusted}), request(), facts(OLU), groups()
    ) == MayDecide(("owners",))
    staging = environment(entitlement(tier=Tier.STAGING), tier=Tier.STAGING)
    elsewhere = replace(policy(staging), groups={**base.groups, "platform": slack_group})
    assert isinstance(may_decide(elsewhere, request(), facts(OLU), groups()), MayDecide)


def test_an_unreachable_group_decides_nothing_refuses_nobody_and_the_answer_says_why():
    unknown = groups(platform=Membership(as_of=NOW, problem="Slack did not say who is in it"))
    answer = may_decide(policy(), request(), facts(OLU), unknown)
    assert code(answer) is Code.NOT_KNOWN_YET
    assert isinstance(answer, Refused)
    assert "Slack" in answer.params["why"]
    assert not answer.audited


def test_a_role_that_is_gone_can_not_be_approved():
    assert (
        code(may_decide(policy(environment(entitlement("other"))), request(), facts(OLU), groups()))
        is Code.ROLE_UNKNOWN
    )


def test_two_groups_want_two_people():
    role = entitlement(approve={"owners": 1, "security": 1})
    assert missing(role, ()) == {"owners": 1, "security": 1}
    assert missing(role, (vote(PAT, "owners", "security"),)) == {"security": 1}
    assert missing(role, (vote(PAT, "owners", "security"), vote(OLU, "owners"))) == {}
    assert missing(role, (vote(OLU, "owners"), vote(SUE, "security"))) == {}


def test_two_of_one_group_want_two_people():
    role = entitlement(approve={"owners": 2})
    assert missing(role, (vote(OLU, "owners"),)) == {"owners": 1}
    assert missing(role, (vote(OLU, "owners"), vote(PAT, "owners"))) == {}


def test_votes_without_any_rule_decide_nothing():
    assert decision_by_votes(entitlement(approve={}), (vote(OLU, "owners"),), "p", NOW) is None


def test_a_decision_names_who_made_it_and_under_which_policy():
    made = decision_by_votes(entitlement(), (vote(OLU, "owners"),), "p", NOW)
    assert made == Decision(DecisionKind.APPROVAL, NOW, "p", by=(OLU,), by_names=(str(OLU),))


class TestAutoApproval:
    def rule(self, *rules, duration=HOUR, origin=None, who=DANA, known=None):
        role = entitlement(auto_approve=rules)
        known = known or groups()
        return auto_approval(policy(environment(role)), role, who, duration, origin or Origin(), known, NOW).rule

    def test_the_first_rule_whose_conditions_all_hold_is_named(self):
        first, second = auto("too short", max_duration=HOUR / 2), auto("fits")
        assert self.rule(first, second) == second

    def test_it_is_for_its_people_only(self):
        assert self.rule(auto(who=("oncall",))) is None
        assert self.rule(auto(who=("oncall",)), who=NIA) is not None

    def test_an_incident_must_be_proved(self):
        rule = auto(in_incident_channel=True)
        assert self.rule(rule, origin=Origin(channel_name="inc-42")) is None
        assert self.rule(rule, origin=Origin(channel_name="inc-42", incident=True)) == rule

    def test_hours_count(self):
        assert self.rule(auto(hours=Hours(frozenset({5}), time(4), time(5)))) is not None
        assert self.rule(auto(hours=Hours(frozenset({6}), time(4), time(5)))) is None

    def test_an_unreachable_group_lets_nobody_in(self):
        assert self.rule(auto(), known=groups(developers=Membership(as_of=NOW, problem="down"))) is None

    @pytest.mark.parametrize(("hours_ago", "use"), [((), 1), ((23,), 2), ((25, 23), 2), ((30, 25), 1)])
    def test_uses_of_the_last_day_count(self, hours_ago, use):
        found = self.by_rule(auto(max_uses_per_day=2), [NOW - hours * HOUR for hours in hours_ago])
        assert (found.rule is not None, found.use, found.used_up) == (True, use, ())

    def test_a_rule_that_is_used_up_approves_nothing_and_is_named(self):
        found = self.by_rule(auto(max_uses_per_day=2), [NOW - HOUR, NOW])
        assert (found.rule, found.used_up) == (None, (("rule", 2),))

    def test_where_one_rule_is_used_up_the_next_may_approve(self):
        role = entitlement(auto_approve=(auto(max_uses_per_day=1), auto("other")))
        found = auto_approval(
            policy(environment(role)), role, DANA, HOUR, Origin(), groups(), NOW, uses={"rule": [NOW]}
        )
        assert found.rule is not None
        assert found.rule.name == "other"

    def by_rule(self, rule, times):
        role = entitlement(auto_approve=(rule,))
        known = {rule.name: times}
        return auto_approval(policy(environment(role)), role, DANA, HOUR, Origin(), groups(), NOW, uses=known)


class TestStillDecided:
    def approved(self):
        decision = Decision(DecisionKind.APPROVAL, NOW, "p", by=(OLU,), by_names=("Olu",))
        asked = request()
        return replace(asked, votes=(vote(OLU, "owners", terms=asked.terms.hash),), decision=decision)

    def test_it_stands_while_everybody_is_there(self):
        people = {DANA: facts(DANA), OLU: facts(OLU)}
        assert still_decided(policy(), self.approved(), groups(), people) is None

    def test_an_approver_who_has_left_the_owners_no_longer_counts(self):
        people = {DANA: facts(DANA), OLU: facts(OLU)}
        assert (
            code(still_decided(policy(), self.approved(), groups(platform=frozenset({PAT})), people))
            is Code.NOT_AN_APPROVER
        )

    def test_an_approver_who_was_deactivated_no_longer_counts(self):
        people = {DANA: facts(DANA), OLU: facts(OLU, standing_problem="person_deactivated")}
        assert code(still_decided(policy(), self.approved(), groups(), people)) is Code.PERSON_DEACTIVATED

    def test_a_holder_nobody_knows_gets_nothing(self):
        assert (
            code(still_decided(policy(), self.approved(), groups(), {DANA: None, OLU: facts(OLU)}))
            is Code.PERSON_UNKNOWN
        )

    def test_without_a_decision_nothing_is_given(self):
        assert still_decided(policy(), request(), groups(), {}) is not None

    def test_votes_for_other_terms_do_not_count(self):
        other = replace(self.approved(), votes=(vote(OLU, "owners", terms="other"),))
        people = {DANA: facts(DANA), OLU: facts(OLU)}
        assert code(still_decided(policy(), other, groups(), people)) is Code.TERMS_CHANGED

    def test_a_decision_without_enough_votes_gives_nothing(self):
        nobody = replace(self.approved(), votes=())
        people = {DANA: facts(DANA), OLU: facts(OLU)}
        assert code(still_decided(policy(), nobody, groups(), people)) is Code.NOT_AN_APPROVER

    def test_an_automatic_approval_stands_while_its_rule_does(self):
        by_rule = replace(request(), decision=Decision(DecisionKind.AUTO, NOW, "p", rule="rule"))
        with_rule = policy(environment(entitlement(auto_approve=(auto(),))))
        assert still_decided(with_rule, by_rule, groups(), {DANA: facts(DANA)}) is None
        assert still_decided(policy(), by_rule, groups(), {DANA: facts(DANA)}) is not None
        assert still_decided(with_rule, by_rule, groups(developers=frozenset()), {DANA: facts(DANA)}) is not None

    def test_the_recheck_does_not_count_the_use_again(self):
        by_rule = replace(request(), decision=Decision(DecisionKind.AUTO, NOW, "p", rule="rule"))
        once = policy(environment(entitlement(auto_approve=(auto(max_uses_per_day=1),))))
        assert still_decided(once, by_rule, groups(), {DANA: facts(DANA)}) is None

    def test_a_freeze_that_began_after_the_decision_changes_nothing(self):
        freeze = Freeze(NOW + HOUR / 60, NOW + 9 * HOUR, "Year-end freeze")
        frozen = policy(environment(freezes=(freeze,)))
        people = {DANA: facts(DANA), OLU: facts(OLU)}
        assert still_decided(frozen, self.approved(), groups(), people) is None

    def test_a_forged_vote_by_the_holder_does_not_count(self):
        forged = Decision(DecisionKind.APPROVAL, NOW, "p", by=(DANA,), by_names=("Dana",))
        asked = replace(request(), votes=(vote(DANA, "owners"),), decision=forged)
        everybody = groups(platform=frozenset({DANA, OLU}))
        assert code(still_decided(policy(), asked, everybody, {DANA: facts(DANA)})) is Code.OWN_REQUEST


def test_the_holder_returns_an_owner_revokes_others_do_neither():
    assert may_end(policy(), "payments-prod", DANA, facts(DANA), groups()) == "returned"
    assert may_end(policy(), "payments-prod", DANA, facts(OLU), groups()) == "revoked"
    assert may_end(policy(), "payments-prod", DANA, facts(SUE), groups()) == "revoked"
    assert code(may_end(policy(), "payments-prod", DANA, facts(NIA), groups())) is Code.NOT_YOURS
    assert (
        code(may_end(policy(), "payments-prod", DANA, facts(OLU, standing_problem="person_guest"), groups()))
        is Code.PERSON_GUEST
    )
