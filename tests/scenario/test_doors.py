"""Who is refused, and what cannot be read: one plain sentence to that person alone, nothing changed, nothing lost."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.sandbox.slack import words
from tests.scenario.test_spine import id_in
from tests.support.installation import GENERAL, PEOPLE, Case, eventually


def refusals(case: Case, id_: str) -> list[str]:
    return [e.facts["code"] for e in case.at.ledger().entries_of(id_) if e.event.value == "request.refused"]


def test_a_stranger_and_the_requester_press_in_vain(case: Case):
    card = case.asked(who="olu")
    case.press("olu", card, "approve")
    assert "somebody else has to approve it" in case.whispered("olu", "asked for this yourself")
    case.press("sue", card, "approve")
    case.whispered("sue", "Only Pat can decide this")
    eventually(lambda: refusals(case, id_in(words(card))) == ["own_request", "not_an_approver"])
    assert "Waiting" in words(case.card())
    assert not case.has_access("olu")


def test_a_second_press_is_told_what_was_decided(case: Case):
    card = case.asked()
    case.approve(card)
    case.card("Active")
    case.press("pat", card, "approve", stale=True)
    assert "was approved by Olu" in case.whispered("pat", "was approved")
    assert [e.event.value for e in case.at.ledger().entries_of(id_in(words(card)))].count("request.approved") == 1


def test_a_guest_is_refused_at_every_door(case: Case):
    card = case.asked()
    assert "Guests" in case.at.told("gus", f"{case.name} read-only 1h let me in")
    case.press("gus", card, "approve")
    assert case.whispered("gus", "Guests")
    assert "Waiting" in words(case.card())


def test_an_owner_who_was_deactivated_a_moment_ago_is_refused(case: Case):
    card = case.asked()
    workspace, pat = case.at.slack.workspace, case.at.slack.person(PEOPLE["pat"], force=True)
    workspace.change_user(PEOPLE["pat"], deleted=True)
    try:
        case.at.slack.courier.settle()
        pat.press(card, "approve", channel=case.channel)
        case.whispered("pat", "deactivated")
        assert "Waiting" in words(case.card())
    finally:
        workspace.change_user(PEOPLE["pat"], deleted=False)
        case.at.slack.courier.settle()


def test_fifty_approvals_at_once_give_one_grant(http_case: Case):
    case = http_case
    card = case.asked()
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(
            pool.map(lambda n: case.press("olu" if n % 2 else "pat", card, "approve", stale=True), range(50))
        )
    assert all(outcome.ok for outcome in outcomes)
    case.card("Active")
    events = [entry.event.value for entry in case.at.ledger().entries_of(id_in(words(card)))]
    assert (events.count("request.approved"), events.count("grant.active")) == (1, 1)


SLIPS = {
    "{env} raed-only 1h x": "Did you mean read-only",
    "{env} read-only 1 fortnight x": "cannot read `1 fortnight`",
    "{env} read-only 0s x": "no time at all",
    "{env} read-only 9h x": "8 h at most",
    "{env} read-only 1h": "Say why",
    "{env} read-only 1h {long}": "5000 characters",
    "show PA-999999": "no PA-999999",
    "show PA-１０４２": "cannot read",
    "approve": "approve ID",
    "nonsense here": "do not know",
    "list nowhere-prod": "no environment",
}


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_is_answered_with_one_plain_sentence(http_case: Case, typed: str):
    answer = http_case.at.told("dana", typed.format(env=http_case.name, long="x" * 5000))
    assert SLIPS[typed] in answer
    assert "Traceback" not in answer
    assert http_case.cards() == []


def test_what_is_typed_in_a_reason_pings_nobody_and_breaks_nothing(case: Case):
    reason = "<!channel> <@U0SUE> *bold* `code` \u202eright to left עברית 🚑 & <b>"
    card = case.asked(rest=f"1h {reason}")
    assert set(card.pinged) <= {PEOPLE["olu"], PEOPLE["pat"]}
    assert "🚑" in words(card)
    for message in case.at.messages("C0RECEIPTS"):
        assert message.pinged == ()


def test_a_request_that_slack_did_not_sign_is_refused(http_case: Case):
    at = http_case.at
    for spoilt in ({"bad_signature": True}, {"timestamp_shift_s": -3600}):
        at.slack.courier.spoil_next(**spoilt)
        assert not at.types("dana", f"{http_case.name} read-only 1h forged").ok
    assert http_case.cards() == []


def test_a_command_that_slack_sends_twice_is_one_request(case: Case):
    case.at.slack.courier.spoil_next(copies=2)
    case.at.types("dana", f"{case.name} read-only 1h sent twice", GENERAL)
    case.card("Waiting")
    assert len(case.cards()) == 1


def test_no_secret_and_no_trace_in_any_log(http_case: Case):
    at = http_case.at
    http_case.asked()
    text = "".join(path.read_text() for path in at.folder.glob("*.log"))
    for secret in (at.slack.app.bot_token, at.slack.app.signing_secret, at.redis.password):
        assert secret not in text
    assert not re.search(r"Traceback", text), text[-3000:]
