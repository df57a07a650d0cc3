"""What is known of people and groups, kept in Redis for all processes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisError

from workflows.core.identity import Address
from workflows.core.people import Account, GroupFacts, Membership, PersonFacts, which_stands, with_news
from workflows.core.policy import Policy
from workflows.core.records.record import Record
from workflows.ledger.ahead import Ahead
from workflows.ledger.binding import NOBODY_FOR_S, BoundDirectory, as_learnt, usable_facts
from workflows.ledger.codec import dump, load, versioned
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Server, script, text_of
from workflows.ledger.times import instant
from workflows.ports import CorruptRecord, Notice, Versioned, about_groups, about_person, no_notice

T = TypeVar("T")

KEEP_S = 7 * 24 * 3600
"""Facts have no access behind them, and are far too old for a decision by then."""


# Who did nothing for so long is told in the chat in which they were known first.
SEEN_KEEP_S = 90 * 24 * 3600


class RedisDirectory(BoundDirectory):
    """Facts are returned however old they are: `as_of` says it, and the caller judges."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str = "prodaccess:",
        notice: Notice = no_notice,
        several_chats: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self.several_chats = several_chats
        self._ahead = ahead
        self._server = Server(client)
        self._keys = Keys(prefix)
        self._notice = notice

    def person(self, who: Account) -> PersonFacts | None:
        with self._question(about_person(who)):
            return super().person(who)

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        names = tuple(names)
        with self._question(about_groups(policy, names)):
            return super().groups(policy, names)

    def _resolved(self, lists: Mapping[str, Membership], former_domains: Mapping[str, str]) -> dict[str, Membership]:
        """Who is in them does not depend on when the lists were learnt, so that it is found out again only when something of the
        members has changed.
        """
        if self._ahead is None:
            return super()._resolved(lists, former_domains)
        listed = frozenset((name, one.accounts, one.addresses, one.members) for name, one in lists.items())
        what = "resolved", listed, frozenset(former_domains.items())
        found = self._ahead.derived(what, lambda: super(RedisDirectory, self)._resolved(lists, former_domains))
        return {
            name: replace(
                one,
                members=found[name].members,
                unusable=found[name].unusable,
                unresolved=found[name].unresolved,
            )
            for name, one in lists.items()
        }

    def _question(self, what: Hashable) -> AbstractContextManager[None]:
        return nullcontext() if self._ahead is None else self._ahead.question(what)

    def _stored(self, names: Sequence[str]) -> list[Any]:
        return self._found([self._keys.record(name) for name in names])

    def _record(self, name: str, body: Any) -> Record | None:
        found = self._decoded(Versioned, name, body, lambda: versioned(name, body))
        if found.problem:
            self._notice(name, found.problem)
        return found.record

    def _decoded(self, kind: type[T], name: str, body: Any, decode: Callable[[], T]) -> T:
        return decode() if self._ahead is None else self._ahead.decoded(kind, name, body, decode)

    def _cached(self, accounts: Iterable[Account]) -> dict[Account, PersonFacts]:
        accounts = tuple(accounts)
        keys = [self._keys.account(who.id) for who in accounts]
        found = zip(accounts, self._read(PersonFacts, keys), strict=True)
        return usable_facts({who: facts for who, facts in found if facts is not None})

    def _lists(self, sources: Iterable[str]) -> tuple[datetime, dict[str, Membership]]:
        names = {source: self._keys.group(source) for source in sources}
        now, bodies = self._found_at(tuple(names.values()))
        stored = zip(names.items(), bodies, strict=True)
        read = {source: self._readable(Membership, name, body) for (source, name), body in stored}
        return now, {source: membership for source, membership in read.items() if membership is not None}

    def _found_at(self, names: Sequence[str]) -> tuple[datetime, Sequence[Any]]:
        if self._ahead is not None and self._ahead.acting:
            found = self._ahead.read(names)
            return found.now, [_body(found.values[name]) for name in names]

        def fill(pipe: Any) -> None:
            pipe.execute_command("TIME")
            if names:
                pipe.execute_command("MGET", *names)

        (seconds, micros), *bodies = self._all(fill)
        return instant(int(seconds) * 1_000_000 + int(micros)), bodies[0] if bodies else ()

    def mark_stale(self, who: Account, at: datetime) -> None:
        self._keep(who, lambda known: with_news(known, at) if known is not None else None)

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        learnt = as_learnt(facts)
        return self._keep(facts.slack, lambda known: which_stands(known, learnt)) or learnt

    def _keep(self, who: Account, change: Callable[[PersonFacts | None], PersonFacts | None]) -> PersonFacts | None:
        """What stands of an account then; several processes learn of it at the same time, and each has its turn."""
        key = self._keys.account(who.id)
        while True:
            (body,) = self._found_now([key])
            known = self._readable(PersonFacts, key, body)
            stands = change(known)
            if stands is None or stands == known:
                return stands
            args = (body or b"", dump(PersonFacts, stands), KEEP_S)
            if int(self._server.run(script("facts"), [key], args)):
                self._written()
                return stands

    def saw(self, who: Account) -> None:
        if self.several_chats:
            self._server.run(script("seen"), [self._keys.seen(who.id)], (SEEN_KEEP_S,))

    def _seen(self, accounts: Sequence[Account]) -> Mapping[Account, float]:
        found = self._found([self._keys.seen(who.id) for who in accounts])
        return {who: at_s for who, body in zip(accounts, found, strict=True) if (at_s := _seconds(body)) is not None}

    def put_nobody(self, address: Address) -> None:
        self._server.call("SET", self._keys.nobody(address), "1", "EX", NOBODY_FOR_S)
        self._written()

    def forget(self, accounts: Iterable[Account], addresses: Iterable[Address]) -> None:
        accounts = tuple(accounts)
        names = [name for who in accounts for name in (self._keys.account(who.id), self._keys.seen(who.id))]
        names += map(self._keys.nobody, addresses)
        if names:
            self._server.call("DEL", *names)
            self._written()

    def _nobodies(self, addresses: Sequence[Address]) -> list[Address]:
        found = self._found([self._keys.nobody(address) for address in addresses])
        return [address for address, stands in zip(addresses, found, strict=True) if stands is not None]

    def put_members(self, source: str, membership: Membership) -> None:
        self._server.call("SET", self._keys.group(source), dump(Membership, membership), "EX", KEEP_S)
        self._written()

    def members(self, source: str) -> Membership | None:
        return self._read(Membership, [self._keys.group(source)])[0]

    def _found(self, names: Sequence[str]) -> list[Any]:
        """What stands under these keys; within an act, as of its own read."""
        if self._ahead is None or not self._ahead.acting or not names:
            return self._found_now(names)
        values = self._ahead.read(names).values
        return [_body(values[name]) for name in names]

    def _written(self) -> None:
        if self._ahead is not None:
            self._ahead.forget()

    def _found_now(self, names: Sequence[str]) -> list[Any]:
        """MGET, also for one: a key of another type is as good as none to it, and no error."""
        return list(self._server.call("MGET", *names)) if names else []

    def _read(self, kind: type[T], names: Sequence[str]) -> list[T | None]:
        return [self._readable(kind, name, body) for name, body in zip(names, self._found(names), strict=True)]

    def _readable(self, kind: type[T], name: str, body: Any) -> T | None:
        """What is kept there, or None: what cannot be read is not known, and is looked up and written anew."""
        try:
            return None if body is None else self._decoded(kind, name, body, lambda: load(kind, body, where=name))
        except CorruptRecord as problem:
            self._notice(name.removeprefix(self._keys.prefix), str(problem))
            return None

    def _all(self, fill: Any) -> list[Any]:
        answers = self._server.pipeline(fill)
        for answer in answers:
            if isinstance(answer, RedisError):
                raise self._server.explain(answer)
        return answers


# What read.lua says of a key of another type than a string's.
_OTHER_TYPES = frozenset({"!hash", "!list", "!set", "!stream", "!zset"})


def _body(stored: Any) -> Any:
    """None also for a key of another type."""
    return None if stored is not None and len(stored) <= 7 and text_of(stored) in _OTHER_TYPES else stored


def _seconds(body: Any) -> float | None:
    """None for what is no time."""
    try:
        found = None if body is None else float(body)
    except ValueError:
        return None
    return found if found is not None and isfinite(found) else None
