"""Decisions by rules and by people, on running processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.slack import Form, buttons, words
from tests.support.installation import CHANGING, PEOPLE, Case, Installation, edited, eventually, id_in, policy_in_force

ADMIN = {"role": "admin", "rest": "30m INC-42 rotate the key"}


def form_of(case: Case, who: str) -> Form:
    found = eventually(case.at.slack.person(PEOPLE[who]).view, "the form opens")
    assert found is not None
    return found


# ---------------------------------------------------------------- two must agree


def test_one_person_in_two_groups_presses_twice_and_counts_once(http_case: Case):
    card = http_case.asked(**ADMIN)
    http_case.approve(card, "pat")
    card = http_case.card("1 of 2: Pat agreed, one more of")
    assert buttons(card) == ["Approve", "Deny"], "others can still press"
    assert http_case.press("pat", card, "approve").ok
    http_case.whispered("pat", "You have agreed to")
    assert not http_case.has_access(permission_set="AdministratorAccess")
    http_case.approve(http_case.card("1 of 2"), "olu")
    http_case.card("Active", "approved by Pat and Olu")
    assert http_case.has_access(permission_set="AdministratorAccess")
    id_ = id_in(words(card))
    assert [name for name in http_case.at.events(id_) if "agreed" in name or "approved" in name] == [
        "request.agreed",
        "request.approved",
    ]
    eventually(lambda: any(id_ in text for text in http_case.direct("dana")), "the requester is told")
    assert sum(id_ in text for text in http_case.direct("dana")) == 1, "the requester hears of it once"
    http_case.at.told("dana", f"end {id_}")


# ---------------------------------------------------------------- less


def test_an_approver_gives_a_shorter_time_by_the_form(http_case: Case):
    card = http_case.asked()
    olu = http_case.at.slack.person(PEOPLE["olu"])
    assert olu.choose(card, "more", "Approve for less…", channel=http_case.channel).ok
    form = form_of(http_case, "olu")
    form.choose("duration", "30 min")
    assert form.submit().ok
    assert not form.is_open
    less = "Asked for read-only for 1 h; approved for less: read-only for 30 min by Olu"
    http_case.card("Active", less)
    eventually(lambda: any(less in text for text in http_case.direct("dana")), "dana is told")
    http_case.at.told("dana", f"end {id_in(words(card))}")
    http_case.card("Ended")
    assert not http_case.has_access()


def test_an_approver_gives_a_role_of_less_risk_by_hand(http_case: Case):
    card = http_case.asked(**ADMIN)
    id_ = id_in(words(card))
    at = http_case.at
    assert "Say a shorter time" in at.told("olu", f"less {id_} admin 1h")
    assert "You approved" in at.told("olu", f"less {id_} read-only 20m")
    http_case.card("Active", "Asked for admin for 30 min; approved for less: read-only for 20 min by Olu")
    assert http_case.has_access()
    assert not http_case.has_access(permission_set="AdministratorAccess")
    at.told("dana", f"end {id_}")


def test_nobody_approves_their_own_request_for_less(http_case: Case):
    card = http_case.asked("olu", **ADMIN)
    olu = http_case.at.slack.person(PEOPLE["olu"])
    assert olu.choose(card, "more", "Approve for less…", channel=http_case.channel).ok
    http_case.whispered("olu", "You asked for this yourself")
    assert olu.view() is None
    id_ = id_in(words(card))
    assert "You asked for this yourself" in http_case.at.told("olu", f"less {id_} read-only 2s")
    assert not http_case.has_access("olu")


# ---------------------------------------------------------------- under another policy


@pytest.fixture
def changing(own: Installation) -> Iterator[Case]:
    case = Case(own, CHANGING)
    yield case
    case.tidy()


def test_a_freeze_that_begins_while_a_request_waits_stops_the_approval(changing: Case):
    card = changing.asked(role="deploy")
    id_ = id_in(words(card))
    now = datetime.now(UTC).replace(microsecond=0)
    start, until = now - timedelta(minutes=1), now + timedelta(days=1)
    freeze = f'freezes: [{{from: "{start.isoformat()}", until: "{until.isoformat()}", reason: Year-end freeze}}]\n'
    with edited(changing.at, CHANGING, "owners: [platform]\n", f"owners: [platform]\n{freeze}"):
        frozen = changing.card("Year-end freeze until", "cannot be approved before", id_)
        assert buttons(frozen) == ["Deny"]
        assert changing.press("olu", card, "approve", stale=True).ok
        assert f"{id_} cannot be approved before" in changing.whispered("olu", "Year-end freeze")
        assert "Year-end freeze" in changing.at.told("olu", f"less {id_} 2s")
        assert "request.approved" not in changing.at.events(id_)
    card = changing.card("Needs approval from", id_)
    eventually(lambda: "freeze" not in words(changing.card("Needs approval", id_)), "the card no longer tells it")
    changing.approve(changing.card("Needs approval", id_))
    changing.card("Active", id_)
    changing.at.told("dana", f"end {id_}")


def test_a_rule_with_a_limit_approves_that_often_and_then_people_are_asked(changing: Case):
    rule = "deploy: {auto_approve: [{name: once a day, who: [developers], max_uses_per_day: 1}]}"
    before = policy_in_force(changing.at)
    with edited(changing.at, CHANGING, "deploy: {}", rule):
        eventually(lambda: policy_in_force(changing.at) != before, "the rule is in force")
        changing.at.wait_ready()
        first = id_in(changing.ask(role="deploy"))
        card = changing.card("Active", "approved automatically by the rule 'once a day'", "use 1 of 1 today", first)
        changing.take_back("olu", card)
        changing.card("Revoked", first)
        second = id_in(changing.ask(role="deploy"))
        card = changing.card("Needs approval", "the rule 'once a day' has been used once today", second)
        changing.approve(card)
        changing.card("Active", "approved by Olu", second)
        changing.at.told("dana", f"end {second}")
