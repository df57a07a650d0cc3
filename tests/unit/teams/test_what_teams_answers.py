"""What Teams answers to a call, and what goes on in spite of it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest

from bot.chat.surface import Means
from bot.teams.client.answers import MEANS, refusal
from bot.teams.client.traits import TRAITS

BLOCKED = {
    "errorCode": 209,
    "message": '{\r\n  "subCode": "MessageWritesBlocked",\r\n  "details": "Thread is blocked"}',
}


@pytest.mark.parametrize(
    ("status", "body", "word", "means", "perhaps"),
    [
        (403, {"error": {"code": "BotNotInConversationRoster"}}, "BotNotInConversationRoster", Means.PLACE, False),
        (403, BLOCKED, "MessageWritesBlocked", Means.PLACE, False),
        (403, "<html>", "http_403", Means.PLACE, False),
        (
            404,
            {"error": {"code": "ActivityNotFoundInConversation"}},
            "ActivityNotFoundInConversation",
            Means.MESSAGE,
            False,
        ),
        (404, {"error": {"code": "ConversationNotFound"}}, "ConversationNotFound", Means.PLACE, False),
        (413, {"error": {"code": "MessageSizeTooBig"}}, "MessageSizeTooBig", Means.FORM, False),
        (400, {"error": {"code": "SomethingNew"}}, "http_400", Means.FORM, False),
        (403, {"error": {"code": "BotDisabledByAdmin"}}, "BotDisabledByAdmin", Means.ALL, False),
        (401, {"error": {"code": "BotNotRegistered"}}, "BotNotRegistered", Means.ALL, False),
        (401, None, "http_401", Means.ALL, False),
        (412, {"error": {"code": "PreconditionFailed"}}, "PreconditionFailed", Means.LATER, False),
        (429, {"error": {"code": "Throttled"}}, "Throttled", Means.LATER, False),
        (429, {"error": {"code": "MessageWritesBlocked"}}, "MessageWritesBlocked", Means.LATER, False),
        (500, None, "http_500", Means.LATER, True),
        (502, "bad gateway", "http_502", Means.LATER, True),
        (503, None, "http_503", Means.LATER, True),
        (504, None, "http_504", Means.LATER, True),
        # A redirect is not followed: whoever wants our token elsewhere does not get it.
        (302, None, "http_302", Means.UNKNOWN, False),
        (418, {"error": {"code": "NeverHeard"}}, "NeverHeard", Means.UNKNOWN, False),
        (418, {"error": {"code": "not a word\n"}}, "http_418", Means.UNKNOWN, False),
        (418, {"error": ["x"]}, "http_418", Means.UNKNOWN, False),
        (418, [5], "http_418", Means.UNKNOWN, False),
    ],
)
def test_an_error_says_what_it_means(status: int, body: Any, word: str, means: Means, perhaps: bool) -> None:
    content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    found = refusal(status, content, {})
    assert (found.word, found.means, found.perhaps_done) == (word, means, perhaps)


@pytest.mark.parametrize(
    ("said", "after_s"),
    [
        ("7", 7.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("99999", 3600.0),
        ("99999999", 3600.0),
        ("9" * 99, 0.0),
        ("1e9", 0.0),
    ],
)
def test_it_is_left_alone_for_so_long_as_it_wants_to_be(said: str, after_s: float) -> None:
    assert refusal(HTTPStatus.TOO_MANY_REQUESTS, b"", {"Retry-After": said}).after_s == after_s


def test_whatever_closes_a_place_can_be_mended() -> None:
    for word in (word for word, means in MEANS.items() if means in (Means.PLACE, Means.ALL)):
        assert TRAITS.remedy(word)
    assert TRAITS.meaning("not_installed") is Means.PLACE
    assert "administrator" in TRAITS.remedy("not_installed")
