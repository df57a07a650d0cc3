"""Small things that every process of ours finds again, by name: in Redis, or in memory for tests."""

from __future__ import annotations

from typing import Protocol

import redis

from workflows.ledger.scripts import Server

PREFIX = "prodaccess:teams:"


class Shelf(Protocol):
    """Each call raises LedgerUnreachable."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, body: bytes, keep_s: int | None = None) -> None:
        """`keep_s`: for so many seconds; None: for good."""
        ...

    def take(self, name: str) -> bytes | None:
        """What stood there, which does so no longer: of several that take it one gets it."""
        ...

    def swap(self, name: str, body: bytes, keep_s: int) -> bytes | None:
        """As `put`; what stood there before, which one alone gets."""
        ...


class RedisShelf:
    """`teams:NAME` under the ledger's own prefix: strings."""

    def __init__(self, client: redis.Redis) -> None:
        self._server = Server(client)

    def get(self, name: str) -> bytes | None:
        # A key of another type is as good as none to MGET, and no error.
        return _bytes(self._server.call("MGET", PREFIX + name)[0])

    def put(self, name: str, body: bytes, keep_s: int | None = None) -> None:
        expiry: tuple[str | int, ...] = () if keep_s is None else ("EX", keep_s)
        self._server.call("SET", PREFIX + name, body, *expiry)

    def take(self, name: str) -> bytes | None:
        return _bytes(self._server.call("GETDEL", PREFIX + name))

    def swap(self, name: str, body: bytes, keep_s: int) -> bytes | None:
        # The library reads an answer of SET as yes or no.
        before = self._server.call("GETSET", PREFIX + name, body)
        self._server.call("EXPIRE", PREFIX + name, keep_s)
        return _bytes(before)


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else str(value).encode() if value is not None else None
