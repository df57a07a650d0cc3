"""Signs of life between processes: `/readyz` says which of them is missing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

BEAT_EVERY_S = 3.0
ALIVE_FOR_S = 10


class Beats:
    """One key a kind of process, kept alive by any of its kind."""

    def __init__(self, connection: Redis, prefix: str = "prodaccess:") -> None:
        self._connection = connection
        self._prefix = prefix

    def beat(self, kind: str) -> None:
        """A process of this kind lives. Never raises: a missed beat shows by itself."""
        try:
            self._connection.set(f"{self._prefix}beat:{kind}", "1", ex=ALIVE_FOR_S)
        except RedisError:
            return

    def alive(self, kind: str) -> bool:
        return bool(self._connection.exists(f"{self._prefix}beat:{kind}"))


def beat_while_running(beats: Beats, kind: str, stop: threading.Event, healthy: Callable[[], bool]) -> None:
    """Beat from a thread of its own until `stop`, as long as `healthy` says so."""

    def loop() -> None:
        while True:
            lives = healthy()
            if lives:
                beats.beat(kind)
            # What is still starting is looked at soon again: whoever waits for it should not wait for a beat.
            if stop.wait(BEAT_EVERY_S if lives else 0.2):
                return

    threading.Thread(target=loop, name=f"beat-{kind}", daemon=True).start()
