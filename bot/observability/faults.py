"""Exceptions that should not have happened: into the log, and into the count that `/metrics` shows of all processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

from bot.observability.log import log_failure
from workflows.ports import LedgerUnreachable


class Faults:
    """A `Fault`. `connection` may be None: then nothing is counted."""

    def __init__(self, connection: Redis | None, prefix: str = "prodaccess:") -> None:
        self._connection = connection
        self._key = f"{prefix}failures"

    def __call__(self, what: str, problem: BaseException, **facts: str) -> str:
        number = log_failure(what, problem, **facts)
        # Counting on a server that does not answer would only make the bad minute longer.
        if self._connection is not None and not isinstance(problem, (LedgerUnreachable, RedisError)):
            with suppress(RedisError):
                self._connection.hincrby(self._key, what, 1)
        return number

    def counts(self) -> Mapping[str, int]:
        """How often what has failed, since the ledger was made."""
        if self._connection is None:
            return {}
        found = self._connection.hgetall(self._key)
        counted = ((_text(what), _text(count)) for what, count in found.items()) if isinstance(found, dict) else ()
        return {what: int(count) for what, count in counted if count.isascii() and count.isdigit()}


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
