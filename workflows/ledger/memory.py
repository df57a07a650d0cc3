"""The ledger in this process's memory, for unit tests: the same answers as Redis gives, on a clock that the test sets.

    clock = MemoryClock()
    ledger = MemoryLedger(clock)
    due = MemoryDue(ledger)
    clock.advance(61)

Records go through the codec, so that one that cannot be stored fails here, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from workflows.core.identity import Address
from workflows.core.people import Account, Membership, PersonFacts, which_stands, with_news
from workflows.core.records.record import Record
from workflows.ledger.binding import NOBODY_FOR_S, BoundDirectory, as_learnt, usable_facts
from workflows.ledger.codec import dump, load, versioned
from workflows.ledger.memory_ledger import LEADER, MemoryClock, MemoryLedger
from workflows.ledger.redis_buckets import LINE_S_MAX, check_bucket
from workflows.ledger.redis_due import AGAIN_S
from workflows.ledger.times import score
from workflows.ports import Buckets, Due

T = TypeVar("T")

__all__ = ["MemoryBuckets", "MemoryClock", "MemoryDirectory", "MemoryDue", "MemoryLedger"]


class MemoryDue(Due):
    """`queued`: how many wake-ups wait in all queues."""

    def __init__(self, ledger: MemoryLedger, queued: Callable[[], int] = lambda: 0) -> None:
        self._ledger = ledger
        self._queued = queued

    def lead(self, token: str) -> bool:
        return self._ledger.take_lease(LEADER, token) is not None

    def resign(self, token: str) -> None:
        with self._ledger.lock:
            lease = self._ledger.take_lease(LEADER, token) if self._ledger.leads(token) else None
            if lease is not None:
                self._ledger.release(lease)

    def claim(self, token: str, *, limit: int = 500) -> Sequence[str]:
        now = score(self._ledger.now())
        with self._ledger.lock:
            if not (self._ledger.leads(token) and self.lead(token)):
                return []
            found = sorted((at, item) for item, at in self._ledger.due.items() if at <= now)[:limit]
            for _, item in found:
                self._ledger.due[item] = now + AGAIN_S
            return self.waking(*(item for _, item in found))

    def awake(self, *items: str) -> None:
        with self._ledger.lock:
            for item in items:
                self._ledger.woken.pop(item, None)

    def waking(self, *items: str) -> Sequence[str]:
        with self._ledger.lock:
            return [item for item in items if self._none_waits(item)]

    def _none_waits(self, item: str) -> bool:
        now = self._ledger.now()
        sent = self._ledger.woken.get(item)
        if sent is not None and self._waits((now - sent).total_seconds()):
            return False
        self._ledger.woken[item] = now
        return True

    def _waits(self, age_s: float) -> bool:
        """See woken.lua, whose rule this is."""
        return 0 <= age_s <= 1 or (1 < age_s <= 300 and self._queued() > 0)


class MemoryBuckets(Buckets):
    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[float, float]] = {}  # name -> (tokens, as of monotonic seconds)
        self._blocked: dict[str, float] = {}
        self._lines: dict[str, float] = {}

    def take(
        self,
        name: str,
        *,
        rate: float,
        burst: float,
        amount: float = 1.0,
        reserve: float = 0.0,
        gate: str = "",
        in_line: bool = False,
    ) -> float:
        check_bucket(rate=rate, burst=burst, amount=amount, reserve=reserve)
        with self._lock:
            now = self._clock.monotonic()
            tokens, at = self._tokens.get(name, (burst, now))
            tokens = min(burst, tokens + max(0.0, now - at) * rate)
            blocked_s = max(self._blocked.get(each, now) - now for each in (name, gate))
            wait = max(blocked_s, (amount + reserve - tokens) / rate)
            if wait > 0 and in_line:
                wait = min(max(wait, self._lines.get(name, now) + 1 / rate - now), wait + LINE_S_MAX)
                self._lines[name] = now + wait
            if wait > 0:
                return max(wait, 0.001)
            self._tokens[name] = (tokens - amount, now)
            return 0.0

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        with self._lock:
            until = self._clock.monotonic() + seconds
            if spent:
                self._tokens[name] = (0.0, min(until, self._clock.monotonic() + 0.5))
            self._blocked[name] = max(until, self._blocked.get(name, until))


@lru_cache(maxsize=4096)
def _decoded(name: str, stored: bytes | None) -> Record | None:
    """Tests look at the same few records very often."""
    return versioned(name, stored).record


@lru_cache(maxsize=4096)
def _loaded(kind: type[T], body: bytes, where: str) -> T:
    """The same of what the chat said of somebody, or who is in one of its lists. What is kept never changes."""
    return load(kind, body, where=where)


class MemoryDirectory(BoundDirectory):
    """`ledger`: where the bindings are; without one nobody is bound."""

    def __init__(self, clock: MemoryClock, ledger: MemoryLedger | None = None) -> None:
        self._clock = clock
        self._ledger = ledger or MemoryLedger(clock)
        self._lock = threading.RLock()
        self._known: dict[Account, bytes] = {}
        self._members: dict[str, bytes] = {}
        self._nobody: dict[Address, datetime] = {}
        self._acted: dict[Account, float] = {}

    def _stored(self, names: Sequence[str]) -> list[bytes | None]:
        return self._ledger.stored(names)

    def _record(self, name: str, stored: bytes | None) -> Record | None:
        return _decoded(name, stored)

    def _cached(self, accounts: Iterable[Account]) -> dict[Account, PersonFacts]:
        return usable_facts({who: facts for who in accounts if (facts := self._kept(who)) is not None})

    def _kept(self, who: Account) -> PersonFacts | None:
        body = self._known.get(who)
        return None if body is None else _loaded(PersonFacts, body, who.user)

    def _lists(self, sources: Iterable[str]) -> tuple[datetime, dict[str, Membership]]:
        bodies = {source: body for source in sources if (body := self._members.get(source)) is not None}
        return self._clock.now(), {source: _loaded(Membership, body, source) for source, body in bodies.items()}

    def mark_stale(self, who: Account, at: datetime) -> None:
        with self._lock:
            known = self._kept(who)
            if known is not None:
                self._known[who] = dump(PersonFacts, with_news(known, at))

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        with self._lock:
            stands = which_stands(self._kept(facts.slack), as_learnt(facts))
            self._known[facts.slack] = dump(PersonFacts, stands)
        return stands

    def saw(self, who: Account) -> None:
        if self.several_chats:
            self._acted[who] = self._clock.now().timestamp()

    def _seen(self, accounts: Sequence[Account]) -> Mapping[Account, float]:
        return {who: self._acted[who] for who in accounts if who in self._acted}

    def put_nobody(self, address: Address) -> None:
        self._nobody[address] = self._clock.now()

    def forget(self, accounts: Iterable[Account], addresses: Iterable[Address]) -> None:
        with self._lock:
            for who in accounts:
                self._known.pop(who, None)
                self._acted.pop(who, None)
            for address in addresses:
                self._nobody.pop(address, None)

    def _nobodies(self, addresses: Sequence[Address]) -> list[Address]:
        lately = self._clock.now() - timedelta(seconds=NOBODY_FOR_S)
        return [address for address in addresses if self._nobody.get(address, lately) > lately]

    def put_members(self, source: str, membership: Membership) -> None:
        with self._lock:
            self._members[source] = dump(Membership, membership)

    def members(self, source: str) -> Membership | None:
        body = self._members.get(source)
        return None if body is None else _loaded(Membership, body, source)
