"""Who Microsoft says people are: accounts, by Graph and the roster, and groups of Entra. Workers ask, and the web process before
it opens a form; everybody reads the cache. What is not said is not known, which is neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.directory.bulk import what_stands
from bot.directory.introductions import Introductions
from bot.directory.other_groups import OtherGroups, no_worker, ours
from bot.teams.people.facts import address_in, deleted, facts_of, foreign, is_of_another_home, may_act
from bot.teams.people.graph import AFTER_AN_ERROR_S, Graph, NotThere
from bot.teams.people.roll import Roll
from workflows.core.dates import zone_of
from workflows.core.identity import TEAMS, Account, Address, spellings, unbound
from workflows.core.people import GroupFacts, Listed, Membership, PersonFacts, PersonId, is_fresh
from workflows.core.policy import Group, Policy
from workflows.core.provider import Connection
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryStore, DirectoryUnreachable

log = structlog.get_logger()

# What Graph answered about an address is not asked for again at once.
KEPT_FOR = timedelta(minutes=5)
LAGGING_S = 2.0
Clock = Callable[[], datetime]
# By account: what the roster of a conversation with them says; None where none is known. Raises DirectoryUnreachable.
Roster = Callable[[Account], Mapping[str, Any] | None]


class NobodyIsAway:
    """Teams tells a bot of nobody's presence without a further permission: all are called."""

    def is_due(self) -> bool:
        return False

    def refresh(self, _people: Collection[PersonFacts]) -> None:
        pass

    def among(self, _people: Collection[PersonFacts]) -> frozenset[PersonId]:
        return frozenset()


class TeamsRefresher:
    """Asks Microsoft about accounts of `tenant` and groups of Entra; the answers go into the cache. A `DirectoryRefresher`."""

    def __init__(
        self,
        graph: Graph,
        roster: Roster,
        tenant: str,
        store: DirectoryStore,
        now: Clock,
        identity_center_members: Callable[[Connection, str], Listed],
        outside: Callable[[Group], frozenset[Address]] = no_worker,
        clock_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._graph = graph
        self._clock_of = clock_of
        self._roster = roster
        self._tenant = tenant.lower()
        self._store = store
        self._now = now
        self._others = OtherGroups(store, now, identity_center_members, outside)
        self.away = NobodyIsAway()
        self._answered: dict[Address, tuple[Account | None, datetime]] = {}
        self._introductions = Introductions(now)
        self._roll = Roll(graph, self._tenant, now, store.person)

    # ------------------------------------------------------------ people

    def refresh_person(self, who: Account, policy: Policy, *, background: bool = False) -> PersonFacts:
        """Ask Microsoft who this is. Raises DirectoryUnreachable."""
        asked_at = self._now()
        if who.tenant != self._tenant:
            return self._kept(foreign(who, asked_at))
        try:
            user = self._graph.user(who.user, background=background)
        except NotThere:
            return self._kept(self._gone(who, asked_at))
        # The roster is asked about whoever acts; who is looked up in the background is not acting.
        member = None if background else self._roster(who)
        return self._kept(self._on_their_clock(facts_of(user, member, who, policy, asked_at)))

    def _on_their_clock(self, facts: PersonFacts) -> PersonFacts:
        """What they type of times is meant on the clock that their Teams shows; the policy's where it has said none."""
        return replace(facts, time_zone=zone_of(self._clock_of(facts.slack.user), facts.time_zone).key)

    def _gone(self, who: Account, asked_at: datetime) -> PersonFacts:
        """Our tenant has no such account. It has left only where the directory itself says that it was deleted; one of another
        tenant, in a channel that is shared with it, is the roster's to tell; what nobody shows is not known."""
        member = self._roster(who)
        if member is not None and is_of_another_home(member, who):
            return foreign(who, asked_at)
        known = self._store.person(who)
        if not self._graph.is_deleted(who.user):
            raise DirectoryUnreachable("Microsoft does not show me this account")
        return deleted(known or PersonFacts(unbound(who.id), who.user, who, asked_at), asked_at)

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        """The account that has an address today; None where Microsoft says that nobody has it. Raises DirectoryUnreachable."""
        asked_at = self._now()
        self._answered = {who: kept for who, kept in self._answered.items() if is_fresh(kept[1], asked_at, KEPT_FOR)}
        if address in self._answered:
            account = self._answered[address][0]
            return self._store.person(account) if account is not None else None
        found = [
            self._seen(user, policy, asked_at)
            for user in self._graph.by_address(spellings(address, policy.former_domains))
        ]
        theirs = [facts for facts in found if facts.address == address]
        able = [facts for facts in theirs if not facts.standing_problem]
        if len(able) > 1:
            raise DirectoryUnreachable("several accounts have this address", AFTER_AN_ERROR_S)
        if not able:
            # Whoever cannot act is bound to nobody that could.
            self._answered[address] = (None, asked_at)
            self._store.put_nobody(address)
            return self._kept(theirs[0]) if theirs else None
        kept = self._kept(able[0])
        self._answered[address] = (kept.slack, asked_at)
        return kept

    def _seen(self, user: Mapping[str, Any], policy: Policy, asked_at: datetime) -> PersonFacts:
        who = Account(TEAMS, self._tenant, str(user.get("id", "")).lower())
        return self._on_their_clock(facts_of(user, None, who, policy, asked_at))

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None:
        """In the background: look up whose these accounts are, a few at a time; the others another time."""
        self._introductions.make(accounts, lambda who: self.refresh_person(who, policy, background=True))

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        """What Microsoft says of all of them, in few questions; what it does not say is not known."""
        found = self._roll.look(accounts, policy)
        on_their_clocks = {who: self._on_their_clock(facts) for who, facts in found.facts.items()}
        return what_stands(TEAMS, replace(found, facts=on_their_clocks), self._store, self._kept, self._now())

    def reads_people(self) -> None:
        """Whether everybody can be listed, of whom one is asked for. Raises DirectoryUnreachable."""
        try:
            self._graph.anybody()
        except NotThere:
            raise DirectoryUnreachable("Graph has no list of people", AFTER_AN_ERROR_S) from None

    def _kept(self, facts: PersonFacts) -> PersonFacts:
        stands = self._store.put_person(facts)
        if not is_fresh(stands.as_of, self._now()):
            raise DirectoryUnreachable("Microsoft's answer is older than what it said before", LAGGING_S)
        return stands

    # ------------------------------------------------------------ groups

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        """Learn the members of these groups. Of what cannot be learnt, nothing is known, and it says why."""
        names = tuple(names)
        wanted = [policy.groups[name] for name in names if name in policy.groups]
        for group in wanted:
            if group.entra_group:
                self._refresh_entra_group(group, group.entra_group, policy)
        self._others.refresh(wanted, policy)
        return self._store.groups(policy, names)

    def _refresh_entra_group(self, group: Group, id_: str, policy: Policy) -> None:
        """By address: whoever is known in another chat is in it, too, before they have ever written in Teams."""
        asked_at = self._now()
        try:
            members = self._graph.members(id_)
            addresses = [address_in(user, policy) for user in members if may_act(user)]
        except NotThere:
            self._others.put(group, Membership(as_of=asked_at, problem="Entra has no such group", certain=True))
            return
        except DirectoryUnreachable as problem:
            log.warning("a group was not looked up", group=group.name, why=str(problem))
            self._others.unknown(group, str(problem))
            return
        known = ours((address for address in addresses if address is not None), policy)
        self._others.put(group, Membership(as_of=asked_at, addresses=known))
