"""The line to Slack in Socket Mode: opened, held, and opened again, by us, with a word about it where it does not work.

The SDK's own client gives up when the first try fails, and later tries again every few seconds with a log line for each.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
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
NEEDS = (
    "the app-level token of this app (Basic Information, App-Level Tokens), xapp-..., with the scope connections:write"
)

_TOLD_BY_US = (
    "Failed to retrieve WSS URL",
    "Failed to establish a connection",
    "Failed to check the current session",
    "Failed to process a message",
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
        obstacles.stands(WHAT, "Slack's Socket Mode is not connected yet.", say=False)

    def start(self) -> None:
        threading.Thread(target=self.hold, name="slack-line", daemon=True).start()

    def close(self) -> None:
        self.stop.set()
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


def quiet_about_connections() -> logging.Logger:
    """For the SDK: what `Line` says itself is not said twice."""
    logger = logging.getLogger("bot.slack.socket")
    logger.setLevel(logging.ERROR)
    logger.addFilter(_told_otherwise)
    return logger


def _told_otherwise(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_TOLD_BY_US)
