"""Whoever answers a byte at a time, for ever: nobody waits longer than for one who says nothing."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import pytest

from bot.chat.surface import NO_ANSWER, NotDone
from bot.sandbox.serving import listener
from bot.settings import Secret
from bot.teams.client.connector import Connector
from bot.teams.client.tokens import Tokens, TokensUnavailable

WAIT_S = 0.4
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"id":"1"}'
OK = b"HTTP/1.1 200 OK\r\n"
# Each stands there at once; after it comes a byte now and then.
SLOW = {
    "head": b"HTTP/1.1 200 OK\r\nX-A: ",
    "body": OK + b"Content-Length: 100000\r\n\r\n",
    "body without an end": OK + b'\r\n{"id":"1"}',
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
    "an error": b"HTTP/1.1 503 Later\r\nContent-Length: 100000\r\n\r\n",
}


class Slow:
    """`first`: so many answers that are whole, on the same connection."""

    def __init__(self, begins: bytes, first: int = 0) -> None:
        self._begins, self._first = begins, first
        self._listener = listener()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._over = threading.Event()
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                connected, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._answer, args=(connected,), daemon=True).start()

    def _answer(self, connected: socket.socket) -> None:
        with connected, suppress(OSError):
            for number in range(self._first + 1):
                _read(connected)
                connected.sendall(GOOD if number < self._first else self._begins)
            while not self._over.wait(0.02):
                connected.sendall(b" ")

    def close(self) -> None:
        self._over.set()
        self._listener.close()


def _read(connected: socket.socket) -> None:
    """One request, with all of its body."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        head += connected.recv(1) or b"\r\n\r\n"
    said = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
    while said and len(body) < int(said[1]):
        body += connected.recv(int(said[1]) - len(body)) or b" " * int(said[1])


@pytest.fixture
def slow() -> Iterator[Callable[..., Slow]]:
    made: list[Slow] = []

    def begin(begins: bytes, first: int = 0) -> Slow:
        made.append(Slow(begins, first))
        return made[-1]

    yield begin
    for one in made:
        one.close()


class OneToken:
    def bot(self) -> str:
        return "token"

    def forget(self) -> None:
        pass


def connector(url: str, timeout_s: float = WAIT_S) -> Connector:
    return Connector(cast(Tokens, OneToken()), (url,), timeout_s)


@pytest.mark.parametrize("where", SLOW)
def test_teams_that_never_ends_is_no_answer(slow: Callable[..., Slow], where: str) -> None:
    there = slow(SLOW[where])
    began_s = time.monotonic()
    with pytest.raises(NotDone, match=NO_ANSWER) as caught:
        connector(there.url).post(there.url, "19:a", {})
    assert caught.value.perhaps_done
    assert time.monotonic() - began_s < 5


def test_nor_on_a_connection_that_was_good_before(slow: Callable[..., Slow]) -> None:
    there = slow(SLOW["body"], first=2)
    # The first two are quick on any machine.
    asked = connector(there.url, 2.0)
    assert [asked.post(there.url, "19:a", {}).body for _ in range(2)] == [{"id": "1"}] * 2
    with pytest.raises(NotDone, match=NO_ANSWER):
        asked.post(there.url, "19:a", {})
    assert there.connections == 1


@pytest.mark.parametrize("where", SLOW)
def test_a_login_that_never_ends_gives_no_token(slow: Callable[..., Slow], where: str) -> None:
    there = slow(SLOW[where])
    tokens: Any = Tokens(
        there.url, "11111111-2222-3333-4444-555555555555", "app", Secret("X", ("x",)), timeout_s=WAIT_S
    )
    with pytest.raises(TokensUnavailable, match=NO_ANSWER):
        tokens.bot()
