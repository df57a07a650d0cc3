"""Messages to a Workflow's address, over HTTP: what counts as told, what is said of everything else, and what is never said."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import structlog

from bot.chat.message import Button, Buttons, Line, Message, Quote, message
from bot.chat.messages.closed_places import closed, closed_words
from bot.chat.plain_text import text_of
from bot.chat.rich import ours, say
from bot.chat.surface import Means, NotDone, Posted
from bot.observability import log
from bot.teams import webhook
from bot.teams.webhook import BODY_BYTES_MAX, MEANS, TRAITS, UNREACHABLE_AFTER, Webhooks, usable
from tests.support.webhook import BYTES_MAX, SECRET, Answer, Workflow, workflow
from workflows.core import calls
from workflows.core.destination import Destination, Kind
from workflows.core.identity import WEBHOOK

PLACE = Destination(WEBHOOK, Kind.CHANNEL, "orders-teams")
TOLD = message(say("Olu approved"), Line(say("*{}* approved", "Olu")), Quote("INC-42"))


@pytest.fixture
def flow() -> Iterator[Workflow]:
    with workflow() as found:
        yield found


@pytest.fixture
def hooks(flow: Workflow) -> Webhooks:
    return Webhooks({PLACE.id: flow.url}.get)


def refused(hooks: Webhooks, told: Message = TOLD) -> NotDone:
    with pytest.raises(NotDone) as found:
        hooks.post(PLACE, told, nonce="n1")
    return found.value


# ---------------------------------------------------------------- it is told


def test_a_card_goes_in_the_envelope_of_workflows(flow: Workflow, hooks: Webhooks) -> None:
    assert hooks.post(PLACE, TOLD, nonce="n1") == Posted(PLACE, "n1")
    (card,) = flow.cards
    assert card["type"] == "AdaptiveCard"
    assert "INC-42" in str(card)


def test_that_it_is_told_is_counted_and_the_address_is_in_no_count(flow: Workflow, hooks: Webhooks) -> None:
    heard: list[calls.Call] = []
    over = calls.listen(heard.append)
    try:
        hooks.post(PLACE, TOLD)
        flow.answers.append(Answer(404))
        refused(hooks)
    finally:
        over()
    assert [(call.service, call.method, call.error) for call in heard] == [
        ("webhook", "post", ""),
        ("webhook", "post", "gone"),
    ]


@pytest.mark.parametrize(
    "answer", [Answer(202), Answer(202, "accepted"), Answer(200), Answer(200, "1"), Answer(200, " 1\n")]
)
def test_these_answers_mean_that_it_is_told(flow: Workflow, hooks: Webhooks, answer: Answer) -> None:
    flow.answers.append(answer)
    assert hooks.post(PLACE, TOLD).to == PLACE
    assert len(flow.asked) == 1


def test_nothing_in_it_can_be_pressed_but_what_leads_somewhere(flow: Workflow, hooks: Webhooks) -> None:
    more, portal = Button("Approve", "approve", "PA-1"), Button("Open", "open", url="https://example.com/open")
    hooks.post(PLACE, message(ours("x"), Line(ours("line"), more), Buttons((more, portal)), Buttons((more,))))
    drawn = str(flow.cards)
    assert "Action.Execute" not in drawn
    assert "https://example.com/open" in drawn


@pytest.mark.parametrize("letter", ["w", "я", "語", "🚨"])
def test_what_is_long_is_cut_before_it_is_too_long(flow: Workflow, hooks: Webhooks, letter: str) -> None:
    long = message(ours("long"), *(Quote(f"{number} " + letter * 900) for number in range(60)))
    hooks.post(PLACE, long)
    (card,) = flow.cards
    assert len(json.dumps(card)) <= BODY_BYTES_MAX < BYTES_MAX
    assert letter * 20 in str(card)


# ---------------------------------------------------------------- it is not


@pytest.mark.parametrize(
    ("answer", "word", "means", "after_s"),
    [
        (Answer(200, "Webhook message delivery failed with error: HTTP error 400"), "not_taken", Means.LATER, 0.0),
        (Answer(200, "Microsoft Teams endpoint returned HTTP error 429 with ContextId x"), "rate_limited", Means.LATER, 0.0),
        (Answer(204), "not_taken", Means.LATER, 0.0),
        (Answer(400, '{"error":{"code":"TriggerInputSchemaMismatch"}}'), "bad_request", Means.FORM, 0.0),
        (Answer(401), "not_allowed", Means.PLACE, 0.0),
        (Answer(403), "not_allowed", Means.PLACE, 0.0),
        (Answer(404), "gone", Means.PLACE, 0.0),
        (Answer(410), "gone", Means.PLACE, 0.0),
        (Answer(413), "too_big", Means.FORM, 0.0),
        (Answer(429), "rate_limited", Means.LATER, 0.0),
        (Answer(429, headers={"Retry-After": "17"}), "rate_limited", Means.LATER, 17.0),
        (Answer(429, headers={"Retry-After": "999999"}), "rate_limited", Means.LATER, 3600.0),
        (Answer(429, headers={"Retry-After": "soon"}), "rate_limited", Means.LATER, 0.0),
        (Answer(500), "no_answer", Means.LATER, 0.0),
        (Answer(503, "<html>"), "no_answer", Means.LATER, 0.0),
        (Answer(resets=True), "no_answer", Means.LATER, 0.0),
    ],
)  # fmt: skip
def test_each_other_answer_is_one_word(
    flow: Workflow, hooks: Webhooks, answer: Answer, word: str, means: Means, after_s: float
) -> None:
    flow.answers.append(answer)
    problem = refused(hooks)
    assert (problem.word, problem.means, problem.after_s) == (word, means, after_s)
    assert problem.perhaps_done == (word == "no_answer")
    assert flow.cards == []


def test_retry_after_as_a_date_is_held_against_the_answers_own(flow: Workflow, hooks: Webhooks) -> None:
    # The server adds a Date of its own; the one that is further away than its limit is cut, and an old one is no wait.
    flow.answers += [
        Answer(429, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}),
        Answer(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    ]
    assert refused(hooks).after_s == webhook.RETRY_AFTER_S_MAX
    assert refused(hooks).after_s == 0.0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_wherever_it_leads(flow: Workflow, hooks: Webhooks, status: int) -> None:
    flow.answers.append(Answer(status, headers={"Location": "/elsewhere"}))
    flow.answers.append(Answer(202))
    assert refused(hooks).word == "redirected"


def test_a_redirect_without_an_address_is_one_too(flow: Workflow, hooks: Webhooks) -> None:
    flow.answers.append(Answer(302))
    assert refused(hooks).means in (Means.PLACE, Means.LATER)
    assert flow.cards == []


def test_an_address_that_says_nothing_is_left_after_the_time_out(
    flow: Workflow, hooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhook.TIMEOUT_S == 8
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.05)
    flow.answers.append(Answer(hangs=True))
    assert refused(hooks).word == "no_answer"


def test_what_is_dead_for_long_is_closed_and_one_good_answer_forgets_it(flow: Workflow, hooks: Webhooks) -> None:
    flow.answers += [Answer(503)] * (UNREACHABLE_AFTER - 1)
    words = [refused(hooks).word for _ in range(UNREACHABLE_AFTER - 1)]
    assert set(words) == {"no_answer"}
    hooks.post(PLACE, TOLD)
    flow.answers += [Answer(200, "delivery failed")] * UNREACHABLE_AFTER
    words = [refused(hooks).word for _ in range(UNREACHABLE_AFTER)]
    assert words == ["not_taken"] * (UNREACHABLE_AFTER - 1) + ["unreachable"]
    assert MEANS["unreachable"] is Means.PLACE


def test_plain_words_that_are_refused_say_something_of_the_workflow(flow: Workflow, hooks: Webhooks) -> None:
    flow.answers += [Answer(400), Answer(413)]
    for _ in range(2):
        problem = refused(hooks, Message(ours("plain")))
        assert (problem.word, problem.means) == ("refused", Means.PLACE)


@pytest.mark.parametrize(
    "address", [None, "", "http://example.com/hook", "ftp://example.com", "https://", "https://a b/"]
)
def test_without_an_address_that_can_be_used_nothing_is_sent(address: str | None) -> None:
    problem = refused(Webhooks(lambda _name: address))
    assert (problem.word, problem.means) == ("no_address", Means.PLACE)


def test_a_new_address_needs_no_restart(flow: Workflow) -> None:
    known: dict[str, str] = {}
    hooks = Webhooks(known.get)
    assert refused(hooks).word == "no_address"
    known[PLACE.id] = flow.url
    assert hooks.post(PLACE, TOLD).to == PLACE


def test_it_can_post_and_do_nothing_else(hooks: Webhooks) -> None:
    able = TRAITS.abilities
    assert not any((able.edits, able.threads, able.whispers, able.home, able.search))
    with pytest.raises(NotDone):
        hooks.edit(Posted(PLACE, "n1"), TOLD)
    assert all(TRAITS.remedy(word) for word in MEANS)


def test_it_is_called_by_its_name_where_somebody_looks() -> None:
    words = closed_words(str(PLACE), "gone", TRAITS)
    assert words.startswith("The webhook orders-teams takes no messages (gone). The Workflow is gone, perhaps with")
    since = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
    told = text_of(closed(str(PLACE), "no_address", 2, since, TRAITS).summary)
    assert told.startswith("⚠️ The webhook orders-teams does not take my messages: `no_address`, first seen at")
    assert "2 messages wait." in told


def test_no_second_has_more_than_four() -> None:
    rate = TRAITS.limits.posts
    assert rate.burst + rate.a_second <= 4


def test_plain_http_is_for_this_machine_alone() -> None:
    assert usable("https://prod-1.westeurope.logic.azure.com:443/workflows/x?sig=y")
    assert usable("http://127.0.0.1:8080/hook")
    assert not usable("http://10.0.0.1/hook")


# ---------------------------------------------------------------- the address is a secret


def everything_of(problem: BaseException) -> str:
    """The error, and all that hangs on it."""
    seen, found = [], [problem]
    while found:
        each = found.pop()
        seen.append(f"{each!r} {each} {each.args} {vars(each)}")
        found += [other for other in (each.__cause__, each.__context__) if other is not None]
    return "\n".join([*seen, *traceback.format_exception(problem)])


BAD: list[Callable[[Workflow], str]] = [
    lambda flow: flow.url,
    lambda flow: flow.url.replace("127.0.0.1", "127.0.0.1.invalid").replace("http:", "https:"),
    lambda flow: f"https://127.0.0.1:1/x?sig={SECRET}",
    lambda flow: f"https://[::1/x?sig={SECRET}",
    lambda flow: f"https://\u2100.example/x?sig={SECRET}",
    lambda flow: f"https://{'a' * 70}.example/x?sig={SECRET}",
    lambda flow: f"http://127.0.0.1:99999/x?sig={SECRET}",
]


@pytest.mark.parametrize("address", BAD, ids=range(len(BAD)))
def test_whatever_goes_wrong_says_no_word_of_the_address(
    flow: Workflow, address: Callable[[Workflow], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.2)
    flow.answers += [Answer(resets=True)]
    hooks = Webhooks(lambda _name: address(flow))
    stream = io.StringIO()
    log.configure("worker", level="debug", stream=stream)
    problem = refused(hooks)
    structlog.get_logger().error("not taken", exc_info=problem, hooks=hooks)
    said = stream.getvalue() + everything_of(problem) + repr(hooks)
    assert "not taken" in said
    assert SECRET not in said
    assert "triggers" not in said
    assert problem.__cause__ is None
    assert problem.__context__ is None


def test_what_the_library_warns_of_while_an_address_is_used_is_not_written(
    flow: Workflow, caplog: pytest.LogCaptureFixture
) -> None:
    below = logging.getLogger("urllib3.connectionpool")
    hooks = Webhooks(lambda _name: below.warning("Failed to parse headers (url=%s)", flow.url) or flow.url)
    hooks.post(PLACE, TOLD)
    assert SECRET in caplog.text  # before it is used
    caplog.clear()
    with hooks._silence:
        below.warning("Failed to parse headers (url=%s)", flow.url)
    assert SECRET not in caplog.text
    below.warning("of somebody else's")
    assert "of somebody else's" in caplog.text
