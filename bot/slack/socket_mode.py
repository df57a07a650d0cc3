"""The line to Slack in Socket Mode: opened, held, and opened again, by us, with a word about it where it does not work.

The SDK's own client gives up when the first try fails, and later tries again every few seconds with a log line for each.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from bot.monotonic import monotonic_s
from bot.observability.obstacles import Obstacles, pause_s
from bot.slack.refused import slack_words

log = structlog.get_logger()

WHAT = "socket mode"
LOOK_EVERY_S = 0.5
# A connection that ends sooner counts as one that could not be opened: a token that was just revoked, say.
STABLE_S = 10.0
# An act that nobody acknowledges within three seconds has failed for whoever did it.
IDLE_WITHIN_S, FINISHED_WITHIN_S = 1.0, 3.0
NEEDS = (
    "the app-level token of this app (Basic Information, App-Level Tokens), xapp-..., with the scope connections:write"
)

_TOLD_BY_US = (
    "Failed to retrieve WSS URL",
    "Failed to establish a connection",
    "Failed to check the current session",
    "Failed to process a message",
    # Two of its threads close one socket at the same time, and the later finds nothing.
    "Failed to disconnect",
    "on_error invoked",
)


class Line:
    """Holds one connection. `client` is the SDK's `SocketModeClient`, which must not connect again by itself."""

    def __init__(self, client: Any, obstacles: Obstacles, *, pause_s: Callable[[int], float] = pause_s) -> None:
        self._client = client
        self._obstacles = obstacles
        self._pause_s = pause_s
        self.stop = threading.Event()
        self._failures = 0
        self._gate = _Gate()
        client.socket_mode_request_listeners[:] = map(self._gate.before, client.socket_mode_request_listeners)
        obstacles.stands(WHAT, "Slack's Socket Mode is not connected yet.", say=False)

    def start(self) -> None:
        threading.Thread(target=self.hold, name="slack-line", daemon=True).start()

    def close(self) -> None:
        """Hang up, with everything acknowledged that was taken.

        Nothing tells Slack to send no more but hanging up. So that is done in a moment in which nothing is under way; where
        none comes, nothing more is begun first. What was not begun is neither recorded nor acknowledged: Slack knows.
        """
        self.stop.set()
        give_up_at_s = monotonic_s() + IDLE_WITHIN_S
        while not (self._client.message_queue.empty() and self._gate.shut_if_idle()) and monotonic_s() < give_up_at_s:
            time.sleep(0.002)
        self._gate.shut(FINISHED_WITHIN_S)
        self._hang_up()

    def _hang_up(self) -> None:
        """At once: the SDK closes its socket only when the thread that reads from it has got something, and that is the next
        act of somebody, which nobody answers then.
        """
        session = self._client.current_session
        if session is not None and session.sock is not None:
            with suppress(OSError):  # it may be gone already
                session.sock.shutdown(socket.SHUT_RDWR)
        # The SDK's reading thread closes the socket, too, now; whichever of the two is later may find none.
        with suppress(AttributeError):
            self._client.disconnect()
        self._client.close()

    def hold(self) -> None:
        """Until `stop` is set."""
        while not self.stop.is_set():
            if not self._open():
                self._failures += 1
                self.stop.wait(self._pause_s(self._failures))
                continue
            opened_at_s = monotonic_s()
            while self._client.is_connected() and not self.stop.wait(LOOK_EVERY_S):
                pass
            if monotonic_s() - opened_at_s < STABLE_S:
                self._failures += 1
                self.stop.wait(self._pause_s(self._failures))
            else:
                self._failures = 0

    def _open(self) -> bool:
        try:
            # With a new address each time: one admits once.
            self._client.connect_to_new_endpoint()
        except Exception as problem:
            if not self.stop.is_set():
                self._obstacles.stands(WHAT, slack_words("SLACK_APP_TOKEN", NEEDS, problem))
            return False
        if self._client.is_connected():
            self._obstacles.gone(WHAT, "Slack's Socket Mode is connected.")
        return bool(self._client.is_connected())


class _Gate:
    """What comes in passes it, until it is shut."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._shut = False

    def before(self, listener: Callable[..., None]) -> Callable[..., None]:
        def listen(*what: Any) -> None:
            with self._changed:
                if self._shut:
                    return
                self._under_way += 1
            try:
                listener(*what)
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

        return listen

    def shut_if_idle(self) -> bool:
        with self._changed:
            self._shut = self._shut or not self._under_way
            return self._shut

    def shut(self, finish_within_s: float) -> None:
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: not self._under_way, finish_within_s)


def quiet_about_connections() -> logging.Logger:
    """For the SDK: what `Line` says itself is not said twice."""
    logger = logging.getLogger("bot.slack.socket")
    logger.setLevel(logging.ERROR)
    logger.addFilter(_told_otherwise)
    return logger


def _told_otherwise(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_TOLD_BY_US)
