"""Connections that nobody finishes a request on: closed after a while, and never so many that nobody else is heard.

uvicorn waits for ever for a request's head and body, and refuses newcomers once a limit is reached: those who only hold
connections open would be the last to go. Here whoever has kept us waiting longest goes first.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger()

# A request of Slack's is here within milliseconds. An idle connection between two requests is uvicorn's own business.
REQUEST_S = 10.0
CONNECTIONS_MAX = 512
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


def connections_max() -> int:
    """Well below what this process may open: Redis, Slack and files want some, too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else max(16, min(CONNECTIONS_MAX, soft // 2))


class GuardedProtocol(H11Protocol):
    """`request_s`, `most`: for tests, on a subclass."""

    request_s = REQUEST_S
    most = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        super().connection_made(transport)
        self._wait_for_request()
        if len(self.connections) > (self.most or connections_max()):
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.unfinished:
            self._stop_waiting()
        elif self._deadline is None:
            self._wait_for_request()

    @property
    def unfinished(self) -> bool:
        """Whether we wait for a request, or for the rest of one."""
        idle = self.timeout_keep_alive_task is not None
        return not idle and self.conn.their_state in _UNFINISHED

    @property
    def waits_until_s(self) -> float:
        """On the loop's clock; infinite for a connection whose request is here."""
        return self._deadline.when() if self._deadline is not None else float("inf")

    def _wait_for_request(self) -> None:
        self._deadline = self.loop.call_later(self.request_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.unfinished:
            log.info("a connection was closed: its request did not come")
            self.transport.abort()

    def _make_room(self) -> None:
        """Whoever has kept us waiting longest goes; where all have sent what they want, the newcomer does."""
        # One that was closed just now stands among them until the loop comes to it.
        others = [
            each for each in self.connections if isinstance(each, GuardedProtocol) and not each.transport.is_closing()
        ]
        if len(others) <= (self.most or connections_max()):
            return
        slowest = min(others, key=lambda each: each.waits_until_s, default=self)
        (slowest if slowest.unfinished else self).transport.abort()
