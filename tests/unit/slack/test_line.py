"""Hanging up on Slack: what was begun is finished first, and nothing is begun after it."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState

from bot.observability.obstacles import Obstacles
from bot.slack.socket_mode import Line, quiet_about_connections
from tests.support.waiting import eventually


class Client:
    """As much of the SDK's as `Line` needs, with one listener, that waits until it is let on."""

    def __init__(self) -> None:
        self.socket_mode_request_listeners = [self.listen]
        self.message_queue: queue.Queue[str] = queue.Queue()
        self.sock, self.other_end = socket.socketpair()
        self.current_session = self
        self.go_on = threading.Event()
        self.said: list[str] = []

    def listen(self, act: str) -> None:
        self.said.append(f"began {act}")
        self.go_on.wait(10)
        self.said.append(f"acknowledged {act}")

    def disconnect(self) -> None:
        self.sock.close()

    def close(self) -> None:
        self.said.append("closed")

    def act(self, name: str) -> threading.Thread:
        thread = threading.Thread(target=self.socket_mode_request_listeners[0], args=(name,))
        thread.start()
        return thread


@pytest.fixture
def client() -> Iterator[Client]:
    played = Client()
    yield played
    played.sock.close()
    played.other_end.close()


def line(client: Any) -> Line:
    return Line(client, Obstacles())


def test_what_is_under_way_is_acknowledged_before_the_line_is_closed(client: Client) -> None:
    ours = line(client)
    press = client.act("a press")
    eventually(lambda: client.said)
    closing = threading.Thread(target=ours.close)
    closing.start()
    client.go_on.set()
    press.join()
    closing.join()
    assert client.said == ["began a press", "acknowledged a press", "closed"]


def test_what_comes_after_it_is_not_begun_and_slack_hears_at_once_that_nobody_listens(client: Client) -> None:
    line(client).close()
    client.act("a press").join()
    assert client.said == ["closed"]
    client.other_end.settimeout(5)
    assert client.other_end.recv(1) == b""


class ClosedByAnother:
    """A socket that another thread closes in the moment in which the SDK does."""

    def recv(self, _: int) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")

    def close(self) -> None:
        raise AttributeError("'NoneType' object has no attribute 'close'")


def test_two_threads_that_close_one_socket_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    logger = quiet_about_connections()
    connection = Connection("wss://localhost", logger)
    connection.on_error_listener = lambda _: None  # as the SDK's client has it, and with words that we leave out, too
    connection.sock = cast(Any, ClosedByAnother())
    connection.run_until_completion(ConnectionState())
    assert [record.message for record in caplog.records if record.name == logger.name] == []


def test_hanging_up_is_done_whole_though_another_thread_was_faster(client: Client) -> None:
    def too_late() -> None:
        raise AttributeError("'NoneType' object has no attribute 'close'")

    client.disconnect = too_late  # type: ignore[method-assign]  # the SDK's own thread was faster
    line(client).close()
    assert client.said == ["closed"]
