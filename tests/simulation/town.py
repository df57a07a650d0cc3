"""People as the chat knows them: who they are, who is in which group, and who has left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from tests.support import build
from tests.support.world import account
from workflows.core.identity import Address
from workflows.core.people import Account, GroupFacts, Membership, PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.rules.leaving import Looked
from workflows.ledger.memory import MemoryDirectory

PEOPLE = (build.DANA, build.NIA, build.OLU, build.PAT, build.SUE, build.GUS)


class NobodyAway:
    """An `Absences`."""

    def is_due(self) -> bool:
        return False

    def refresh(self, people: Collection[PersonFacts]) -> None: ...

    def among(self, people: Collection[PersonFacts]) -> frozenset[PersonId]:
        return frozenset()


class Town:
    """A `ChatDirectory` and a `DirectoryRefresher`. `directory`: where its answers are kept."""

    away = NobodyAway()

    def __init__(self, directory: MemoryDirectory, now: Callable[[], datetime]) -> None:
        self._directory, self._now = directory, now
        self.people: dict[Account, PersonFacts] = {account(who): build.facts(who) for who in PEOPLE}
        self.members: dict[str, tuple[PersonId, ...]] = {
            name: tuple(sorted(people)) for name, people in build.GROUPS.items()
        }
        # Bound to nobody, and with an address that is somebody's.
        self.strangers: list[Account] = []

    # ------------------------------------------------------------ what happens to people

    def leaves_or_comes_back(self, who: PersonId) -> bool:
        """Whether they are here now."""
        here = self.people[account(who)].standing_problem is None
        self.people[account(who)] = replace(
            self.people[account(who)], standing_problem="person_deactivated" if here else None
        )
        return not here

    def changes_group(self, who: PersonId, group: str) -> bool:
        """Whether they are in it now."""
        inside = who in self.members[group]
        left = tuple(one for one in self.members[group] if one != who)
        self.members[group] = left if inside else tuple(sorted((*left, who)))
        return not inside

    def changes_address(self, who: PersonId, address: str) -> None:
        self.people[account(who)] = replace(self.people[account(who)], address=Address(address))

    def address(self, who: PersonId) -> str:
        return str(self.people[account(who)].address)

    # ------------------------------------------------------------ what it answers

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        return self._directory.put_person(replace(self.people[who], as_of=self._now()))

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        found = [who for who, facts in self.people.items() if facts.address == address and not facts.standing_problem]
        return self.refresh_person(found[-1], policy) if found else None

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None:
        for who in sorted(accounts, key=str):
            if who in self.people:
                self.refresh_person(who, policy)

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        return Looked(
            {who: self.refresh_person(who, policy) for who in sorted(accounts, key=str) if who in self.people}
        )

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        names = tuple(sorted(names))
        for name in names:
            if name in self.members:
                listed = Membership(as_of=self._now(), accounts=frozenset(map(account, self.members[name])))
                self._directory.put_members(f"slack:S0{name.upper()}", listed)
        return self._directory.groups(policy, names)
