"""The ledger in this process's memory, on a clock that the test sets. See `memory`, which has the rest."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.audit_check import AuditState, StoredEntry, linking, subject_of
from workflows.core.clockwork import LedgerClock
from workflows.core.mixed import OlderRunning, runs
from workflows.core.provider import Provider, providers
from workflows.ledger.codec import NO_VERSION, readable_entries, versioned
from workflows.ledger.commit_call import AHEAD_S_MAX, Encoded, EncodedEvent, encode_change
from workflows.ledger.last_seen import LastSeen
from workflows.ledger.times import micros, score
from workflows.ports import (
    LEASE_S,
    STALE_S_MAX,
    WALKED_AT_ONCE,
    Ask,
    Change,
    Committed,
    Durability,
    IndexEntry,
    Lease,
    Ledger,
    LedgerUnreachable,
    Lost,
    LostEntries,
    Notice,
    Snapshot,
    Trim,
    Versioned,
    ask_each,
    no_notice,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LEADER = "clock-leader"
# What a copy of the ledger holds; leases and the clock are the server's own.
Copy = list[Any]
_KEPT = ("due", "woken", "_records", "_indexes", "_audit", "_audit_of", "_commits", "_tick", "_ids", "_first")


@lru_cache(maxsize=4096)
def _read(key: str, stored: bytes | None, _providers: tuple[Provider, ...]) -> Versioned:
    """What stands there never changes, so it is read once: thousands of worlds in a test run hold the same records."""
    return versioned(key, stored)


class MemoryClock:
    """Stands still until it is told to go on."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        return (self.now() - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        with self._lock:
            self._now = now

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock; the host's monotonic one goes on as before."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._start += timedelta(seconds=seconds)


class MemoryLedger(Ledger):
    """Beside the port's methods, a test may set:

    `is_durable`: a Durability. `unreachable`: a sentence; every call raises LedgerUnreachable with it. `full`: only
    changes that remove access are taken. `before_commit`: called once with the next change, before it is looked at, to
    stage a race; it may commit itself. `lose_answers`: so many commits are applied, and then raise LedgerUnreachable.
    """

    def __init__(self, clock: MemoryClock | None = None) -> None:
        self.clock = clock or MemoryClock()
        self.is_durable = Durability(True, "declared")
        self.unreachable: str | None = None
        self.full = False
        self.before_commit: Callable[[Change], None] | None = None
        self.lose_answers = 0
        self.notice: Notice = no_notice
        self.lock = threading.RLock()
        # Item -> seconds since the epoch, and item -> when its wake-up was sent; MemoryDue works on them.
        self.due: dict[str, float] = {}
        self.woken: dict[str, datetime] = {}
        self._records: dict[str, tuple[int, bytes]] = {}
        self._indexes: dict[str, dict[str, float]] = {}
        # From `_first` on, without gaps.
        self._audit: list[StoredEntry] = []
        self._first = 1
        self._audit_of: dict[str, list[int]] = {}
        self._commits: dict[str, tuple[datetime, Committed]] = {}
        self._leases: dict[str, tuple[int, str, datetime]] = {}
        self._tidy_at = 1_000
        self._tick = 0
        self._tokens = itertools.count()
        self._ids = 0
        self._seen = LastSeen()

    # ------------------------------------------------------------ records

    def now(self) -> datetime:
        return self.read().now

    def read(self, *keys: str, commit_id: str | None = None) -> Snapshot:
        self._reach()
        with self.lock:
            self._look()
            earlier = self._earlier(commit_id or "")
            items = {key: self._versioned(key) for key in keys}
            return Snapshot(self.clock.now(), items, earlier.answer if earlier else None)

    def commit(self, change: Change) -> Committed | Lost:
        self._reach()
        hook, self.before_commit = self.before_commit, None
        if hook is not None:
            hook(change)
        encoded = encode_change(change)
        with self.lock:
            if self.full and not change.removes_access:
                raise LedgerUnreachable("Redis has reached its memory limit and takes no more writes (in memory).")
            earlier = self._earlier(change.commit_id)
            result = (
                replace(earlier, replayed=True) if earlier else self._refusal(change) or self._apply(change, encoded)
            )
        if self.lose_answers > 0 and isinstance(result, Committed):
            self.lose_answers -= 1
            raise LedgerUnreachable("Redis did not answer in time (in memory).")
        return result

    def records(self, kind: str) -> Iterator[str]:
        self._reach()
        with self.lock:
            return iter([key for key in self._records if kind == "*" or key.startswith(f"{kind}:")])

    def next_id(self) -> str:
        self._reach()
        with self.lock:
            self._ids += 1
            return f"PA-{self._ids}"

    def raise_ids(self, least: int) -> int:
        self._reach()
        with self.lock:
            self._ids = max(self._ids, least)
            return self._ids

    def _refusal(self, change: Change) -> Lost | None:
        changed = tuple(key for key, version in change.reads.items() if self._version(key) != version)
        if changed:
            return Lost("version", changed)
        age_s = (self.clock.now() - change.at).total_seconds()
        if age_s > STALE_S_MAX or -age_s > AHEAD_S_MAX:
            return Lost("stale")
        if change.fence is not None:
            lease = self._living(change.fence.lease)
            if lease is None or lease[0] != change.fence.number:
                return Lost("fence")
        if change.gives_access and not self.is_durable.durable:
            return Lost("durability")
        clock = self._versioned(keys.CLOCK).record
        in_doubt = isinstance(clock, LedgerClock) and not clock.trusted
        if change.gives_access and in_doubt:
            return Lost("clock")
        older = self._versioned(keys.OLDER).record
        mixed = isinstance(older, OlderRunning) and runs(older, self.clock.now())
        if change.gives_access and mixed:
            return Lost("older")
        doubted = keys.LEDGER_DOUBT in self._records or not self._still_there()
        return Lost("restored") if change.gives_access and doubted else None

    def _still_there(self) -> bool:
        """Whether what was seen last is there, as seen_before.lua has it."""
        seen = self._seen.head
        return seen is None or any(entry.link == seen.link for entry in self._from(seen.number)[:1])

    def _from(self, number: int) -> list[StoredEntry]:
        return self._audit[max(0, number - self._first) :]

    @property
    def _newest(self) -> int:
        return self._first - 1 + len(self._audit)

    def _look(self) -> None:
        newest = self._audit[-1] if self._audit else None
        words = f"{newest.number}:{newest.link}" if newest is not None else ""
        self._seen.heard(self._seen.head, self._still_there(), words, self.clock.now())

    def _apply(self, change: Change, encoded: Encoded) -> Committed:
        continues = self._still_there()
        version = self._next_tick()
        for key, body in encoded.puts.items():
            self._records[key] = (version, body)
        for key in change.deletes:
            self._records.pop(key, None)
        if change.sooner:
            self.due = {item: at - change.sooner.total_seconds() for item, at in self.due.items()}
        for item, when in encoded.due.items():
            if when is None:
                self.due.pop(item, None)
                self.woken.pop(item, None)
            else:
                self.due[item] = when
        self._list(change.index)
        self._forget(change.forget)
        if change.trim is not None:
            self._trim(change.trim)
        first = self._newest + 1
        for event in encoded.audit:
            self._record(event)
        self._seal_due(change)
        result = Committed(tuple(range(first, self._newest + 1)), change.answer)
        if continues:
            self._look()
        self._tidy()
        self._commits[change.commit_id] = (self.clock.now() + timedelta(seconds=change.remembered_s), result)
        return result

    def _tidy(self) -> None:
        """Answers that nobody is given any more, now and then: Redis forgets them by itself."""
        if len(self._commits) >= self._tidy_at:
            now = self.clock.now()
            self._commits = {id_: kept for id_, kept in self._commits.items() if now < kept[0]}
            self._tidy_at = 2 * len(self._commits) + 1_000

    def _list(self, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            members = self._indexes.setdefault(entry.name, {})
            if entry.score is None:
                members.pop(entry.member, None)
            else:
                members[entry.member] = entry.score
            if not members:
                del self._indexes[entry.name]

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            place = number - self._first
            if 0 <= place < len(self._audit):
                self._audit[place] = replace(self._audit[place], private=None)

    def _trim(self, trim: Trim) -> None:
        self._audit = self._from(trim.first)
        self._first = max(self._first, trim.first)
        for subject in trim.subjects:
            left = [number for number in self._audit_of.pop(subject, ()) if number >= trim.first]
            if left:
                self._audit_of[subject] = left

    def _seal_due(self, change: Change) -> None:
        if change.sealed is not None and self._newest <= change.sealed:
            self.due.pop(keys.SEAL, None)
            self.woken.pop(keys.SEAL, None)
        elif change.sealed is not None or (change.audit and keys.SEAL in self._records):
            soon = score(self.clock.now() + timedelta(seconds=1))
            self.due[keys.SEAL] = min(soon, self.due.get(keys.SEAL, soon))

    def _record(self, event: EncodedEvent) -> None:
        number = self._newest + 1
        link = linking(self._audit[-1].link if self._audit else "", number, event.digest)
        self._audit.append(StoredEntry(number, event.body, event.digest, event.private, link))
        self._audit_of.setdefault(event.subject, []).append(number)

    def _earlier(self, commit_id: str) -> Committed | None:
        until, result = self._commits.get(commit_id, (None, None))
        return result if until is not None and self.clock.now() < until else None

    def _version(self, key: str) -> int:
        return self._records.get(key, (0, b""))[0]

    def _versioned(self, key: str) -> Versioned:
        version, body = self._records.get(key, (0, None))
        if version == NO_VERSION:
            return versioned(key, body)
        found = _read(key, None if body is None else b"%d:%b" % (version, body), providers())
        if found.problem:
            self.notice(f"record:{key}", found.problem)
        return found

    def stored(self, keys: Sequence[str]) -> list[bytes | None]:
        """The records as Redis would have them, for who decodes only what it needs."""
        self._reach()
        with self.lock:
            found = [self._records.get(key) for key in keys]
        return [None if one is None else (one[1] if one[0] == NO_VERSION else b"%d:%b" % one) for one in found]

    def spoil(self, key: str, body: bytes = b"{", *, version: bool = True) -> None:
        """For tests: somebody else writes over the record."""
        with self.lock:
            self._records[key] = (self._version(key) if version else NO_VERSION, body)

    def _next_tick(self) -> int:
        self._tick = max(self._tick + 1, micros(self.clock.now()))
        return self._tick

    def _reach(self) -> None:
        if self.unreachable is not None:
            raise LedgerUnreachable(self.unreachable)

    # ------------------------------------------------------------ indexes

    def members(
        self,
        index: str,
        *,
        low: float | None = None,
        high: float | None = None,
        limit: int = 1000,
        newest: bool = False,
    ) -> Sequence[str]:
        self._reach()
        with self.lock:
            found = sorted((at, member.encode()) for member, at in self._indexes.get(index, {}).items())
        inside = [m.decode() for at, m in found if (low is None or at >= low) and (high is None or at <= high)]
        return (inside[::-1] if newest else inside)[:limit]

    def walk(self, index: str, *, at_once: int = WALKED_AT_ONCE) -> Iterator[Sequence[str]]:
        self._reach()
        last: tuple[float, bytes] | None = None
        while True:
            with self.lock:
                found = sorted((at, member.encode()) for member, at in self._indexes.get(index, {}).items())
            part = [one for one in found if last is None or one > last][:at_once]
            if not part:
                return
            last = part[-1]
            yield [member.decode() for _, member in part]

    def count(self, index: str) -> int:
        self._reach()
        with self.lock:
            return len(self._indexes.get(index, {}))

    def score(self, index: str, member: str) -> float | None:
        self._reach()
        with self.lock:
            return self._indexes.get(index, {}).get(member)

    # ------------------------------------------------------------ audit

    def entries(
        self, *, after: int = 0, limit: int = 100, events: Collection[Event] | None = None
    ) -> Sequence[AuditEntry]:
        while stored := self.stored_entries(after=after, limit=limit):
            if found := readable_entries(stored, self.notice, events):
                return found
            after = stored[-1].number
        return []

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]:
        self._reach()
        with self.lock:
            return self._from(after + 1)[:limit]

    def entries_of(self, subject: str, *, after: int = 0) -> Sequence[AuditEntry]:
        self._reach()
        with self.lock:
            mine = self._about(subject, after)
        return readable_entries(mine, self.notice)

    def stored_entries_of(self, subjects: Sequence[str], *, after: int = 0) -> Mapping[str, Sequence[StoredEntry]]:
        self._reach()
        with self.lock:
            return {subject: self._about(subject, after) for subject in subjects}

    def _about(self, subject: str, after: int) -> list[StoredEntry]:
        return [self._audit[number - self._first] for number in self._audit_of.get(subject, ()) if number > after]

    def audit_state(self) -> AuditState:
        self._reach()
        with self.lock:
            count = self._newest
            words = sum(1 for entry in self._audit if entry.private is not None)
            return AuditState(count, self._audit[-1].link if self._audit else "", count, words)

    def audit_lists(self) -> Iterator[tuple[str, Sequence[int | None]]]:
        self._reach()
        with self.lock:
            return iter([(subject, tuple(numbers)) for subject, numbers in self._audit_of.items()])

    def head(self) -> int:
        self._reach()
        with self.lock:
            return self._newest

    def newest_seen(self) -> int:
        return self._seen.head.number if self._seen.head is not None else 0

    def lost(self) -> LostEntries | None:
        return self._seen.lost

    def trust(self) -> None:
        self._seen.forget()

    # ------------------------------------------------------------ put back

    def put_back_entries(
        self, common: int, link: str, entries: Iterable[StoredEntry], later: Iterable[StoredEntry], first_later: int
    ) -> int:
        """As `redis_log.RedisLog.put_back`. Numbers have no gaps here."""
        with self.lock:
            moved = [replace(entry, number=number) for number, entry in enumerate(later, first_later)]
            behind = [*entries, *moved]
            del self._audit[max(0, common + 1 - self._first) :]
            if not self._audit:
                self._first = common + 1
            for entry in behind:
                link = linking(link, entry.number, entry.digest)
                self._audit.append(replace(entry, link=link))
            self._audit_of.clear()
            for entry in self._audit:
                self._audit_of.setdefault(subject_of(entry), []).append(entry.number)
            return self._newest

    # ------------------------------------------------------------ copies

    def copy(self) -> Copy:
        """For tests: all that stands there, as a snapshot has it."""
        with self.lock:
            return copy.deepcopy([getattr(self, name) for name in _KEPT])

    def put_back(self, kept: Copy) -> None:
        """For tests: that copy is what the server holds now. Processes go on, with what they saw."""
        with self.lock:
            for name, value in zip(_KEPT, copy.deepcopy(kept), strict=True):
                setattr(self, name, value)

    # ------------------------------------------------------------ leases

    def acquire(self, name: str) -> Lease | None:
        return self.take_lease(name, f"token-{next(self._tokens)}")

    def take_lease(self, name: str, token: str) -> Lease | None:
        self._reach()
        with self.lock:
            held = self._living(name)
            # One that lives longer than it can be taken for comes from before the clock was set back; see lease_acquire.lua.
            if held is not None and held[2] - self.clock.now() > timedelta(seconds=LEASE_S):
                held = None
            if held is not None and held[1] != token:
                return None
            number = held[0] if held is not None else self._next_tick()
            self._leases[name] = (number, token, self.clock.now() + timedelta(seconds=LEASE_S))
            return Lease(name, number, token, self.clock.monotonic() + LEASE_S)

    def renew(self, lease: Lease) -> Lease | None:
        self._reach()
        with self.lock:
            held = self._living(lease.name)
            return self.take_lease(lease.name, lease.token) if held is not None and held[0] == lease.number else None

    def release(self, lease: Lease) -> None:
        self._reach()
        with self.lock:
            held = self._living(lease.name)
            if held is not None and held[0] == lease.number:
                del self._leases[lease.name]

    def _living(self, name: str) -> tuple[int, str, datetime] | None:
        held = self._leases.get(name)
        return held if held is not None and self.clock.now() < held[2] else None

    def leads(self, token: str) -> bool:
        with self.lock:
            held = self._living(LEADER)
            return held is not None and held[1] == token

    # ------------------------------------------------------------ due items

    def remind(self, item: str, after_s: float) -> None:
        self._reach()
        with self.lock:
            at = score(self.clock.now()) + after_s
            self.due[item] = min(at, self.due.get(item, at))

    def due_among(self, items: Sequence[str]) -> frozenset[str]:
        self._reach()
        with self.lock:
            return frozenset(self.due.keys() & set(items))

    # ------------------------------------------------------------ durability

    def durability(self) -> Durability:
        self._reach()
        return self.is_durable

    def together(self, asks: Sequence[Ask]) -> Sequence[object]:
        return ask_each(self, asks)

    def make_durable(self, commit_id: str = "") -> bool:  # noqa: ARG002 - nothing takes over here
        return self.durability().durable
