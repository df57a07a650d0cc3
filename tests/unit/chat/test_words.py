"""Every refusal is one sentence or two that say what to do; every event and state has its word."""

from datetime import timedelta

import pytest

from bot.chat.wording.events import event_words
from bot.chat.wording.labels import STATE_WORDS, TIER_WORDS, VERBS, Stage, ago, done_words, flatten, people, rounded
from bot.chat.wording.refusals import refusal
from tests.support.views import DANA, NOW, entry
from workflows.core.audit import Event
from workflows.core.policy import Tier
from workflows.core.refusal import Code, Refused


def said(code: Code, **params: str) -> str:
    return refusal(Refused(code, params))


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_has_a_sentence_even_without_its_parameters(code: Code) -> None:
    text = said(code)
    assert text[-1] in ".?", text
    assert text[0].isupper()
    assert len(text) < 300
    assert "None" not in text
    assert "{" not in text
    assert "  " not in text
    assert "_" not in code.value or code.value not in text


@pytest.mark.parametrize("code", list(Code))
def test_a_refusal_never_breaks_on_what_people_wrote_and_never_grows_long(code: Code) -> None:
    evil = "`<!channel>` *x* \n\n{} %s " + "x" * 5_000
    names = ("name", "near", "known", "text", "why", "words", "id", "ids", "by", "groups", "others", "problem", "until")
    text = said(code, **dict.fromkeys(names, evil))
    assert len(text) < 2_500
    assert "\n" not in text
    assert text.count("`") % 2 == 0


def test_a_slip_in_a_name_is_answered_with_near_ones() -> None:
    text = said(Code.ENVIRONMENT_UNKNOWN, name="paymets-prod", near="payments-prod", known="payments-prod")
    assert text == "There is no environment `paymets-prod`. Did you mean payments-prod? `/prodaccess envs` lists all."


def test_too_long_says_both_lengths_as_people_say_them() -> None:
    text = said(Code.DURATION_TOO_LONG, role="read-only", environment="payments-prod", max_s="28800", asked_s="259200")
    assert text == "read-only in payments-prod is given for 8 h at most; you asked for 3 d."


def test_somebody_whom_another_setting_would_find_is_told_which() -> None:
    params = {"address": "ana@example.com", "where": "IAM Identity Center", "connection": "main"}
    text = said(Code.TARGET_PERSON_MISSING, **params, setting="match: [email, user_name]")
    assert "set `match: [email, user_name]` on the connection main" in text
    assert "add one" in said(Code.TARGET_PERSON_MISSING, **params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"why": "second_chat", "asked_in": "slack"}, "Open my messages in Slack, and press Yes."),
        ({"why": "disowned"}, "ask them to type `/prodaccess person confirm @you REASON`"),
        (
            {"why": "second_chat", "asked_in": "slack teams", "who": "Dana"},
            "has not said in Slack or Teams that this account",
        ),
        ({"why": "disowned", "who": "Dana"}, "Only security can say whose it is"),
    ],
)
def test_an_account_in_a_second_chat_reads_where_it_is_asked_and_who_else_can_say_it(
    params: dict[str, str], words: str
):
    assert words in said(Code.PERSON_SUSPENDED, **params)


def test_own_request_names_who_else_can() -> None:
    assert said(Code.OWN_REQUEST, can="Olu or Pat can.") == (
        "You asked for this yourself, so somebody else has to approve it. Olu or Pat can."
    )
    assert said(Code.OWN_REQUEST).endswith("somebody else has to approve it.")


def test_a_press_on_what_is_decided_says_what_was_decided_and_by_whom() -> None:
    text = said(Code.DECIDED, id="PA-1042", state="denied", by="Pat Platform")
    assert text == "PA-1042 was denied by Pat Platform. Nothing was changed."


def test_times_in_a_refusal_are_the_readers_own() -> None:
    refused = Refused(Code.FREEZE, {"reason": "Year-end freeze", "until": "2027-01-03T00:00:00+00:00"})
    text = refusal(refused, time_zone="Europe/Berlin")
    assert text == "No access is given here until 03 Jan 2027 01:00 (Europe/Berlin): Year-end freeze."


def test_the_commands_name_is_the_installations() -> None:
    assert "`/access envs`" in refusal(Refused(Code.ENVIRONMENT_UNKNOWN, {"name": "x"}), command="/access")


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_line(event: Event) -> None:
    line = flatten(event_words(entry(1, event, actor_name="Olu Owner"), {}), str)
    assert line
    assert "." not in line.replace("...", "")
    assert event.value not in line


def test_events_name_who_did_it_and_outsiders_do_not_learn_it() -> None:
    made = entry(1, Event.REQUEST_DENIED, actor=DANA, actor_name="Olu Owner", reason="no")
    assert flatten(event_words(made, {}), str) == "denied by Olu Owner: no"
    assert flatten(event_words(made, {}, hidden=True), str) == "denied"


def test_a_name_is_looked_up_where_the_entry_has_only_the_address() -> None:
    made = entry(1, Event.REQUEST_APPROVED, actor=DANA)
    assert flatten(event_words(made, {DANA: "Dana Dev"}), str) == "approved by Dana Dev"
    assert flatten(event_words(made, {}), str) == "approved by dana@example.com"


def test_an_erased_person_leaves_a_line_without_a_name() -> None:
    assert flatten(event_words(entry(1, Event.REQUEST_APPROVED), {}), str) == "approved"


def test_active_says_until_when() -> None:
    line = flatten(event_words(entry(1, Event.GRANT_ACTIVE), {}, deadline=NOW), lambda at: f"{at:%H:%M}")
    assert line == "active until 03:12, seen in AWS"


def test_every_state_and_tier_has_its_mark_and_word() -> None:
    assert set(STATE_WORDS) == set(VERBS) == set(Stage)
    assert set(TIER_WORDS) == set(Tier)
    assert all(" " in word and not word[0].isalnum() for word in (*STATE_WORDS.values(), *TIER_WORDS.values()))


@pytest.mark.parametrize(
    ("seconds", "words"), [(3598, "1 h"), (3500, "58 min"), (5400, "1 h 30 min"), (90, "1 min 30 s"), (-5, "0 s")]
)
def test_stretches_of_time_are_rounded_as_people_do(seconds: int, words: str) -> None:
    assert rounded(timedelta(seconds=seconds)) == words


def test_ago_and_lists_of_people() -> None:
    assert ago(timedelta(days=3, hours=2)) == "3 days ago"
    assert ago(timedelta(minutes=1)) == "1 minute ago"
    assert ago(timedelta(0)) == "just now"
    assert people(["Olu", "Pat", "Sid"], "or") == "Olu, Pat or Sid"


def test_what_was_done_is_said_with_its_id() -> None:
    for outcome in ("approved", "agreed", "denied", "withdrawn", "terms_changed", "returned", "revoked", "new one"):
        assert "PA-1042" in done_words(outcome, "PA-1042")
