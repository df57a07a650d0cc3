"""How often a client asks its server: of this client alone, whatever else of the process speaks to the same one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis


@contextmanager
def round_trips(client: redis.Redis) -> Iterator[list[bytes]]:
    """What `client` sends from now on, one entry a round trip: a command, or a whole pipeline. What a new connection says first,
    such as its password, is no question of the caller's, and not in it.

    The client goes on as it was behind the block.
    """
    pool, sent = client.connection_pool, []
    was = pool.connection_class

    class Counted(was):  # type: ignore[misc,valid-type]  # whatever the client connects by
        _greets = False

        def connect_check_health(self, *args: Any, **more: Any) -> None:
            self._greets = True
            try:
                super().connect_check_health(*args, **more)
            finally:
                self._greets = False

        def send_packed_command(self, command: Any, *args: Any, **more: Any) -> None:
            if not self._greets:
                sent.append(command if isinstance(command, bytes) else b"".join(command))
            super().send_packed_command(command, *args, **more)

    pool.disconnect()
    pool.reset()
    pool.connection_class = Counted
    try:
        yield sent
    finally:
        pool.disconnect()
        pool.reset()
        pool.connection_class = was
