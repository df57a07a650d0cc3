"""Whether there is a chat: what answers at all is there, and for how long nothing has."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bot.terminal_access.chat_down import REMEMBERED_S, Outage


class _Chat(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def chat() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Chat)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/api.test"
    server.shutdown()
    server.server_close()
    _Chat.status = 200


@pytest.fixture
def gone() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("status", "down"), [(200, None), (404, None), (429, None), (401, None), (500, 0.0), (503, 0.0)]
)
def test_a_refusal_is_an_answer_and_an_error_of_the_servers_is_none(chat: str, status: int, down: float | None) -> None:
    _Chat.status = status

    assert Outage([chat], lambda: 7.0).down_for_s() == down


def test_with_no_chat_at_all_nothing_is_down() -> None:
    assert Outage([], lambda: 7.0).down_for_s() is None


def test_one_of_two_is_enough(chat: str, gone: str) -> None:
    assert Outage([gone, chat], lambda: 7.0).down_for_s() is None
    assert Outage([gone, gone], lambda: 7.0).down_for_s() == 0.0


def test_it_is_counted_from_the_first_look_in_vain_and_anew_after_an_answer_or_a_pause(chat: str) -> None:
    now = [100.0]
    outage = Outage([chat], lambda: now[0])
    _Chat.status = 503
    assert outage.down_for_s() == 0.0
    now[0] += 8
    assert outage.down_for_s() == 8.0
    _Chat.status = 200
    assert outage.down_for_s() is None
    _Chat.status = 503
    now[0] += 8
    assert outage.down_for_s() == 0.0
    now[0] += REMEMBERED_S + 1
    assert outage.down_for_s() == 0.0, "nobody has looked in between"
