"""One person, two chats, on running processes: asked in one, approved in the other, and every copy says what is true."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.chat.messages.certification import ANSWER
from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.chat.messages.second_chat import IS_NOT_ME
from bot.sandbox.slack import buttons as slack_buttons
from bot.sandbox.slack import words as slack_words
from tests.support import teams_side
from tests.support.installation import GENERAL, PEOPLE, RECEIPTS, Case, Installation
from tests.support.teams_side import ACCESS_LOG, HEARD, buttons, id_in, words
from tests.support.two_chats import dm, everywhere
from tests.support.waiting import eventually
from workflows.core import keys
from workflows.core.records.certification import Certification, CertificationPart, ItemKind

pytestmark = pytest.mark.teams

WHY = "INC-42 checkout errors"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def case(both: Installation) -> Case:
    return both.case()


# ---------------------------------------------------------------- one life in two chats


def test_asked_in_slack_approved_in_teams_ended_in_slack(case: Case) -> None:
    at, shop = case.at, case.in_teams
    for owner in ("olu", "pat"):
        # They are called where they were seen last, and other tests have seen them elsewhere.
        at.teams.told(owner, "mine")
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


# ---------------------------------------------------------------- owners say who and what stays


def certify(at: Installation, *typed: str) -> str:
    done = subprocess.run(
        (sys.executable, "-m", "bot", "certify", *typed),
        cwd=ROOT,
        env=at.environment("clock"),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def run_in(at: Installation, environment: str) -> Certification:
    """The one that asks about this environment, once all of it is asked."""

    def asked() -> Certification | None:
        ledger = at.ledger()
        for id_ in ledger.members(keys.CERTIFICATIONS):
            found = ledger.read(keys.certification(id_)).get(keys.certification(id_), Certification)
            if found is not None and environment in found.environments and found.parts:
                return found
        return None

    found = eventually(asked, lambda: f"{environment} is asked about {at.state()}")
    assert found is not None
    return found


def part_of(at: Installation, run: Certification) -> CertificationPart:
    item = keys.certification_part(run.parts[0])
    found = at.ledger().read(item).get(item, CertificationPart)
    assert found is not None
    return found


def test_owners_certify_in_either_chat_and_each_card_says_what_was_said(case: Case) -> None:
    at, shop = case.at, case.in_teams
    certify(at, "start", "--environments", case.name, "--by", "Ada Audit", "--reason", "Q4", "--due", "7d")
    run = run_in(at, case.name)
    part = part_of(at, run)
    admin = next(item.number for item in part.items if item.name == "admin")
    in_slack, in_teams = case.card("Who and what stays", "to answer until"), shop.card("Who and what stays")

    # In Slack: a form that wants a reason for what goes.
    olu = at.slack.person(PEOPLE["olu"])
    assert case.press("olu", in_slack, ANSWER).ok
    form = eventually(olu.view, "the form")
    assert form is not None
    form.fill("said", "remove")
    items = next(block["block_id"] for block in form.view.body["blocks"] if block["block_id"].startswith("items"))
    form.fill(items, [str(admin)])
    form.submit()
    assert "Say why it goes" in str(eventually(lambda: form.errors, "what is wrong"))
    form.fill("reason", "nobody needs it")
    assert form.submit().ok
    gone = "goes, says Olu: nobody needs it"
    case.card("Who and what stays", gone)
    shop.card("Who and what stays", gone)
    eventually(
        lambda: any("take the role admin out" in slack_words(one) for one in at.messages(RECEIPTS)),
        "what there is to do",
    )

    # In Teams: the same form, and several at once.
    at.teams.press("pat", in_teams, "Answer...")
    opened = at.teams.message("pat", "Certification", "Somebody else answers for you")
    choices = next(one for one in teams_side.cards.inputs(opened.card) if one["id"].startswith("items"))["choices"]
    mine = {item.number for item in part.items if item.name.startswith(("Pat", "pat@"))}
    assert mine
    assert not mine & {int(choice["value"]) for choice in choices}, "nobody answers for themselves"
    rest = ",".join(choice["value"] for choice in choices if int(choice["value"]) != admin)
    at.teams.press("pat", opened, "Send", {"items": rest, "said": "keep", "reason": "looked at each"})
    case.card("Who and what stays", f"{len(mine)} of {len(part.items)} to answer")
    shop.card("Who and what stays", f"{len(mine)} of {len(part.items)} to answer")
    eventually(
        lambda: any("Certification" in words(one) for one in at.teams.posts(ACCESS_LOG)), "how far it is, in Teams"
    )

    # Typed, by an owner; and what stands on the record of it.
    numbers = ",".join(map(str, sorted(mine)))
    assert "You said that this stays" in at.told("olu", f"certify {part.id} keep {numbers} still with us")
    case.card("Who and what stays", f"All {len(part.items)} answered")
    events = at.events(f"certify-{part.id}")
    assert events == ["certification.asked", *["certification.answered"] * len(part.items)]

    certify(at, "close", run.id, "--by", "Ada Audit", "--reason", "all is said")
    closed = case.card("Who and what stays", "Closed")
    assert slack_buttons(closed) == []
    shop.card("Who and what stays", "Closed")
    report = json.loads(certify(at, "report", run.id, "--json"))
    assert (report["state"], report["open"], report["go"]) == ("closed", 0, 1)
    assert {one["kind"] for one in report["questions"]} == {ItemKind.ROLE.value, ItemKind.PERSON.value}
    assert any(line == "-  admin: {}" for line in report["change_of_the_policy"]["diff"])


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
