"""The ledger on Redis or Valkey. What is atomic happens in Lua; all times come from Redis `TIME`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from math import inf
from typing import Any, TypeVar

import redis

from workflows.core.audit import AuditEntry, Event
from workflows.core.audit_check import AuditState, StoredEntry, subject_of
from workflows.core.calls import timed
from workflows.core.keys import RECENT
from workflows.ledger.ahead import Ahead, Found, Range, scored
from workflows.ledger.codec import readable_entries, versioned
from workflows.ledger.commit_call import aside, commit_call, commit_result, newest, stored_answer
from workflows.ledger.durability import DurabilityProbe, Mode, server_version
from workflows.ledger.keys import Keys
from workflows.ledger.last_seen import LastSeen, word
from workflows.ledger.redis_together import Scripted, ask_together
from workflows.ledger.scripts import Argument, Prepared, Script, Server, raw, script, text, text_of, texts
from workflows.ledger.times import instant
from workflows.ports import (
    LEASE_S,
    WALKED_AT_ONCE,
    Acquiring,
    Ask,
    Change,
    Committed,
    Committing,
    CorruptLedger,
    Durability,
    Lease,
    Ledger,
    Lost,
    LostEntries,
    Notice,
    Reading,
    Releasing,
    Renewing,
    Snapshot,
    Versioned,
    no_notice,
)

T = TypeVar("T")

VERSION_MIN = (7, 0)
# What stands behind the name of a key that was put aside; see strange.lua.
STRANGE = ":strange"
# So many records are kept as they were decoded: those of all rounds that are under way, a few times over.
KNOWN_MAX = 500
LISTS_AT_ONCE = 500
"""So many lists of numbers are asked for in one round trip."""


class UnfitServer(Exception):
    """This Redis cannot hold the ledger; the message is one sentence for the person who runs it."""


class RedisLedger(Ledger):
    """`client`: with the caller's timeouts; whether it decodes replies does not matter. `monotonic`: seconds of this host.

    Safe to share between threads, as the client is.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str = "prodaccess:",
        durability: Mode,
        monotonic: Callable[[], float],
        notice: Notice = no_notice,
    ) -> None:
        self._server = Server(client)
        self._keys = Keys(prefix)
        self._monotonic = monotonic
        self._notice = notice
        self._seen = LastSeen()
        self._probe = DurabilityProbe(self._server, self._keys, durability, monotonic)
        # Work on many things at once reads each of them again after each step, and most of it has not changed.
        self._known = lru_cache(maxsize=KNOWN_MAX)(versioned)
        self.ahead = Ahead(self._fetch, self._keys, monotonic)

    def check_server(self) -> None:
        """For start-up. Raises UnfitServer, or LedgerUnreachable."""
        (info,) = self._server.pipeline(lambda pipe: pipe.info())
        if isinstance(info, redis.RedisError):
            raise self._server.explain(info)
        problem = unfit(info)
        if problem:
            raise UnfitServer(problem)

    # ------------------------------------------------------------ records

    def now(self) -> datetime:
        return self.read().now

    def read(self, *keys: str, commit_id: str | None = None) -> Snapshot:
        names = {key: self._keys.record(key) for key in keys}
        asked = self._keys.commit(commit_id or "")
        found = self.ahead.read((asked, *names.values()) if commit_id else tuple(names.values()))
        stored = found.values[asked] if commit_id else None
        items = {key: self._versioned(key, found.values[name]) for key, name in names.items()}
        return Snapshot(found.now, self._noted(items), None if stored is None else stored_answer(stored))

    def _versioned(self, key: str, stored: Any) -> Versioned:
        return self.ahead.decoded(Versioned, key, stored, lambda: versioned(key, stored))

    def _fetch(self, keys: Sequence[str], ranges: Sequence[Range]) -> Found:
        return self._one(self._fetching(keys, ranges))

    def _one(self, asked: Prepared[T]) -> T:
        return asked.parse(self._server.run(asked.script, asked.keys, asked.args))

    def _fetching(self, keys: Sequence[str], ranges: Sequence[Range] = ()) -> Prepared[Found]:
        names = [self._keys.audit_head, self._keys.audit, self._keys.commit(""), *keys, *(one.key for one in ranges)]
        seen = self._seen.head
        counts = (-one.limit if one.newest else one.limit for one in ranges)

        def parse(reply: Any) -> Found:
            seconds, micros, head, stands, _, *found = reply
            now = instant(int(seconds) * 1_000_000 + int(micros))
            self._seen.heard(seen, int(stands) == 1, text_of(head or ""), now)
            parts = zip(ranges, found[len(keys) :], strict=True)
            return Found(now, dict(zip(keys, found, strict=False)), {one: scored(part) for one, part in parts})

        return Prepared(_read(), names, [word(seen), *counts], parse)

    def _reading(self, keys: Sequence[str]) -> Prepared[Snapshot]:
        """As `read` does it outside an act."""
        names = {key: self._keys.record(key) for key in keys}
        asked = self._fetching(tuple(names.values()))

        def parse(reply: Any) -> Snapshot:
            found = asked.parse(reply)
            items = {key: self._known(key, found.values[name]) for key, name in names.items()}
            return Snapshot(found.now, self._noted(items))

        return Prepared(asked.script, asked.keys, asked.args, parse)

    def _noted(self, items: dict[str, Versioned]) -> dict[str, Versioned]:
        for key, item in items.items():
            if item.problem:
                self._notice(f"record:{key}", item.problem)
        return items

    def commit(self, change: Change) -> Committed | Lost:
        self.ahead.forget()
        result = self._commit(change)
        if isinstance(result, Lost) and result.why == "durability":
            # The mark is missing: this is another server than the one we looked at, or we were paused. Look again, once.
            self._probe.forget()
            result = self._commit(change)
        return result

    def _commit(self, change: Change) -> Committed | Lost:
        with timed("ledger", "commit") as call:
            call.about = " ".join(entry.event.value for entry in change.audit)
            result = self._committed(change)
            call.error = result.why if isinstance(result, Lost) else ""
            return result

    def _committed(self, change: Change) -> Committed | Lost:
        return self._one(self._committing(change))

    def _committing(self, change: Change) -> Prepared[Committed | Lost]:
        refuse = change.gives_access and not self._probe.current().durable
        seen = self._seen.head
        keys, args = commit_call(self._keys, change, refuse_access=refuse, seen=word(seen))

        def parse(reply: Any) -> Committed | Lost:
            for name in aside(reply):
                self._notice(name.removeprefix(self._keys.prefix), "was of another kind than ours and was put aside")
            if head := newest(reply):
                self._seen.heard(seen, True, head, change.at)
            return commit_result(reply, change)

        return Prepared(_commit(removes=change.removes_access), keys, args, parse)

    def together(self, asks: Sequence[Ask]) -> Sequence[object]:
        self.ahead.forget()
        return ask_together(self, asks, self._server, self._prepared, self._probe)

    def _prepared(self, ask: Scripted) -> Prepared[Any]:
        match ask:
            case Reading():
                return self._reading(ask.keys)
            case Committing():
                return self._committing(ask.change)
            case Acquiring():
                return self._acquiring(ask.name)
            case Renewing():
                return self._renewing(ask.lease)
            case Releasing():
                return self._releasing(ask.lease)

    def records(self, kind: str) -> Iterator[str]:
        prefix = self._keys.record("")
        for name in self._server.scan(f"{prefix}{kind}:*"):
            yield name.removeprefix(prefix)

    def next_id(self) -> str:
        names = [self._keys.ids, self._keys.index(RECENT)]
        number, aside = self._server.run(
            script("next_id", preludes=("strange",)), names, [self._keys.record("request:")]
        )
        if int(aside):
            self._notice("ids", "the counter of ids could not be read; it goes on behind the newest requests")
        return f"PA-{int(number)}"

    def raise_ids(self, least: int) -> int:
        return int(self._server.run(script("raise_ids", preludes=("strange",)), [self._keys.ids], [least]))

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
        if self.ahead.acting:
            found = self._members_ahead(index, low, high, limit, newest=newest)
            if found is not None:
                return texts(found, f"index:{index}", self._notice)
        floor, ceiling = "-inf" if low is None else repr(low), "+inf" if high is None else repr(high)
        ends = (ceiling, floor, "BYSCORE", "REV") if newest else (floor, ceiling, "BYSCORE")
        with self._index(index):
            found = self._server.call("ZRANGE", self._keys.index(index), *ends, "LIMIT", 0, limit)
        return texts(found, f"index:{index}", self._notice)

    def _members_ahead(
        self, index: str, low: float | None, high: float | None, limit: int, *, newest: bool
    ) -> Sequence[Any] | None:
        """Within an act; None where what was read does not tell: there are more, or it is no index."""
        asked = Range(self._keys.index(index), limit, newest)
        found = self.ahead.read((), (asked,)).ranges[asked]
        bounded = low is not None or high is not None
        if found is None or (bounded and len(found) >= limit):
            return None
        return [member for member, score in found if (low is None or score >= low) and (high is None or score <= high)]

    def walk(self, index: str, *, at_once: int = WALKED_AT_ONCE) -> Iterator[Sequence[str]]:
        # `ties`: how many of those that came have the score of `last`. Redis orders those by name.
        last, ties = (-inf, b""), 0
        while True:
            # With the last one that came: where it is not the first, somebody before it is gone.
            found = self._portion(index, last[0], max(0, ties - 1), at_once + 1)
            if ties and found[:1] == [last]:
                found = found[1:]
            elif ties:
                found = [one for one in self._portion(index, last[0], 0, ties + at_once) if one > last]
            found = found[:at_once]
            if not found:
                return
            yield texts((member for _, member in found), f"index:{index}", self._notice)
            ties = sum(at == found[-1][0] for at, _ in found) + (ties if last[0] == found[-1][0] else 0)
            last = found[-1]

    def _portion(self, index: str, low: float, offset: int, limit: int) -> list[tuple[float, bytes]]:
        ends = repr(low), "+inf", "BYSCORE", "LIMIT", offset, limit, "WITHSCORES"
        with self._index(index):
            found = self._server.call("ZRANGE", self._keys.index(index), *ends)
        # In pairs or in a row, as the client and the server speak to each other.
        pairs = found if found and isinstance(found[0], list) else zip(*[iter(found)] * 2, strict=True)
        return [(float(at), raw(member)) for member, at in pairs]

    def count(self, index: str) -> int:
        with self._index(index):
            return int(self._server.call("ZCARD", self._keys.index(index)))

    def score(self, index: str, member: str) -> float | None:
        with self._index(index):
            found = self._server.call("ZSCORE", self._keys.index(index), member)
        return None if found is None else float(found)

    @contextmanager
    def _index(self, name: str) -> Iterator[None]:
        try:
            yield
        except CorruptLedger:
            self._notice(f"index:{name}", f"index:{name} is no index")
            raise

    # ------------------------------------------------------------ audit

    def entries(
        self, *, after: int = 0, limit: int = 100, events: Collection[Event] | None = None
    ) -> Sequence[AuditEntry]:
        while stored := self.stored_entries(after=after, limit=limit):
            if found := readable_entries(stored, self._notice, events):
                return found
            after = stored[-1].number
        return []

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]:
        return self._entries([self._keys.audit, self._keys.private], after, limit)

    def entries_of(self, subject: str, *, after: int = 0) -> Sequence[AuditEntry]:
        names = [self._keys.audit, self._keys.private, self._keys.audit_of(subject)]
        return readable_entries(self._entries(names, after, 0), self._notice)

    def _entries(self, keys: list[str], after: int, limit: int) -> list[StoredEntry]:
        flat = self._server.run(script("entries", flags="no-writes"), keys, [after, limit])
        return [_entry(*parts) for parts in zip(*[iter(flat)] * 5, strict=True)]

    def stored_entries_of(self, subjects: Sequence[str], *, after: int = 0) -> Mapping[str, Sequence[StoredEntry]]:
        asked = dict.fromkeys(subjects)
        names = [self._keys.audit, self._keys.private, *map(self._keys.audit_of, asked)]
        found: dict[str, list[StoredEntry]] = {subject: [] for subject in asked}
        for entry in self._entries(names, after, 0) if asked else ():
            # What cannot be read says nothing of what it is about.
            with suppress(ValueError, KeyError, TypeError):
                found[subject_of(entry)].append(entry)
        return found

    def audit_state(self) -> AuditState:
        names = [self._keys.audit, self._keys.audit_head, self._keys.private]
        counted, link, newest, words, *problems = self._server.run(script("audit_state", flags="no-writes"), names)
        return AuditState(int(counted), text(link), int(newest), int(words), tuple(map(text, problems)))

    def audit_lists(self) -> Iterator[tuple[str, Sequence[int | None]]]:
        names = (name for name in self._server.scan(self._keys.audit_of("*")) if not name.endswith(STRANGE))
        while some := list(islice(names, LISTS_AT_ONCE)):
            answers = self._server.pipeline(partial(_ask_for_lists, some))
            for name, answer in zip(some, answers, strict=True):
                yield name.removeprefix(self._keys.audit_of("")), [_number(value) for value in self._list(answer)]

    def _list(self, answer: Any) -> Sequence[Any]:
        if not isinstance(answer, redis.ResponseError):
            return list(answer)
        problem = self._server.explain(answer)
        if isinstance(problem, CorruptLedger):
            return [b""]
        raise problem

    def head(self) -> int:
        newest = self._server.call("XREVRANGE", self._keys.audit, "8999999999999999-0", "-", "COUNT", 1)
        return int(text(newest[0][0]).partition("-")[0]) if newest else 0

    def newest_seen(self) -> int:
        return self._seen.head.number if self._seen.head is not None else 0

    def lost(self) -> LostEntries | None:
        return self._seen.lost

    def trust(self) -> None:
        self._seen.forget()

    # ------------------------------------------------------------ leases

    def acquire(self, name: str) -> Lease | None:
        return self._one(self._acquiring(name))

    def _acquiring(self, name: str) -> Prepared[Lease | None]:
        token = secrets.token_hex(8)
        # Before the question: our end of the lease is never later than the server's.
        deadline_s = self._monotonic() + LEASE_S

        def parse(number: Any) -> Lease | None:
            return None if number is None else Lease(name, int(number), token, deadline_s)

        return Prepared(*lease_call(self._keys.lease(name), self._keys.tick, token), parse)

    def renew(self, lease: Lease) -> Lease | None:
        return self._one(self._renewing(lease))

    def _renewing(self, lease: Lease) -> Prepared[Lease | None]:
        # Counted from before the question, as with every lease.
        longer = replace(lease, deadline_s=self._monotonic() + LEASE_S)
        args: list[Argument] = [_held(lease), int(LEASE_S * 1000)]
        what = script("lease_renew", flags="allow-oom")
        return Prepared(what, [self._keys.lease(lease.name)], args, lambda reply: longer if int(reply) else None)

    def release(self, lease: Lease) -> None:
        self._one(self._releasing(lease))

    def _releasing(self, lease: Lease) -> Prepared[None]:
        what = script("lease_release", flags="allow-oom")
        return Prepared(what, [self._keys.lease(lease.name)], [_held(lease)], lambda _: None)

    # ------------------------------------------------------------ due items

    def remind(self, item: str, after_s: float) -> None:
        self._server.run(script("remind", flags="allow-oom", preludes=("strange",)), [self._keys.due], [item, after_s])

    def due_among(self, items: Sequence[str]) -> frozenset[str]:
        found = self._server.call("ZMSCORE", self._keys.due, *items) if items else ()
        return frozenset(item for item, at in zip(items, found, strict=True) if at is not None)

    # ------------------------------------------------------------ durability

    def durability(self) -> Durability:
        return self._probe.current()

    def make_durable(self, commit_id: str = "") -> bool:
        with timed("ledger", "make durable"):
            return self._probe.wait(commit_id)


def take_lease(server: Server, lease: str, tick: str, token: str) -> int | None:
    """The lease's number, or None where another token holds it. Asking twice with one token is harmless."""
    number = server.run(*lease_call(lease, tick, token))
    return None if number is None else int(number)


def lease_call(lease: str, tick: str, token: str) -> tuple[Script, list[str], list[Argument]]:
    # Removals need leases, too, so it is taken even while memory is full.
    what = script("lease_acquire", flags="allow-oom", preludes=("strange",))
    return what, [lease, tick], [token, int(LEASE_S * 1000)]


def unfit(info: Mapping[str, Any]) -> str:
    """Why a server that says this of itself cannot hold the ledger; empty where it can."""
    if server_version(info) < VERSION_MIN:
        return f"Redis {info.get('redis_version')} is too old: prodaccess needs Redis 7 or Valkey."
    if int(info.get("cluster_enabled", 0)):
        return "Redis runs in cluster mode, which neither the ledger nor its queues can use: give prodaccess a single server."
    return ""


def _read() -> Script:
    return script("read", flags="no-writes", preludes=("seen_before",))


def _commit(*, removes: bool) -> Script:
    return script("commit", flags="allow-oom" if removes else "", preludes=("strange", "seen_before"))


def _held(lease: Lease) -> str:
    return f"{lease.number}:{lease.token}"


def _entry(number: Any, body: Any, digest: Any, private: Any, link: Any) -> StoredEntry:
    return StoredEntry(
        int(number), raw(body), text_of(digest), None if private is None else raw(private), text_of(link)
    )


def _number(value: Any) -> int | None:
    words = text_of(value)
    return int(words) if words.isascii() and words.isdigit() else None


def _ask_for_lists(names: Sequence[str], pipe: Any) -> None:
    for name in names:
        pipe.lrange(name, 0, -1)
