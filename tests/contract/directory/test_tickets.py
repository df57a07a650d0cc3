"""Whether a ticket is open, from a server on this machine that answers kindly and unkindly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.directory.tickets import BYTES_MAX, HttpTickets
from tests.contract.directory import test_outside_groups as groups
from tests.contract.directory.test_outside_groups import Answer, Outside
from workflows.core.policy import TicketCheck
from workflows.core.rules.ticket_check import TicketSeen, TicketState

# The fixture, which pytest looks for here.
outside = groups.outside

TOKEN = "y_NbAkKc66ryYTWUXYEu"


def check(outside: Outside, path: str = "/tickets/{ticket}", token: str | None = "TICKETS_TOKEN") -> TicketCheck:
    return TicketCheck(f"{outside.url}{path}", token)


def tickets(token: str | None = TOKEN, clock: Callable[[], float] = time.monotonic) -> HttpTickets:
    return HttpTickets(lambda _name: token, clock)


def why_not(outside: Outside, token: str | None = TOKEN) -> str:
    seen = tickets(token).look(check(outside), "INC-42")
    assert seen.state is TicketState.UNKNOWN
    assert TOKEN not in seen.why
    assert "127.0.0.1" not in seen.why
    return seen.why


@pytest.mark.parametrize(
    ("body", "state"), [({"open": True}, TicketState.OPEN), ({"open": False, "x": 1}, TicketState.CLOSED)]
)
def test_it_is_open_or_closed(outside: Outside, body: Any, state: TicketState):
    outside.answer = lambda _path, _query: Answer(body)
    assert tickets().look(check(outside), "INC-42") == TicketSeen(state)
    ((path, _query, headers),) = outside.seen
    assert path == "/tickets/INC-42"
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_what_is_not_found_is_not_there(outside: Outside):
    outside.answer = lambda _path, _query: Answer({"error": "no such ticket"}, 404)
    assert tickets().look(check(outside), "INC-42") == TicketSeen(TicketState.ABSENT)


@pytest.mark.parametrize("path", ["/t/{ticket}/state", "/t?id={ticket}&of=1"])
def test_a_ticket_is_a_name_and_no_part_of_an_address(outside: Outside, path: str):
    outside.answer = lambda _path, _query: Answer({"open": True})
    tickets().look(check(outside, path), "a/../b?c=d&of=2#e%2F ü")
    ((found, query, _headers),) = outside.seen
    written = "a%2F..%2Fb%3Fc%3Dd%26of%3D2%23e%252F%20%C3%BC"
    assert found == (f"/t/{written}/state" if "?" not in path else "/t")
    assert query == ({} if "?" not in path else {"id": ["a/../b?c=d&of=2#e%2F ü"], "of": ["1"]})


def test_a_name_of_dots_asks_nothing(outside: Outside):
    assert tickets().look(check(outside), "..") == TicketSeen(TicketState.ABSENT)
    assert outside.seen == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer({}, 500), "the ticket system answered with an error (500)"),
        (Answer({}, 410), "the ticket system answered with an error (410)"),
        (Answer({}, 401), "the ticket system refused the token"),
        (Answer({}, 403), "the ticket system refused the token"),
        (Answer(raw=b"<html>log in</html>"), "the ticket system answered something that is not JSON"),
        (Answer(raw=b"{" * 60_000), "the ticket system answered something that is not JSON"),
        (Answer(raw=b" " * (BYTES_MAX + 1)), "the ticket system answered more than it should"),
    ],
)
def test_an_unkind_answer_says_neither(outside: Outside, answer: Answer, why: str):
    outside.answer = lambda _path, _query: answer
    assert why_not(outside) == why


@pytest.mark.parametrize(
    "body", [{}, {"open": "true"}, {"open": 1}, {"open": None}, {"status": "open"}, [True], True, None]
)
def test_another_shape_says_neither(outside: Outside, body: Any):
    outside.answer = lambda _path, _query: Answer(body)
    assert why_not(outside) == "the ticket system answered something else than whether it is open"


@pytest.mark.parametrize(
    "slow", [Answer({"open": True}, after_s=30), Answer({"open": True, "x": "y" * 200}, drips=True)]
)
def test_a_slow_one_says_neither(outside: Outside, slow: Answer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.directory.tickets.TIMEOUT_S", 0.2)
    outside.answer = lambda _path, _query: slow
    assert why_not(outside) == "the ticket system did not answer in time"


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "wire",
    [
        b"this is no HTTP\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        OK + b"X: a\r\n" * 300 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n{}",
        OK + b'Transfer-Encoding: chunked\r\n\r\n100\r\n{"open": true}',
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_answer_of_a_web_server_says_neither(outside: Outside, wire: bytes):
    outside.answer = lambda _path, _query: Answer(wire=wire)
    assert why_not(outside) == "the ticket system answered something that cannot be read"


@pytest.mark.parametrize(
    "wire",
    [
        OK + b"X: y\r\n" * 90,
        b"HTTP/1.1 200 " + b"O" * 600,
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 600\r\n\r\n" + b"x" * 600,
    ],
)
def test_one_that_is_slow_before_its_answer_begins_says_neither(
    outside: Outside, wire: bytes, monkeypatch: pytest.MonkeyPatch
):
    """Every socket's time-out is kept to: it is the whole that has to be over in time."""
    monkeypatch.setattr("bot.directory.tickets.TIMEOUT_S", 0.2)
    outside.answer = lambda _path, _query: Answer(wire=wire, drips=True)
    began_s = time.monotonic()
    assert why_not(outside) == "the ticket system did not answer in time"
    assert time.monotonic() - began_s < 15, "it takes half a minute to drip"


def test_redirects_have_the_same_time_as_one_answer(outside: Outside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.directory.tickets.TIMEOUT_S", 0.4)
    outside.answer = lambda path, _query: Answer(status=302, headers={"Location": f"{path}x"}, after_s=0.3)
    assert why_not(outside) == "the ticket system did not answer in time"
    assert len(outside.seen) <= 2


@pytest.mark.parametrize("host", ["tickets..example.com", f"{'t' * 70}.example.com"])
def test_a_name_that_no_host_can_have_says_neither(host: str):
    seen = tickets().look(TicketCheck(f"https://{host}/{{ticket}}"), "INC-42")
    assert seen == TicketSeen(TicketState.UNKNOWN, "the ticket system could not be reached")


def test_half_a_character_is_no_ticket(outside: Outside):
    assert tickets().look(check(outside), "INC-\ud800") == TicketSeen(TicketState.ABSENT)
    assert outside.seen == []


def test_nobody_there_says_neither(outside: Outside):
    seen = tickets().look(TicketCheck("https://127.0.0.1:1/{ticket}"), "INC-42")
    assert seen == TicketSeen(TicketState.UNKNOWN, "the ticket system could not be reached")


def test_a_redirect_to_another_host_is_not_followed_and_gets_no_token(outside: Outside):
    there = outside.url.replace("127.0.0.1", "localhost")
    outside.answer = lambda _path, _query: Answer(status=302, headers={"Location": f"{there}/stolen"})
    assert why_not(outside) == "the ticket system points to another address, which is not followed"
    assert len(outside.seen) == 1


@pytest.mark.parametrize("token", [None, "", "two words", "x\r\nHost: y"])
def test_a_token_that_is_not_there_or_is_none_asks_nothing(outside: Outside, token: str | None):
    assert "TICKETS_TOKEN" in why_not(outside, token)
    assert outside.seen == []


def test_where_none_is_named_none_is_sent(outside: Outside):
    outside.answer = lambda _path, _query: Answer({"open": True})
    assert tickets(None).look(check(outside, token=None), "INC-42").state is TicketState.OPEN
    assert "Authorization" not in outside.seen[0][2]


def test_a_secret_does_not_travel_in_the_clear():
    seen = tickets().look(TicketCheck("http://tickets.example.com/{ticket}", "TICKETS_TOKEN"), "INC-42")
    assert seen.why == "the ticket system is not an https address"


def test_what_was_learnt_is_taken_again_for_seconds_and_no_longer(outside: Outside):
    now_s = [100.0]
    outside.answer = lambda _path, _query: Answer({"open": True})
    found = tickets(clock=lambda: now_s[0])
    for _ in range(3):
        assert found.look(check(outside), "INC-42").state is TicketState.OPEN
    found.look(check(outside), "INC-7")
    assert len(outside.seen) == 2
    now_s[0] += 5
    outside.answer = lambda _path, _query: Answer({"open": False})
    assert found.look(check(outside), "INC-42").state is TicketState.CLOSED


def test_whoever_asks_for_patience_is_not_asked_before(outside: Outside):
    now_s = [100.0]
    outside.answer = lambda _path, _query: Answer({}, 429, {"Retry-After": "30"})
    found = tickets(clock=lambda: now_s[0])
    for number in range(3):
        seen = found.look(check(outside), f"INC-{number}")
        assert seen.why == "the ticket system asked to be left alone for a while"
    assert len(outside.seen) == 1
    now_s[0] += 31
    outside.answer = lambda _path, _query: Answer({"open": True})
    assert found.look(check(outside), "INC-0").state is TicketState.OPEN
