"""May this person ask? The promises of `workflows.core.rules.eligibility`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.build import (
    DANA,
    GUS,
    HOUR,
    MINUTE,
    NOW,
    OLU,
    auto,
    entitlement,
    environment,
    facts,
    groups,
    policy,
)
from workflows.core.people import GroupFacts, Membership
from workflows.core.policy import Freeze, Hours, Ticket
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, MayAsk, clean, find_ticket, may_ask


def ask(environment_name: str = "payments-prod", role: str = "read-only", **changes: object) -> Ask:
    values = {"duration": HOUR, "reason": "INC-42 checkout errors", **changes}
    return Ask(environment_name, role, **values)  # type: ignore[arg-type]


def answer(asked: Ask, who=DANA, pol=None, known=None, now=NOW, **person_changes):
    return may_ask(pol or policy(), asked, facts(who, **person_changes), who, known or groups(), now)


def refusal(*args, **kwargs) -> Refused:
    found = answer(*args, **kwargs)
    assert isinstance(found, Refused), found
    return found


def test_a_requester_may_ask_and_the_answer_carries_what_it_means():
    found = answer(ask())
    assert isinstance(found, MayAsk)
    assert (found.entitlement.role, found.duration, found.reason) == ("read-only", HOUR, "INC-42 checkout errors")


def test_no_duration_means_the_roles_default():
    found = answer(ask(duration=None))
    assert isinstance(found, MayAsk)
    assert found.duration == 30 * MINUTE


def test_names_are_found_whatever_their_case():
    assert isinstance(answer(ask("Payments-PROD", "Read-Only")), MayAsk)


def test_an_unknown_environment_offers_the_nearest_names():
    found = refusal(ask("paymets-prod"))
    assert (found.code, found.params["near"]) == (Code.ENVIRONMENT_UNKNOWN, "payments-prod")


def test_an_unknown_role_offers_the_nearest_names():
    found = refusal(ask(role="readonly"))
    assert (found.code, found.params["near"]) == (Code.ROLE_UNKNOWN, "read-only")


def test_who_is_in_no_requesting_group_is_refused():
    assert refusal(ask(), who=GUS).code is Code.NOT_A_REQUESTER


def test_an_unreachable_group_makes_nobody_an_outsider_and_the_answer_says_why():
    unknown = Membership(as_of=NOW, problem="Slack did not say who is in it")
    found = refusal(ask(), known=groups(developers=unknown, platform=unknown))
    assert found.code is Code.NOT_KNOWN_YET
    assert "Slack" in found.params["why"]
    assert not found.audited


def test_a_deactivated_account_is_refused_before_anything_else():
    assert refusal(ask(), standing_problem="person_deactivated").code is Code.PERSON_DEACTIVATED


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-5)])
def test_no_time_at_all_is_refused(duration):
    assert refusal(ask(duration=duration)).code is Code.DURATION_ZERO


def test_more_than_the_maximum_is_refused_with_both_figures():
    found = refusal(ask(duration=9 * HOUR))
    assert (found.code, found.params["asked_s"], found.params["max_s"]) == (Code.DURATION_TOO_LONG, "32400", "28800")


@pytest.mark.parametrize("reason", ["", "   ", "\n\t", "\u202e", "\x00"])
def test_a_reason_without_a_visible_word_is_refused(reason):
    assert refusal(ask(reason=reason)).code is Code.REASON_MISSING


def test_a_long_reason_is_refused_not_cut():
    found = refusal(ask(reason="x" * 5000))
    assert (found.code, found.params["length"]) == (Code.REASON_TOO_LONG, "5000")


def test_characters_that_turn_the_writing_direction_are_taken_out():
    assert clean("read\u202e gnihton\u2066 here") == "read gnihton here"
    assert clean("עברית 🚑 ok") == "עברית 🚑 ok"


def test_a_required_ticket_is_found_in_the_reason_or_in_its_field():
    role = entitlement(ticket=Ticket("(INC|OPS)-[0-9]+"))
    pol = policy(environment(role))
    assert isinstance(answer(ask(reason="(INC-42), checkout"), pol=pol), MayAsk)
    assert isinstance(answer(ask(reason="checkout", ticket="OPS-7"), pol=pol), MayAsk)
    assert refusal(ask(reason="checkout"), pol=pol).code is Code.TICKET_MISSING
    assert refusal(ask(reason="INC-42x"), pol=pol).code is Code.TICKET_MISSING


def test_a_ticket_pattern_must_match_the_whole_word():
    assert find_ticket(ask(reason="xINC-42"), entitlement(ticket=Ticket("INC-[0-9]+"))) is None


def test_a_freeze_refuses_with_its_reason():
    frozen = environment(freezes=(Freeze(NOW - HOUR, NOW + HOUR, "Year-end freeze"),))
    found = refusal(ask(), pol=policy(frozen))
    assert (found.code, found.params["reason"]) == (Code.FREEZE, "Year-end freeze")
    assert isinstance(answer(ask(), pol=policy(frozen), now=NOW + HOUR), MayAsk)


def test_hours_are_those_of_the_policys_time_zone():
    from datetime import time

    # 03:00 UTC on a Saturday is 04:00 in Berlin.
    inside = entitlement(hours=Hours(frozenset({5}), time(4, 0), time(5, 0)))
    outside = entitlement(hours=Hours(frozenset({5}), time(3, 0), time(4, 0)))
    over_midnight = entitlement(hours=Hours(frozenset({4}), time(22, 0), time(6, 0)))
    assert isinstance(answer(ask(), pol=policy(environment(inside))), MayAsk)
    assert refusal(ask(), pol=policy(environment(outside))).code is Code.OUTSIDE_HOURS
    assert isinstance(answer(ask(), pol=policy(environment(over_midnight))), MayAsk)


def test_the_only_owner_is_told_that_nobody_can_approve():
    found = refusal(ask(), who=OLU, known=groups(platform=frozenset({OLU})))
    assert found.code is Code.NOBODY_CAN_APPROVE


def test_one_person_in_both_groups_does_not_make_two_approvers():
    role = entitlement(approve={"owners": 1, "security": 1})
    only_pat = groups(platform=frozenset({OLU, DANA}), security=frozenset({OLU}))
    assert refusal(ask(), pol=policy(environment(role)), known=only_pat).code is Code.NOBODY_CAN_APPROVE


def test_a_rule_that_may_approve_by_itself_needs_no_owner():
    role = entitlement(approve={}, auto_approve=(auto(who=("developers",)),))
    assert isinstance(answer(ask(), pol=policy(environment(role))), MayAsk)


def test_without_any_rule_nobody_gets_in():
    role = entitlement(approve={})
    assert refusal(ask(), pol=policy(environment(role))).code is Code.NOBODY_CAN_APPROVE


def test_with_no_facts_at_all_everything_is_refused():
    assert isinstance(answer(ask(), known=GroupFacts()), Refused)
