"""One answer from an address, whoever asks: in time, not too much, from nowhere else. What breaks off is no answer to anybody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from bot.directory.http_json import NotFetched, fetch_json
from bot.forge.calls import GITLAB, Calls
from bot.gate.client import NoAnswer as GateNoAnswer
from bot.gate.client import call
from bot.terminal_access import sts
from tests.support import build
from workflows.ports import ForgeSilent


@contextmanager
def saying(head: bytes, body: bytes = b"", *, stalls: bool = False) -> Iterator[str]:
    """Each who asks gets these bytes; then the line is cut, or nothing more comes."""
    over = threading.Event()

    def answer() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                line.recv(65_536)
                with suppress(OSError):  # who had enough has gone
                    line.sendall(head + b"\r\n\r\n" + body)
                if stalls:
                    over.wait()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
    thread.join()


def by_a_forge(url: str) -> Any:
    return Calls(url, lambda: build.NOW, GITLAB)("GET", "/x", "Bearer t", None, "x").said


def by_a_job(url: str) -> Any:
    return call("GET", f"{url}/x", "Bearer t", timeout_s=0.4).said


def by_sts(url: str) -> Any:
    return sts._asked(f"{url}/", {})


def by_a_directory(url: str) -> Any:
    return fetch_json(f"{url}/", {}, timeout_s=0.4, redirects=False)


ASKED: tuple[tuple[Callable[[str], Any], type[Exception]], ...] = (
    (by_a_forge, ForgeSilent),
    (by_a_job, GateNoAnswer),
    (by_sts, sts.NoAnswer),
    (by_a_directory, NotFetched),
)


@pytest.mark.parametrize(("ask", "silent"), ASKED)
@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops", b"403 No"])
def test_what_stalls_before_its_end_is_no_answer(
    ask: Callable[[str], Any], silent: type[Exception], status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forge.calls.TIMEOUT_S", 0.4)
    monkeypatch.setattr("bot.terminal_access.sts.TIMEOUT_S", 0.4)
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: 900"
    # An error's body is read by nobody there.
    words = None if ask is by_a_directory and status != b"200 OK" else "did not answer in time"
    with saying(head, b'{"a": 1}', stalls=True) as url, pytest.raises(silent, match=words):
        ask(url)


@pytest.mark.parametrize(("ask", "silent"), ASKED)
def test_what_ends_too_early_is_no_answer_although_its_beginning_reads_well(
    ask: Callable[[str], Any], silent: type[Exception]
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900"
    with saying(head, b'{"a": 1}') as url, pytest.raises(silent):
        ask(url)


@pytest.mark.parametrize(("ask", "silent"), ASKED)
def test_what_is_too_long_is_no_answer_although_its_beginning_reads_well(
    ask: Callable[[str], Any], silent: type[Exception]
) -> None:
    body = b'{"a": 1}' + b" " * (3 * 1024 * 1024)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}".encode()
    with saying(head, body) as url, pytest.raises(silent, match="more than it should"):
        ask(url)


@pytest.mark.parametrize(("ask", "silent"), ASKED)
@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops", b"403 No"])
def test_what_breaks_off_in_the_middle_of_a_piece_is_no_answer(
    ask: Callable[[str], Any], silent: type[Exception], status: bytes
) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    with saying(head, b'ff\r\n{"a": 1}') as url, pytest.raises(silent):
        ask(url)


@pytest.mark.parametrize(("ask", "silent"), ASKED)
def test_a_redirect_leads_nowhere(ask: Callable[[str], Any], silent: type[Exception]) -> None:
    with saying(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12", b'{"a": "two"}') as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {other}/\r\nContent-Length: 0".encode()
        with saying(moved) as url:
            if ask in (by_sts, by_a_directory):
                with pytest.raises(silent, match=r"302|another address"):
                    ask(url)
            else:
                assert not ask(url), "it is an answer, and says nothing"


@pytest.mark.parametrize(("ask", "silent"), ASKED)
def test_secrets_travel_over_https_or_within_this_machine(ask: Callable[[str], Any], silent: type[Exception]) -> None:
    with pytest.raises(silent, match="is not an https address"):
        ask("http://example.com")
