"""Everybody who may not, and everything that cannot be read: one plain sentence to that person alone, one entry on the record,
nothing else changed and nothing lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from bot.sandbox.slack import Message, Tampering, words
from tests.support.installation import (
    CHANGING,
    COMMAND,
    GENERAL,
    HIDDEN,
    PEOPLE,
    RECEIPTS,
    Case,
    Installation,
    eventually,
    id_in,
)
from workflows.core import keys
from workflows.core.audit import AuditEntry

# A sentence or two, a guess and where to look: more is a lecture.
ANSWER_LENGTH_MAX = 330


# ---------------------------------------------------------------- what a refusal leaves behind


def records(case: Case, id_: str) -> dict[str, int]:
    """Versions of all that a decision would change."""
    return case.at.ledger().read(keys.request(id_), keys.grant(id_)).versions()


def refusals(case: Case, id_: str) -> list[AuditEntry]:
    return [entry for entry in case.at.ledger().entries_of(id_) if entry.event.value == "request.refused"]


@contextmanager
def refused(case: Case, card: Message, who: str, code: str, part: str) -> Iterator[None]:
    """What is done inside is refused to `who` alone, in one sentence, and leaves one entry and no other trace."""
    at, id_ = case.at, id_in(words(card))
    at.refused_afresh(who)
    at.quiet()
    before, entries = records(case, id_), at.events(id_)
    shown = words(at.slack.person(PEOPLE["olu"], force=True).message(card.channel, card.ts))
    heard = {name: len(ephemerals(at, name)) for name in PEOPLE}
    yield
    sentence = eventually(lambda: ephemerals(at, who)[heard[who] :], f"{who} is told {part!r}")
    at.quiet()
    assert len(sentence) == 1
    assert part in sentence[0]
    plain(sentence[0])
    assert {name: len(ephemerals(at, name)) for name in PEOPLE} == heard | {who: heard[who] + 1}, "nobody else is told"
    assert at.events(id_) == [*entries, "request.refused"]
    assert (refusals(case, id_)[-1].facts["code"], refusals(case, id_)[-1].private["actor"]) == (
        code,
        f"{who}@example.com",
    )
    assert records(case, id_) == before
    assert words(at.slack.person(PEOPLE["olu"], force=True).message(card.channel, card.ts)) == shown


def ephemerals(at: Installation, who: str) -> list[str]:
    return [words(message) for message in at.slack.person(PEOPLE[who], force=True).ephemerals()]


def plain(sentence: str) -> None:
    """Words for a tired person: short, no stack trace, no name of ours for a thing."""
    assert 0 < len(sentence) <= ANSWER_LENGTH_MAX, sentence
    assert not re.search(r"Traceback|Exception|Error\b|None|\{|_[a-z]+_|  ", sentence), sentence
    assert sentence[-1] in ".?`!", sentence


# ---------------------------------------------------------------- presses


def test_a_requester_who_owns_the_environment_cannot_approve_their_own(case: Case):
    card = case.asked(who="olu")
    with refused(
        case, card, "olu", "own_request", "You asked for this yourself, so somebody else has to approve it. Pat can."
    ):
        assert case.press("olu", card, "approve").ok
    assert not case.has_access("olu")


@pytest.mark.parametrize(("who", "action"), [("zed", "approve"), ("sue", "approve"), ("nia", "deny")])
def test_whoever_is_no_owner_is_told_who_is(case: Case, who: str, action: str):
    card = case.asked()
    with refused(case, card, who, "not_an_approver", "Only Olu and Pat can decide this, and you are not among them."):
        assert case.press(who, card, action).ok
    assert case.at.slack.person(PEOPLE[who]).view() is None, "no form for whoever may not deny"


def test_an_owners_second_press_is_told_what_was_decided(case: Case):
    card = case.asked()
    case.approve(card)
    active = case.card("Active")
    id_ = id_in(words(card))
    with refused(case, active, "pat", "decided", f"{id_} was approved by Olu. Nothing was changed."):
        assert case.press("pat", card, "approve", stale=True).ok
    with refused(case, active, "olu", "decided", f"{id_} was approved by Olu. Nothing was changed."):
        assert case.press("olu", card, "approve", stale=True).ok
    assert case.at.events(id_).count("request.approved") == 1
    case.at.told("dana", f"end {id_}")


def test_a_press_on_a_denied_request_gives_nothing(case: Case):
    card = case.asked()
    id_ = id_in(words(card))
    case.at.told("pat", f"deny {id_} not now")
    with refused(case, case.card("Denied"), "olu", "decided", f"{id_} was denied by Pat."):
        assert case.press("olu", card, "approve", stale=True).ok
    assert not case.has_access()


def test_a_guest_can_neither_ask_nor_decide(case: Case):
    card = case.asked()
    case.at.refused_afresh("gus")
    assert "Guests cannot ask" in case.ask(who="gus")
    assert len(case.cards()) == 1
    with refused(case, card, "gus", "person_guest", "Guests cannot ask for access or decide about it."):
        assert case.press("gus", card, "approve").ok


@contextmanager
def deactivated(at: Installation, who: str) -> Iterator[None]:
    """Slack has told us so; the account is back afterwards."""
    at.slack.workspace.change_user(PEOPLE[who], deleted=True)
    at.slack.courier.settle()
    try:
        yield
    finally:
        at.slack.workspace.change_user(PEOPLE[who], deleted=False)
        eventually(lambda: _is_back(at, who), f"{who} is back")


def _is_back(at: Installation, who: str) -> bool:
    """A worker that asked Slack before may write its answer down after: then it is told once more, for the tests to come."""
    at.slack.workspace.change_user(PEOPLE[who], deleted=False)
    at.slack.courier.settle()
    at.quiet()
    return "deactivated" not in at.told(who, "mine")


def test_an_owner_who_was_deactivated_a_moment_ago_decides_nothing(case: Case):
    card = case.asked()
    pat = case.at.slack.person(PEOPLE["pat"], force=True)
    with (
        deactivated(case.at, "pat"),
        refused(case, card, "pat", "person_deactivated", "This account is deactivated"),
    ):
        assert pat.press(card, "approve", channel=case.channel).ok


# Whoever is first to hear of it: the look before anything is given, or the one at who has left, before or after the press.
NOTHING_GIVEN = ("Nothing is open", "before it was active", "nothing had been given")


def test_whoever_was_deactivated_after_asking_is_given_nothing(case: Case):
    card = case.asked(who="nia")
    with deactivated(case.at, "nia"):
        # The look at who has left may be faster, and the button gone by then.
        assert case.press("olu", card, "approve", stale=True).ok
        # Where a worker has heard of it by then the press is refused, else the look before anything is given stops it.
        said = eventually(
            lambda: (
                [each for each in case.whispers("olu") if "cannot be approved" in each]
                or [text for text in map(words, case.cards()) if any(part in text for part in NOTHING_GIVEN)]
            ),
            "it is refused, or not given",
        )
        case.at.quiet()
    assert said
    assert not case.has_access("nia")
    assert "grant.active" not in case.at.events(id_in(words(card)))


def test_fifty_approvals_at_once_give_one_grant(case: Case):
    card = case.asked()
    id_ = id_in(words(card))
    for who in ("olu", "pat"):
        case.at.refused_afresh(who)

    def press(number: int) -> bool:
        return case.press("olu" if number % 2 else "pat", card, "approve", stale=True).ok

    with ThreadPoolExecutor(25) as pool:
        assert all(pool.map(press, range(50)))
    case.card("Active")
    case.at.quiet()
    events = case.at.events(id_)
    assert (events.count("request.approved"), events.count("grant.active")) == (1, 1)
    assert events.count("request.refused") <= 2, "one for each of the two"
    assert (
        sum(call.arguments.get("TargetId") == case.account for call in case.at.aws.proxy.log.calls("CreateAccount*"))
        == 1
    )
    case.at.told("dana", f"end {id_}")
    assert "Ended" in words(case.card("Ended"))
    assert not case.has_access()


# ---------------------------------------------------------------- slips of the keyboard

# What is typed -> what the answer has to say. {env} is the test's own environment.
SLIPS = {
    "{env}x read-only 1h x": "There is no environment `{env}x`. Did you mean {env}",
    "{env} raed-only 1h x": "There is no role `raed-only` in {env}. Did you mean read-only?",
    "{env} read-only 1 fortnight x": "I cannot read `1 fortnight` as a duration.",
    "{env} read-only 1h30 x": "I cannot read `1h30` as a duration.",
    "{env} read-only 0s x": "A duration of zero gives no access.",
    "{env} read-only 9h x": "is given for 8 h at most; you asked for 9 h.",
    "{env} read-only 1h": "Say why you need it: `/prodaccess {env} read-only 1 h REASON`.",
    "{env} read-only 1h \u200b \u202e": "Say why you need it",
    "{env} read-only 1h {long}": "The reason has 5000 characters, and 500 is the maximum.",
    "{env} admin 30m no ticket": "A ticket is needed, like `INC-123`.",
    "show PA-999999": "There is no PA-999999.",
    "show PA-１０４２": "I cannot read `PA-１０４２` as an id.",
    "approve PA-1042x": "I cannot read `PA-1042x` as an id.",
    "approve": "It goes like this: `/prodaccess approve ID`.",
    "explain {env}": "It goes like this: `/prodaccess explain ENV ROLE [WHO]`.",
    "aprove PA-1": "Did you mean approve?",
    "nonsense here": "I do not know `nonsense`.",
    "@sue please": "I do not know `@sue`.",
    "list nowhere-prod": "There is no environment `nowhere-prod`.",
    "break-glass {env}": "It goes like this: `/prodaccess break-glass ENV ROLE REASON`.",
}


@pytest.fixture(scope="module")
def place(over_http: Installation) -> Iterator[Case]:
    """For those who look at their own requests alone, or make none."""
    found = over_http.case()
    yield found
    found.tidy()


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_is_answered_in_plain_words_and_recorded_nowhere(place: Case, typed: str):
    at, before, cards = place.at, place.at.ledger().head(), len(place.cards())
    answer = at.told("dana", typed.format(env=place.name, long="x" * 5000))
    assert SLIPS[typed].format(env=place.name) in answer
    plain(answer)
    written = {entry.event.value for entry in at.ledger().entries(after=before)}
    assert written <= {"person.bound"}, "at most that somebody was seen for the first time"
    assert len(place.cards()) == cards


def test_in_socket_mode_slips_are_answered_the_same(over_socket: Installation):
    case = over_socket.case()
    for typed in ("{env} raed-only 1h x", "show PA-１０４２", "{env} read-only 1 fortnight x"):
        assert SLIPS[typed].format(env=case.name) in over_socket.told("dana", typed.format(env=case.name))


def test_a_deny_without_a_reason_says_how_with_the_right_id(http_case: Case):
    id_ = id_in(words(http_case.asked()))
    assert f"`/prodaccess deny {id_} REASON`" in http_case.at.told("olu", f"deny {id_}")


def test_only_the_one_who_asked_takes_it_back(http_case: Case):
    id_ = id_in(words(http_case.asked()))
    answer = http_case.at.told("sue", f"withdraw {id_}")
    assert "Only the person who asked for it can take it back." in answer
    plain(answer)
    assert http_case.at.events(id_)[-1] != "request.withdrawn"


# ---------------------------------------------------------------- what people write

WILD = {
    "broadcast": "<!channel> <!here> @channel @here @everyone",
    "mention": "<@U0SUE> @sue @oncall #general",
    "formatting": "*bold* _it_ ~no~ `code` ```fence``` > quote",
    "right-to-left": "\u202eneddih\u202c שלום עולם",
    "emoji": "🚑 👩‍🚒 :rotating_light:",
    "entities": "&lt;!channel&gt; & <b> </b> &amp;amp;",
    "link": "<https://evil.example|https://good.example> javascript:alert(1)",
    "newlines": "one\ntwo\r\nthree\ttabs",
    "json": '{"a": ": "} PA-1:2a99910972d0ff89',
}


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "unescaped"])
@pytest.mark.parametrize("wild", WILD)
def test_what_is_written_in_a_reason_calls_nobody_and_breaks_nothing(place: Case, wild: str, escaped: bool):
    """`escaped`: whether Slack turns names into mentions in commands (`should_escape`)."""
    case, at = place, place.at
    at.slack.app.should_escape = escaped
    try:
        card = case.asked(rest=f"30m INC-1 {WILD[wild]}", role="state-write")
    finally:
        at.slack.app.should_escape = True
    assert set(card.mentioned) == {PEOPLE["olu"], PEOPLE["pat"]}, (
        "the card calls those who may approve, and nobody else"
    )
    assert "\u202e" not in words(card)
    id_ = id_in(words(card))
    at.told("olu", f"deny {id_} {WILD[wild]}")
    closed = case.card("Denied", id_)
    assert closed.mentioned == (PEOPLE["olu"], PEOPLE["pat"]) or closed.mentioned == ()
    at.quiet()
    everywhere = [*at.messages(RECEIPTS), *receipts_of(at, id_), *at.slack.person(PEOPLE["dana"]).dms()]
    about = [message for message in everywhere if id_ in words(message)]
    assert len(about) >= 2
    assert all(message.mentioned == () for message in about), [message.mentioned for message in about]
    shown = at.told("dana", f"show {id_}")
    assert "Denied by Olu" in shown


def receipts_of(at: Installation, id_: str) -> list[Message]:
    roots = [message for message in at.messages(RECEIPTS) if id_ in words(message)]
    return [reply for root in roots for reply in at.slack.person(PEOPLE["sue"]).thread(RECEIPTS, root.ts)]


def test_a_mention_in_the_escaped_form_is_read_as_the_person(http_case: Case):
    at = http_case.at
    at.told("sue", "mine")
    assert "⛔ read-only in" in at.told("dana", f"explain {http_case.name} read-only @sue")
    assert "✅ Dana may ask" in at.told("sue", f"explain {http_case.name} read-only dana@example.com")


def test_a_phones_dashes_quotes_and_capitals_are_forgiven(http_case: Case):
    case = http_case
    answer = case.at.told("dana", f"  {case.name.upper().replace('-', '–')}  “Read-Only”   1 H 30 Min   it’s broken")
    assert "for 1 h 30 min" in answer
    assert "it’s broken" in words(case.card("Needs approval"))


# ---------------------------------------------------------------- deliveries that are not what they seem


@pytest.mark.parametrize("spoilt", [{"bad_signature": True}, {"timestamp_shift_s": -3600}, {"timestamp_shift_s": 3600}])
def test_what_slack_did_not_sign_just_now_does_nothing(http_case: Case, spoilt: dict[str, Any]):
    at = http_case.at
    card, before = http_case.asked(), at.ledger().head()
    at.slack.courier.spoil_next(**spoilt)
    assert http_case.press("olu", card, "approve").error == "dispatch_failed"
    at.slack.courier.spoil_next(**spoilt)
    assert not at.types("dana", f"{http_case.name} deploy 1h forged").ok
    at.quiet()
    assert at.ledger().head() == before
    assert len(http_case.cards()) == 1


def test_a_command_that_slack_delivers_again_is_one_request_with_one_answer(case: Case):
    at = case.at
    case.ask(role="deploy")
    at.slack.courier.spoil_next(copies=3)
    first = at.types("dana", f"{case.name} read-only 1h sent three times")
    assert first.ok
    assert first.delivery is not None
    again = at.slack.courier.redeliver(first.delivery, Tampering(retry_num=1))
    id_ = id_in(words(case.card("Needs approval", "sent three times")))
    at.quiet()
    # At once where it is known freshly who may ask, else by a worker that has looked.
    at_once = [json.dumps(ack.body) for ack in (*first.delivery.acks, again)]
    later = [words(message) for message in at.slack.person(PEOPLE["dana"]).ephemerals(GENERAL)]
    told = {id_in(text) for text in (*at_once, *later) if "PA-" in text and "sent three times" in text}
    assert told == {id_}, "every delivery is told the same"
    assert len(case.cards()) == 2
    assert at.events(id_).count("request.made") == 1


def test_a_press_that_slack_delivers_again_changes_nothing_and_refuses_nobody(case: Case):
    card = case.asked()
    outcome = case.press("olu", card, "approve")
    assert outcome.delivery is not None
    case.card("Active")
    for number in (1, 2, 3):
        assert case.at.slack.courier.redeliver(outcome.delivery, Tampering(retry_num=number)).ok
    case.at.quiet()
    events = case.at.events(id_in(words(card)))
    assert events.count("request.approved") == 1
    assert "request.refused" not in events
    assert case.whispers("olu") == []
    case.at.told("dana", f"end {id_in(words(card))}")


def test_over_http_a_forged_press_from_nobody_is_not_carried_out(http_case: Case):
    """Somebody who reaches our port without Slack's secret."""
    import urllib.error
    import urllib.request

    url = f"http://127.0.0.1:{http_case.at.port}/slack/events"
    body = f"command={COMMAND}&text=list&team_id=T0EXAMPLE&user_id=U0DANA".encode()
    with pytest.raises(urllib.error.HTTPError) as problem:
        urllib.request.urlopen(urllib.request.Request(url, body), timeout=5)
    with problem.value:
        assert problem.value.code == 401


# ---------------------------------------------------------------- who may see what


def test_outsiders_see_environment_state_and_id_alone(own: Installation):
    case = Case(own, HIDDEN)
    # What other tests left waiting here is nobody's secret.
    Case(own, CHANGING).tidy()
    id_ = id_in(words(case.active(rest="30m INC-42 something secret")))
    own.quiet()
    title, secrets = f"Shop {HIDDEN}", ("Dana", "Olu", "read-only", "secret")
    root = next(message for message in own.messages(RECEIPTS) if id_ in words(message))
    outside = [root, *receipts_of(own, id_)]
    for typed in (f"list {case.name}", "list", f"show {id_}", id_):
        answer = own.told("zed", typed)
        assert id_ in answer
        assert "✅ Active" in answer
        outside.append(Message("0", GENERAL, "", answer))
    waiting = id_in(words(case.asked(role="deploy", rest="30m another secret")))
    outside.append(Message("0", GENERAL, "", own.told("zed", "pending")))
    own.soon(own.digest_of(case.name))
    posts = eventually(
        lambda: [m for m in own.messages(RECEIPTS) if "Active access" in m.text and title in words(m)], "the digest"
    )
    outside.append(posts[-1])
    for message in outside:
        for text in (words(message), message.text):
            assert not [secret for secret in secrets if secret in text], text
    assert title in words(outside[-1])
    assert "Dana" in own.told("nia", f"show {id_}"), "whoever may ask here sees it"
    assert "secret" in words(case.card(waiting)), "so does the environment's own channel"
    own.told("dana", f"end {id_}")
    own.told("dana", f"withdraw {waiting}")


# ---------------------------------------------------------------- logs


def test_no_secret_no_reason_and_no_trace_in_any_log(case: Case):
    at = case.at
    # What other tests broke on purpose is in there, too: a channel that was closed is an error to whoever runs this.
    before = {path: path.stat().st_size for path in at.folder.glob("*.log")}
    case.ask(role="read-only", rest="1h tell-nobody-this")
    case.card("Needs approval")
    at.told("dana", "nonsense")
    text = "".join(path.read_text() for path in at.folder.glob("*.log"))
    newer = b"".join(path.read_bytes()[before.get(path, 0) :] for path in at.folder.glob("*.log")).decode()
    secrets = [at.slack.app.bot_token, at.slack.app.app_token, at.slack.app.signing_secret, at.redis.password]
    secrets += [at.slack.app.verification_token, at.aws.environment()["AWS_SECRET_ACCESS_KEY"], "tell-nobody-this"]
    secrets += ["/response/", "xoxb-", "xapp-"]
    assert [secret for secret in secrets if secret in text] == []
    assert "Traceback" not in text, text[text.find("Traceback") - 500 :][:3000]
    assert [line for line in newer.splitlines() if '"level": "error"' in line] == []
