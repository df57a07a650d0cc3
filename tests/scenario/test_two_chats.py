"""One person, two chats, on running processes: asked in one, approved in the other, and every copy says what is true."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.chat.messages.second_chat import IS_ME, IS_NOT_ME
from bot.sandbox.slack import Message as SlackMessage
from bot.sandbox.slack import buttons as slack_buttons
from bot.sandbox.slack import words as slack_words
from tests.support import teams_side
from tests.support.installation import GENERAL, PEOPLE, RECEIPTS, Case, Installation
from tests.support.teams_side import ACCESS_LOG, HEARD, buttons, id_in, words
from tests.support.waiting import eventually

pytestmark = pytest.mark.teams

WHY = "INC-42 checkout errors"


def dm(at: Installation, who: str, *parts: str) -> SlackMessage:
    """The newest direct message in Slack that holds all `parts`."""

    def look() -> list[SlackMessage]:
        return [one for one in at.slack.person(PEOPLE[who]).dms() if all(part in slack_words(one) for part in parts)]

    return eventually(look, f"{who} is told {parts} in Slack")[-1]


def comes_to_teams(at: Installation, who: str) -> None:
    """Somebody of Slack acts in Teams for the first time, and says in Slack that it is them."""
    at.told(who, "mine")
    at.teams.told(who, "mine", "on hold")
    question = dm(at, who, "Is this you in Teams?", at.teams.person(who).aad)
    assert at.slack.person(PEOPLE[who]).press(question, IS_ME).ok
    eventually(lambda: "on hold" not in at.teams.told(who, "mine"), f"{who} acts in both")


@pytest.fixture(scope="session")
def both(in_both: Installation) -> Installation:
    """With three people who have an account in each chat."""
    for who in ("dana", "olu", "pat"):
        comes_to_teams(in_both, who)
    return in_both


@pytest.fixture
def case(both: Installation) -> Case:
    return both.case()


def everywhere(case: Case, id_: str, *parts: str) -> None:
    """The card and the receipts say so in both chats."""
    for look in (
        lambda: [slack_words(one) for one in case.cards()],
        lambda: [slack_words(one) for one in case.at.messages(RECEIPTS)],
        lambda: [words(one) for one in case.at.teams.posts(case.in_teams.place)],
        lambda: [words(one) for one in case.at.teams.posts(ACCESS_LOG)],
    ):
        eventually(
            lambda look=look: [text for text in look() if id_ in text and all(part in text for part in parts)],
            lambda look=look: f"{id_} {parts} in {look()}",
        )


# ---------------------------------------------------------------- one life in two chats


def test_asked_in_slack_approved_in_teams_ended_in_slack(case: Case) -> None:
    at, shop = case.at, case.in_teams
    card = case.asked()
    id_ = id_in(slack_words(card))
    there = shop.card(id_, "Needs approval")
    assert {at.teams.world.people[aad].mail for aad in there.pinged} == {"olu@example.com", "pat@example.com"}
    everywhere(case, id_, "Needs approval")
    shop.approves(there)
    everywhere(case, id_, "Active until")
    assert case.has_access()
    told = dm(at, "dana", "You have *read-only*", id_)
    assert not [text for text in at.teams.direct("dana") if "You have" in text and id_ in text], "told where they asked"
    assert at.slack.person(PEOPLE["dana"]).press(told, "end").ok
    everywhere(case, id_, "Ended", "given back by Dana")
    assert not case.has_access()
    assert "End early" not in buttons(shop.card(id_))
    root = at.teams.card(ACCESS_LOG, id_)
    eventually(
        lambda: "approved by Olu" in "".join(words(one) for one in at.teams.replies(ACCESS_LOG, root)), "its receipts"
    )


def test_asked_in_teams_approved_in_slack_ended_in_teams(case: Case) -> None:
    at, shop = case.at, case.in_teams
    id_ = shop.asks()
    everywhere(case, id_, "Needs approval")
    case.approve(case.card(id_))
    everywhere(case, id_, "Active until")
    told = at.teams.message("dana", "You have read-only", id_)
    assert not [text for text in case.direct("dana") if "You have" in text and id_ in text], "told where they asked"
    assert at.teams.press("dana", told, "I am done").said in HEARD
    everywhere(case, id_, "Ended", "given back by Dana")
    assert not case.has_access()


def test_denied_in_one_chat_with_the_reason_in_both(case: Case) -> None:
    shop = case.in_teams
    id_ = id_in(slack_words(case.asked()))
    assert case.at.teams.press("pat", shop.card(id_), "Deny", {"reason": "use staging"}).said in HEARD
    everywhere(case, id_, "Denied by Pat: use staging")
    dm(case.at, "dana", "Pat denied your request", "use staging")
    assert slack_buttons(case.card(id_)) == ["Ask again"]


def test_who_asks_in_one_chat_decides_in_neither(case: Case) -> None:
    """An owner, who is the same person in the other chat."""
    at, shop = case.at, case.in_teams
    first = id_in(case.ask("olu"))
    card = shop.card(first, "Needs approval")
    at.teams.refused("olu", card, "Approve", "You asked for this yourself")
    second = shop.asks(role="deploy", who="olu")
    assert case.press("olu", case.card(second), "approve").ok
    case.whispered("olu", "You asked for this yourself")
    assert "request.approved" not in at.events(first) + at.events(second)
    for id_ in (first, second):
        at.told("olu", f"withdraw {id_}")
        everywhere(case, id_, "Withdrawn")


def test_fifty_presses_from_both_chats_are_one_grant_and_one_removal(case: Case) -> None:
    at, shop = case.at, case.in_teams
    card = case.asked()
    id_ = id_in(slack_words(card))
    there = shop.card(id_, "Needs approval")
    data = next(one["data"] for one in teams_side.cards.actions(there.card) if one["title"] == "Approve")

    def press(number: int) -> None:
        who = ("olu", "pat")[number // 2 % 2]
        if number % 2:
            at.slack.person(PEOPLE[who]).press(card, "approve", channel=case.channel, stale=True)
        else:
            at.teams.server.client.press(at.teams.person(who), there.id, "press", data, stale=True)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(press, range(50)))
    everywhere(case, id_, "Active until")
    at.told("olu", f"end {id_} enough")
    at.teams.types("pat", f"end {id_} enough")
    everywhere(case, id_, "Revoked")
    at.quiet()
    found = at.events(id_)
    for event in ("request.approved", "grant.active", "grant.revoked"):
        assert found.count(event) == 1, found
    calls = at.aws.proxy.log.calls("CreateAccountAssignment") + at.aws.proxy.log.calls("DeleteAccountAssignment")
    assert len([call for call in calls if case.account in str(call.arguments)]) == 2


# ---------------------------------------------------------------- what holds for a person holds in both


def test_the_panic_switch_of_one_chat_reaches_what_was_asked_in_the_other(case: Case) -> None:
    at, shop = case.at, case.in_teams
    active = id_in(words(shop.active()))
    question = at.teams.answered("olu", f"revoke-all env {case.name} keys are out", "Revoke everything", active)
    at.teams.press("olu", question, "Revoke all")
    everywhere(case, active, "Revoked")
    assert not case.has_access()


def test_who_is_kept_out_in_one_chat_is_kept_out_in_the_other(case: Case) -> None:
    at, shop = case.at, case.in_teams
    at.told("sue", "revoke-all person dana@example.com stolen laptop")
    sue = at.slack.person(PEOPLE["sue"])
    question = eventually(
        lambda: next((one for one in sue.ephemerals() if "Revoke all" in slack_buttons(one)), None), "the question"
    )
    assert sue.press(question, REVOKE_ALL, channel=GENERAL).ok
    eventually(
        lambda: "You can ask again from" in at.told("dana", f"{case.name} read-only 1h {WHY}"), "kept out in Slack"
    )
    at.teams.told("dana", f"{case.name} read-only 1h {WHY}", "You can ask again from")
    assert "lifted" in at.told("sue", "lift @dana the test is over")
    shop.end(id_in(words(shop.active())))


def test_ten_that_wait_in_one_chat_are_ten_in_the_other(both: Installation) -> None:
    cases = [both.case() for _ in range(6)]
    ids = [id_in(case.ask("olu", role)) for case in cases[:5] for role in ("read-only", "deploy")]
    said = both.teams.told("olu", f"{cases[5].name} read-only 1h {WHY}", "wait")
    assert "PA-" not in said or "10" in said
    for id_ in ids:
        both.teams.told("olu", f"withdraw {id_}", f"You took back {id_}")
    both.teams.told("olu", f"{cases[5].name} read-only 1h {WHY}", "You asked for")
    both.told("olu", f"withdraw {id_in(words(both.teams.message('olu', 'You asked for')))}")


# ---------------------------------------------------------------- whose account it is


def test_an_account_that_is_not_theirs_stays_on_hold_and_security_is_told(both: Installation) -> None:
    both.told("nia", "mine")
    both.teams.told("nia", "mine", "on hold")
    question = dm(both, "nia", "Is this you in Teams?")
    assert both.slack.person(PEOPLE["nia"]).press(question, IS_NOT_ME).ok
    dm(both, "sue", "Nia", "Teams")
    both.teams.told("nia", f"{both.case().name} read-only 1h let me in", "on hold")
    assert "You have no access" in both.told("nia", "mine"), "in Slack they are who they were"


def test_who_comes_from_teams_is_asked_there(both: Installation) -> None:
    both.teams.told("zed", "mine", "You have no access")
    assert "on hold" in both.told("zed", "mine")
    question = both.teams.message("zed", "Is this you in Slack?")
    assert buttons(question) == ["Yes", "No"]
    assert both.teams.press("zed", question, "Yes, it is me").ok
    eventually(lambda: "on hold" not in both.told("zed", "mine"), "they act in both")
