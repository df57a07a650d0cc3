"""The ledger in this process's memory, for unit tests: the same answers as Redis gives, on a clock that the test sets.

    clock = MemoryClock()
    ledger = MemoryLedger(clock)
    due = MemoryDue(ledger)
    clock.advance(61)

Records go through the codec, so that one that cannot be stored fails here, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from workflows.core.people import GroupFacts, Membership, PersonFacts, PersonId, SlackUser, which_stands, with_news
from workflows.core.policy import Policy
from workflows.ledger.codec import dump, load
from workflows.ledger.memory_ledger import LEADER, MemoryClock, MemoryLedger
from workflows.ledger.redis_buckets import check_bucket
from workflows.ledger.redis_directory import group_facts
from workflows.ledger.redis_due import AGAIN_S
from workflows.ledger.times import score
from workflows.ports import Buckets, DirectoryStore, Due

__all__ = ["MemoryBuckets", "MemoryClock", "MemoryDirectory", "MemoryDue", "MemoryLedger"]


class MemoryDue(Due):
    """`queued`: how many wake-ups wait in all queues."""

    def __init__(self, ledger: MemoryLedger, queued: Callable[[], int] = lambda: 0) -> None:
        self._ledger = ledger
        self._queued = queued

    def lead(self, token: str) -> bool:
        return self._ledger.take_lease(LEADER, token) is not None

    def claim(self, token: str, *, limit: int = 500) -> Sequence[str]:
        now = score(self._ledger.now())
        with self._ledger.lock:
            if not (self._ledger.leads(token) and self.lead(token)):
                return []
            found = sorted((at, item) for item, at in self._ledger.due.items() if at <= now)[:limit]
            for _, item in found:
                self._ledger.due[item] = now + AGAIN_S
            return [item for _, item in found if self.waking(item)]

    def awake(self, item: str) -> None:
        with self._ledger.lock:
            self._ledger.woken.pop(item, None)

    def waking(self, item: str) -> bool:
        now = self._ledger.now()
        with self._ledger.lock:
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

    def take(self, name: str, *, rate: float, burst: float, amount: float = 1.0, reserve: float = 0.0) -> float:
        check_bucket(rate=rate, burst=burst, amount=amount, reserve=reserve)
        with self._lock:
            now = self._clock.monotonic()
            tokens, at = self._tokens.get(name, (burst, now))
            tokens = min(burst, tokens + (now - at) * rate)
            wait = max(self._blocked.get(name, now) - now, (amount + reserve - tokens) / rate)
            if wait > 0:
                return max(wait, 0.001)
            self._tokens[name] = (tokens - amount, now)
            return 0.0

    def block(self, name: str, seconds: float) -> None:
        with self._lock:
            until = self._clock.monotonic() + seconds
            self._blocked[name] = max(until, self._blocked.get(name, until))


class MemoryDirectory(DirectoryStore):
    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._people: dict[SlackUser, bytes] = {}
        self._accounts: dict[PersonId, SlackUser] = {}
        self._members: dict[str, bytes] = {}

    def person(self, who: SlackUser) -> PersonFacts | None:
        body = self._people.get(who)
        return None if body is None else load(PersonFacts, body, where=who.user)

    def by_address(self, address: PersonId) -> PersonFacts | None:
        account = self._accounts.get(address)
        facts = self.person(account) if account is not None else None
        return facts if facts is not None and facts.id == address else None

    def by_addresses(self, addresses: Iterable[PersonId]) -> dict[PersonId, PersonFacts]:
        found = {address: self.by_address(address) for address in addresses}
        return {address: facts for address, facts in found.items() if facts is not None}

    def people(self, accounts: Iterable[SlackUser]) -> dict[SlackUser, PersonFacts]:
        found = {who: self.person(who) for who in accounts}
        return {who: facts for who, facts in found.items() if facts is not None}

    def mark_stale(self, who: SlackUser, at: datetime) -> None:
        with self._lock:
            known = self.person(who)
            if known is not None:
                self._people[who] = dump(PersonFacts, with_news(known, at))

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        with self._lock:
            facts = which_stands(self.person(facts.slack), facts)
            self._people[facts.slack] = dump(PersonFacts, facts)
            if facts.id and not (facts.standing_problem and facts.id in self._accounts):
                self._accounts[facts.id] = facts.slack
        return facts

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        known = {source: load(Membership, body, where=source) for source, body in list(self._members.items())}
        return group_facts(policy, tuple(names), known, self._clock.now(), self.people)

    def put_members(self, source: str, membership: Membership) -> None:
        with self._lock:
            self._members[source] = dump(Membership, membership)

    def members(self, source: str) -> Membership | None:
        body = self._members.get(source)
        return None if body is None else load(Membership, body, where=source)
