"""What is known of people and groups, kept in Redis for all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisError

from workflows.core.identity import Address, first_person
from workflows.core.people import GroupFacts, Membership, PersonFacts, PersonId, SlackUser, which_stands, with_news
from workflows.core.policy import Policy
from workflows.ledger.codec import dump, load
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Server, script, text
from workflows.ledger.times import instant
from workflows.ports import CorruptRecord, DirectoryStore, Notice, no_notice

T = TypeVar("T")

KEEP_S = 7 * 24 * 3600
"""Facts have no access behind them, and are far too old for a decision by then."""


class RedisDirectory(DirectoryStore):
    """Facts are returned however old they are: `as_of` says it, and the caller judges."""

    def __init__(self, client: redis.Redis, *, prefix: str = "prodaccess:", notice: Notice = no_notice) -> None:
        self._server = Server(client)
        self._keys = Keys(prefix)
        self._notice = notice

    def person(self, who: SlackUser) -> PersonFacts | None:
        return self._read(PersonFacts, [self._keys.account(who.team, who.user)])[0]

    def by_address(self, address: PersonId) -> PersonFacts | None:
        return self.by_addresses((address,)).get(address)

    def by_addresses(self, addresses: Iterable[PersonId]) -> dict[PersonId, PersonFacts]:
        """The same for many, in two round trips."""
        wanted = tuple(addresses)
        found = self._found([self._keys.address(address) for address in wanted])
        accounts = dict(zip(wanted, texts_or_none(found), strict=True))
        known = [account for account in accounts.values() if account is not None]
        facts = dict(zip(known, self._read(PersonFacts, known), strict=True))
        # The account may have another address by now.
        return {
            address: item
            for address, account in accounts.items()
            if account is not None and (item := facts[account]) is not None and item.id == address
        }

    def people(self, accounts: Iterable[SlackUser]) -> dict[SlackUser, PersonFacts]:
        accounts = tuple(accounts)
        keys = [self._keys.account(who.team, who.user) for who in accounts]
        found = zip(accounts, self._read(PersonFacts, keys), strict=True)
        return {who: facts for who, facts in found if facts is not None}

    def mark_stale(self, who: SlackUser, at: datetime) -> None:
        self._keep(who, lambda known: with_news(known, at) if known is not None else None)

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        stands = self._keep(facts.slack, lambda known: which_stands(known, facts)) or facts
        account = self._keys.account(facts.slack.team, facts.slack.user)
        # An account that may do nothing does not take an address away from one that may.
        unless_taken = ("NX",) if stands.standing_problem else ()
        if stands.id:
            self._server.call("SET", self._keys.address(stands.id), account, "EX", KEEP_S, *unless_taken)
        return stands

    def _keep(self, who: SlackUser, change: Callable[[PersonFacts | None], PersonFacts | None]) -> PersonFacts | None:
        """What stands of an account then; several processes learn of it at the same time, and each has its turn."""
        key = self._keys.account(who.team, who.user)
        while True:
            (body,) = self._found([key])
            known = self._readable(PersonFacts, key, body)
            stands = change(known)
            if stands is None or stands == known:
                return stands
            args = (body or b"", dump(PersonFacts, stands), KEEP_S)
            if int(self._server.run(script("facts"), [key], args)):
                return stands

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        names = tuple(names)
        sources = looked_up(policy, names)

        def fill(pipe: Any) -> None:
            pipe.execute_command("TIME")
            if sources:
                pipe.execute_command("MGET", *map(self._keys.group, sources))

        (seconds, micros), *found = self._all(fill)
        bodies = zip(sources, found[0] if found else (), strict=True)
        read = {source: self._readable(Membership, self._keys.group(source), body) for source, body in bodies}
        known = {source: membership for source, membership in read.items() if membership is not None}
        return group_facts(policy, names, known, instant(int(seconds) * 1_000_000 + int(micros)), self.people)

    def put_members(self, source: str, membership: Membership) -> None:
        self._server.call("SET", self._keys.group(source), dump(Membership, membership), "EX", KEEP_S)

    def members(self, source: str) -> Membership | None:
        return self._read(Membership, [self._keys.group(source)])[0]

    def _found(self, names: Sequence[str]) -> list[Any]:
        """What stands under these keys. MGET, also for one: a key of another type is as good as none to it, and no error."""
        return list(self._server.call("MGET", *names)) if names else []

    def _read(self, kind: type[T], names: Sequence[str]) -> list[T | None]:
        return [self._readable(kind, name, body) for name, body in zip(names, self._found(names), strict=True)]

    def _readable(self, kind: type[T], name: str, body: Any) -> T | None:
        """What is kept there, or None: what cannot be read is not known, and is looked up and written anew."""
        try:
            return None if body is None else load(kind, body, where=name)
        except CorruptRecord as problem:
            self._notice(name.removeprefix(self._keys.prefix), str(problem))
            return None

    def _all(self, fill: Any) -> list[Any]:
        answers = self._server.pipeline(fill)
        for answer in answers:
            if isinstance(answer, RedisError):
                raise self._server.explain(answer)
        return answers


def texts_or_none(values: Sequence[Any]) -> list[str | None]:
    """As text; what is none is as good as nothing."""
    found: list[str | None] = []
    for value in values:
        try:
            found.append(None if value is None else text(value))
        except UnicodeDecodeError:
            found.append(None)
    return found


def _people(addresses: Iterable[Address]) -> frozenset[PersonId]:
    return frozenset(map(first_person, addresses))


def resolved(listed: Membership, owners: Mapping[SlackUser, PersonFacts]) -> Membership:
    """A chat's own list, as people: from account to person at any age. Whose accounts nobody knows are kept apart."""
    found = {owners[who].id: owners[who] for who in listed.accounts if who in owners}
    return replace(
        listed,
        members=listed.members | _people(listed.addresses) | found.keys(),
        unusable=frozenset(id_ for id_, facts in found.items() if facts.standing_problem),
        unresolved=frozenset(who for who in listed.accounts if who not in owners),
    )


def looked_up(policy: Policy, names: Iterable[str]) -> tuple[str, ...]:
    """The sources of those groups of `names` whose members the policy does not list itself."""
    found = (policy.groups[name].source for name in names if name in policy.groups)
    return tuple(dict.fromkeys(source for source in found if source is not None))


People = Callable[[Iterable[SlackUser]], Mapping[SlackUser, PersonFacts]]


def group_facts(
    policy: Policy, names: Iterable[str], known: Mapping[str, Membership], now: datetime, people: People
) -> GroupFacts:
    """Facts by the policy's names. A group that was never looked up is left out, so that it counts as stale.

    `people`: whose accounts these are, for a chat's own lists.
    """
    accounts = frozenset().union(*(one.accounts for one in known.values()))
    owners = people(accounts) if accounts else {}
    known = {source: resolved(one, owners) for source, one in known.items()}
    facts: dict[str, Membership] = {}
    for name in names:
        group = policy.groups.get(name)
        if group is None:
            # Looking it up again would not help, so it is not stale: it has no members.
            facts[name] = Membership(as_of=now, problem="the policy has no such group", certain=True)
        elif group.source is None:
            facts[name] = Membership(members=_people(group.members or ()), as_of=now)
        elif group.source in known:
            facts[name] = known[group.source]
    return GroupFacts(facts)
