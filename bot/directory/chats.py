"""Several chats as one directory: an account is asked about in its own chat, a group where it is kept.

What one chat does not say is not known, whatever another one says; a chat that is not set up here says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, cast

from bot.directory.other_groups import OtherGroups
from bot.directory.refresh import Absences, ChatDirectory
from workflows.core.identity import SLACK, TEAMS, Account, Address
from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Group, Policy
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryStore, DirectoryUnreachable


class OneChat(ChatDirectory, Protocol):
    """What a chat says of people, and of the groups that it keeps."""

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        """Raises DirectoryUnreachable."""
        ...


class _OfOneChat:
    """The store of one chat of several. That nobody has an address is not for one of them to say."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_nobody(self, address: Address) -> None:
        pass


def of_one_chat(store: DirectoryStore) -> DirectoryStore:
    """For the directory of one chat of several."""
    return cast(DirectoryStore, _OfOneChat(store))


class ChatDirectories:
    """A `ChatDirectory` and a `DirectoryRefresher`. `chats`: by surface, one at least; an address is looked for in their order.

    Groups that no chat keeps are the first one's business.
    """

    def __init__(self, chats: Mapping[str, OneChat], store: DirectoryStore, others: OtherGroups) -> None:
        self._chats = chats
        self._store = store
        self._others = others

    @property
    def away(self) -> Absences:
        each = {surface: chat.away for surface, chat in self._chats.items()}
        return next(iter(each.values())) if len(each) == 1 else _Absences(each)

    # ------------------------------------------------------------ people

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        """Raises DirectoryUnreachable."""
        chat = self._chats.get(who.surface)
        if chat is None:
            raise DirectoryUnreachable(f"{who.surface.capitalize()} is not set up here")
        return chat.refresh_person(who, policy)

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        """In the first chat in which somebody has it who can act there, else in the first in which anybody has. None where all
        say that nobody has it. Raises DirectoryUnreachable."""
        silent: DirectoryUnreachable | None = None
        unable: PersonFacts | None = None
        for chat in self._chats.values():
            try:
                found = chat.find(address, policy)
            except DirectoryUnreachable as problem:
                silent = silent or problem
                continue
            if found is not None and not found.standing_problem:
                return found
            unable = unable or found
        if silent is not None:
            raise silent
        if len(self._chats) > 1:
            # What each of them may not say for the others.
            self._store.put_nobody(address)
        return unable

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        """Each in its own chat. A chat that is not set up here says nothing, and is not silent: nobody expects it to speak."""
        facts: dict[Account, PersonFacts] = {}
        silent: dict[str, str] = {}
        after_s, goes_on = 0.0, False
        for surface, chat in self._chats.items():
            theirs = [who for who in accounts if who.surface == surface]
            found = chat.look_at(theirs, policy) if theirs else Looked()
            facts |= found.facts
            silent |= found.silent
            after_s, goes_on = max(after_s, found.after_s), goes_on or found.goes_on
        return Looked(facts, silent, after_s, goes_on)

    def reads_people(self) -> None:
        """In each chat. Raises DirectoryUnreachable, which names the first that does not let us."""
        for surface in self._chats:
            self.reads_people_of(surface)

    def reads_people_of(self, surface: str) -> None:
        self._chats[surface].reads_people()

    @property
    def surfaces(self) -> tuple[str, ...]:
        return tuple(self._chats)

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None:
        accounts = tuple(accounts)
        for surface, chat in self._chats.items():
            chat.introduce([who for who in accounts if who.surface == surface], policy)

    # ------------------------------------------------------------ groups

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        """Learn the members of these groups, each where it is kept."""
        names = tuple(names)
        kept: dict[str, list[str]] = {}
        for name in names:
            kept.setdefault(self._keeper(policy.groups.get(name)), []).append(name)
        if len(kept) == 1 and (alone := self._chats.get(next(iter(kept)))) is not None:
            return alone.refresh_groups(policy, names)
        for surface, theirs in kept.items():
            self._refresh(surface, [policy.groups[name] for name in theirs if name in policy.groups], policy)
        return self._store.groups(policy, names)

    def _keeper(self, group: Group | None) -> str:
        """The chat that is asked about a group."""
        if group is not None and group.entra_group:
            return TEAMS
        return SLACK if group is not None and group.slack_usergroup else next(iter(self._chats))

    def _refresh(self, surface: str, groups: list[Group], policy: Policy) -> None:
        chat = self._chats.get(surface)
        if chat is not None:
            chat.refresh_groups(policy, [group.name for group in groups])
            return
        for group in groups:
            self._others.unknown(group, f"{surface.capitalize()}, which keeps it, is not set up here")


class _Absences:
    """Who is away in the chat of the account by which they are known."""

    def __init__(self, chats: Mapping[str, Absences]) -> None:
        self._chats = chats

    def is_due(self) -> bool:
        return any(away.is_due() for away in self._chats.values())

    def refresh(self, people: Collection[PersonFacts]) -> None:
        for surface, away in self._chats.items():
            if away.is_due():
                away.refresh([one for one in people if one.slack.surface == surface])

    def among(self, people: Collection[PersonFacts]) -> frozenset[PersonId]:
        found = frozenset[PersonId]()
        for surface, away in self._chats.items():
            theirs = [one for one in people if one.slack.surface == surface]
            found |= away.among(theirs) if theirs else frozenset()
        return found
