"""How often which system was called, how long it took, and what it said where it did not do it: of all processes together.

Each process counts in memory and adds what is new to a hash of the ledger's server every ten seconds. No call waits for that. A
process that is killed takes up to ten seconds of counts with it, and nothing else.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from redis import Redis

from bot.observability.series import NOT_NOW, Series, added, kept_as_a_hash
from workflows.core.calls import Call

if TYPE_CHECKING:
    from prometheus_client.core import Metric

EVERY_S = 10.0
# So many words of a service's are told apart; the others are `other`. A service may invent what it likes.
WORDS_MAX = 100
METHODS_MAX = 100
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

CALLS = Series(
    "prodaccess_calls",
    "Calls to other systems, by what was called and what it said; `ok` where it was done.",
    ("service", "method", "error"),
)
TOOK = Series("prodaccess_call_seconds", "How long calls to other systems took, by system.", ("service",), _SECONDS)
ALL = (CALLS, TOOK)


class Calls:
    """For any thread: `heard` where calls are made, `flush` in a thread of its own."""

    def __init__(self, redis: Redis, prefix: str = "prodaccess:") -> None:
        self._redis = redis
        self._key = key_of(prefix)
        self._lock = threading.Lock()
        self._new: dict[str, float] = {}
        self._known: dict[str, set[str]] = {}

    def heard(self, call: Call) -> None:
        with self._lock:
            method = self._bounded(f"{call.service} method", call.method, METHODS_MAX)
            error = self._bounded(f"{call.service} error", call.error or "ok", WORDS_MAX)
            added(self._new, CALLS.one(call.service, method, error))
            added(self._new, TOOK.took(call.service, value=call.seconds))

    def flush(self) -> None:
        """One round trip; none where nothing was called. What could not be written is written the next time.

        Never raises for a server that takes nothing just now.
        """
        with self._lock:
            new, self._new = self._new, {}
        if not new:
            return
        try:
            with kept_as_a_hash(self._redis, self._key), self._redis.pipeline(transaction=False) as pipe:
                for field, value in new.items():
                    pipe.hincrbyfloat(self._key, field, round(value, 6))
                pipe.execute()
        except Exception as problem:
            with self._lock:
                added(self._new, new)
            if not isinstance(problem, NOT_NOW):
                raise

    def _bounded(self, what: str, word: str, at_most: int) -> str:
        word = re.sub(r"[^A-Za-z0-9_.:/ -]", "_", word)[:64]
        known = self._known.setdefault(what, {"ok"})
        if word not in known and len(known) >= at_most:
            return "other"
        known.add(word)
        return word


def key_of(prefix: str) -> str:
    return f"{prefix}calls"


def shown(stored: Mapping[str, float]) -> Iterator[Metric]:
    for series in ALL:
        yield series.family(stored)
