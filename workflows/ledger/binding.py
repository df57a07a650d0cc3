"""From account to person and back, for everybody who looks at people and groups: through the ledger's binding alone.

What the chat said of an account is a cache; whose the account is, is a record. No pointer in the cache leads from an address to
an account: whoever came last would be whoever has the address.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflows.core import keys
from workflows.core.identity import (
    NO_DOMAINS,
    Account,
    AccountId,
    AccountRecord,
    Address,
    Identity,
    PersonId,
    Suspension,
    Why,
    first_person,
    spellings,
    surface_of,
    unbound,
)
from workflows.core.people import GroupFacts, Membership, PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.record import Record
from workflows.ledger.people_read import PeopleRead
from workflows.ports import DirectoryStore

# So long it is believed that nobody has an address; somebody may have been given it since.
NOBODY_FOR_S = 3600


class BoundDirectory(DirectoryStore, ABC):
    """What both directories have in common: all but where things are kept."""

    # Whether people may have accounts in several chats: only then is it kept where they were seen last.
    several_chats = False

    # ------------------------------------------------------------ where things are kept

    @abstractmethod
    def _stored(self, names: Sequence[str]) -> Sequence[Any]:
        """Records of the ledger as they are stored, in one round trip."""

    @abstractmethod
    def _record(self, name: str, stored: Any) -> Record | None:
        """What a stored record says; None also where it cannot be read."""

    @abstractmethod
    def _cached(self, accounts: Iterable[Account]) -> Mapping[Account, PersonFacts]:
        """What the chat said of these accounts, in one round trip; without those that were never looked up."""

    @abstractmethod
    def _lists(self, sources: Iterable[str]) -> tuple[datetime, Mapping[str, Membership]]:
        """The ledger's time, and the lists that are known, as they were learnt; in one round trip."""

    @abstractmethod
    def _nobodies(self, addresses: Sequence[Address]) -> Sequence[Address]:
        """Those of which the chat has said within `NOBODY_FOR_S` that nobody has them; in one round trip."""

    @abstractmethod
    def _seen(self, accounts: Sequence[Account]) -> Mapping[Account, float]:
        """When somebody acted with them last, in seconds since the epoch, in one round trip; without those who never did."""

    def _records_of(self, names: Iterable[str]) -> PeopleRead:
        read = PeopleRead(self._stored, self._record)
        read.more(names)
        return read

    # ------------------------------------------------------------ accounts

    def person(self, who: Account) -> PersonFacts | None:
        return self.people((who,)).get(who)

    def people(
        self, accounts: Iterable[Account], former_domains: Mapping[str, str] = NO_DOMAINS
    ) -> dict[Account, PersonFacts]:
        found = self._cached(tuple(dict.fromkeys(accounts)))
        records = self._account_records({name for facts in found.values() for name in facts.accounts})
        bound = {who: _account_of(facts, records) for who, facts in found.items()}
        free = (facts.address for who, facts in found.items() if bound[who] is None and facts.address)
        owners = self._owners(free, former_domains)
        identities = {address: read.identity(who) for address, (who, read) in owners.items()}
        return {who: _through(facts, bound[who], identities) for who, facts in found.items()}

    def _account_records(self, names: Iterable[AccountId]) -> dict[AccountId, AccountRecord]:
        """By id, each under its present one."""
        wanted = tuple(names)
        read = self._records_of(map(keys.account, wanted))
        found = {name: record for name in wanted if (record := read.one(keys.account(name), AccountRecord))}
        gone = {name: record.moved for name, record in found.items() if record.moved is not None}
        if gone:
            there = self._records_of(map(keys.account, gone.values()))
            found |= {name: one for name, to in gone.items() if (one := there.one(keys.account(to), AccountRecord))}
        return found

    # ------------------------------------------------------------ people

    def of_person(self, who: PersonId) -> PersonFacts | None:
        return self.of_people((who,)).get(who)

    def of_people(self, people: Iterable[PersonId]) -> dict[PersonId, PersonFacts]:
        wanted = tuple(dict.fromkeys(people))
        read = self._read_of(wanted)
        return self._facts_of(dict.fromkeys(wanted, read))

    def _read_of(self, people: Iterable[PersonId]) -> PeopleRead:
        people = tuple(people)
        read = self._records_of(map(keys.identity, people))
        read.as_first_known(people)
        return read

    def _facts_of(self, reads: Mapping[PersonId, PeopleRead]) -> dict[PersonId, PersonFacts]:
        """The facts of each, who was looked at in that read."""
        accounts = {who: read.accounts_of(who) for who, read in reads.items()}
        records = self._account_records({name for names in accounts.values() for name in names})
        # Of an account without a record an earlier version may have written down how the chat names it.
        lacking = {who: read for who, read in reads.items() if not all(name in records for name in accounts[who])}
        for read in dict.fromkeys(lacking.values()):
            read.more(keys.person(who) for who, one in lacking.items() if one is read)
        users = {
            name: records[name].slack if name in records else account
            for who, read in reads.items()
            for name, account in read.users_of(who, accounts[who], records)
        }
        known = self._cached(tuple(dict.fromkeys(users.values())))
        found: dict[PersonId, list[PersonFacts]] = {}
        for who in reads:
            facts = [
                replace(known[users[name]], id=who, suspended=records[name].suspended if name in records else None)
                for name in accounts[who]
                if name in users and users[name] in known and _is_theirs(records.get(name), who)
            ]
            if facts:
                found[who] = facts
        seen = self._seen_of(found.values())
        return {who: _where_told(facts, seen) for who, facts in found.items()}

    def _seen_of(self, people: Iterable[Sequence[PersonFacts]]) -> Mapping[Account, float]:
        """Of those who have accounts in several chats; nobody is asked about where there are none."""
        several = [facts for facts in people if len({one.slack.surface for one in facts}) > 1]
        return self._seen([one.slack for facts in several for one in facts]) if several else {}

    def by_address(self, address: Address, former_domains: Mapping[str, str] = NO_DOMAINS) -> PersonFacts | None:
        return self.of_person(self.owner_of(address, former_domains))

    def owner_of(self, address: Address, former_domains: Mapping[str, str] = NO_DOMAINS) -> PersonId:
        return self._owners((address,), former_domains)[address][0]

    def _owners(
        self, addresses: Iterable[Address], former_domains: Mapping[str, str]
    ) -> dict[Address, tuple[PersonId, PeopleRead]]:
        """Whose these addresses are now, each with a read in which they were looked at."""
        written = {one: spellings(one, former_domains) for one in dict.fromkeys(addresses)}
        forms = tuple(dict.fromkeys(form for forms in written.values() for form in forms))
        read = self._records_of(
            name for form in forms for name in (keys.address(form), keys.identity(first_person(form)))
        )
        read.as_first_known(map(first_person, forms))
        owners = {one: read.owner(forms) for one, forms in written.items()}
        others = self._read_of(who for who in owners.values() if not read.has(who))
        return {one: (who, read if read.has(who) else others) for one, who in owners.items()}

    # ------------------------------------------------------------ groups

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        names = tuple(names)
        now, known = self._lists(looked_up(policy, names))
        lists: dict[str, Membership] = {}
        for name in names:
            group = policy.groups.get(name)
            if group is None:
                # Looking it up again would not help, so it is not stale: it has no members.
                lists[name] = Membership(as_of=now, problem="the policy has no such group", certain=True)
            elif group.source is None:
                lists[name] = Membership(as_of=now, addresses=group.members or frozenset())
            elif group.source in known:
                lists[name] = known[group.source]
        return GroupFacts(self._resolved(lists, policy.former_domains))

    def _resolved(self, lists: Mapping[str, Membership], former_domains: Mapping[str, str]) -> dict[str, Membership]:
        """Lists of accounts and addresses as people. Whose accounts nobody knows are kept apart."""
        named = {name: _addresses(one) for name, one in lists.items()}
        owners = self._owners((address for addresses in named.values() for address in addresses), former_domains)
        accounts = self.people((account for one in lists.values() for account in one.accounts), former_domains)
        listed = {address: who for address, (who, _) in owners.items()}
        facts = self._facts_of(dict(owners.values()))
        # Listed by an address that nobody has any more: no account is theirs, and nobody speaks in their place.
        closed = {who for who, read in owners.values() if read.identity(who).closed_at is not None}
        unmet = [address for address, (who, read) in owners.items() if not read.accounts_of(who)]
        gone = {listed[address] for address in (self._nobodies(unmet) if unmet else ())}
        found: dict[str, Membership] = {}
        for name, one in lists.items():
            by_account = [accounts[who] for who in one.accounts if who in accounts]
            by_account.sort(key=_preferred, reverse=True)
            people = {item.id: item for item in by_account if not _is_nobody(item)}
            people |= {who: facts[who] for address in named[name] if (who := listed[address]) in facts}
            members = people.keys() | {listed[address] for address in named[name]}
            found[name] = replace(
                one,
                members=frozenset(members),
                unusable=frozenset(who for who, item in people.items() if item.standing_problem or item.suspended)
                | (members & (closed | gone)),
                unresolved=frozenset(who for who in one.accounts if who not in accounts),
            )
        return found


def as_learnt(facts: PersonFacts) -> PersonFacts:
    """What is kept of an account: what the chat said. Whose it is stands in the ledger; an older process looks at `id`."""
    who = first_person(facts.address) if facts.address is not None else unbound(facts.account)
    return replace(facts, id=who, suspended=None, elsewhere=())


def usable_facts(known: Mapping[Account, PersonFacts]) -> dict[Account, PersonFacts]:
    """Without what a version wrote that did not keep addresses apart: that account counts as not looked up yet."""
    return {who: facts for who, facts in known.items() if facts.address is not None or facts.standing_problem}


def _account_of(facts: PersonFacts, records: Mapping[AccountId, AccountRecord]) -> AccountRecord | None:
    return next((records[name] for name in facts.accounts if name in records), None)


def _through(facts: PersonFacts, record: AccountRecord | None, owners: Mapping[Address, Identity]) -> PersonFacts:
    """The facts with whose they are. An account that never acted is whoever it would be bound to."""
    if record is not None and record.person is not None:
        return replace(facts, id=record.person, suspended=record.suspended)
    if record is not None:
        return replace(facts, id=unbound(facts.account), suspended=record.suspended)
    owner = owners.get(facts.address) if facts.address is not None else None
    if owner is None:
        return replace(facts, id=unbound(facts.account))
    if facts.account in owner.accounts or (not owner.accounts and owner.closed_at is None):
        return replace(facts, id=owner.person)
    others = {surface_of(name) for name in owner.accounts} - {facts.slack.surface}
    hold = Suspension(Why.NEW_ACCOUNT, facts.as_of, facts.address, owner.person, tuple(sorted(others)))
    return replace(facts, id=unbound(facts.account), suspended=hold)


def _is_theirs(record: AccountRecord | None, who: PersonId) -> bool:
    return record is None or record.person == who


def _is_nobody(facts: PersonFacts) -> bool:
    return facts.id == unbound(facts.account)


def _preferred(facts: PersonFacts) -> tuple[bool, bool, float]:
    """Of several accounts of one person the one that can act, and that is known best."""
    return facts.standing_problem is not None, facts.suspended is not None, -facts.as_of.timestamp()


def _where_told(facts: Sequence[PersonFacts], seen: Mapping[Account, float]) -> PersonFacts:
    """Of one person's accounts the one to write to: in the chat in which they acted last, else in the one they had first."""
    chats = list(dict.fromkeys(one.slack.surface for one in facts))
    if len(chats) == 1:
        return min(facts, key=_preferred)

    def order(one: PersonFacts) -> tuple[bool, bool, float, int, float]:
        cannot, on_hold, age = _preferred(one)
        lately = max(
            (seen.get(other.slack, 0.0) for other in facts if other.slack.surface == one.slack.surface), default=0.0
        )
        return cannot, on_hold, -lately, chats.index(one.slack.surface), age

    first, *others = sorted(facts, key=order)
    elsewhere: dict[str, Account] = {}
    for one in others:
        if one.slack.surface != first.slack.surface and one.standing_problem is None and one.suspended is None:
            elsewhere.setdefault(one.slack.surface, one.slack)
    return replace(first, elsewhere=tuple(elsewhere.values()))


def _addresses(one: Membership) -> tuple[Address, ...]:
    # An earlier version kept addresses among the members.
    return tuple(dict.fromkeys((*one.addresses, *map(Address, one.members))))


def looked_up(policy: Policy, names: Iterable[str]) -> tuple[str, ...]:
    """The sources of those groups of `names` whose members the policy does not list itself."""
    found = (policy.groups[name].source for name in names if name in policy.groups)
    return tuple(dict.fromkeys(source for source in found if source is not None))
