"""Many accounts of our tenant in few questions: fifteen at a time while they are few, else the list of everybody.

An id that Graph does not show has left where the directory says that it was deleted, or where it is not on the list of everybody,
read to its end. `getByIds`, which takes a thousand, wants a permission that lets the bot read all of the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from bot.teams.people.facts import deleted, facts_of
from bot.teams.people.graph import Graph
from workflows.core.identity import TEAMS, Account, unbound
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy
from workflows.core.rules.leaving import Looked
from workflows.ports import DirectoryUnreachable

# Ten questions of fifteen. A tenant of 10,000 is ten pages.
FEW = 150

Json = Mapping[str, Any]


class Roll:
    """Of one tenant. `known`: what is known of an account that is gone."""

    def __init__(
        self, graph: Graph, tenant: str, now: Callable[[], datetime], known: Callable[[Account], PersonFacts | None]
    ) -> None:
        self._graph = graph
        self._tenant = tenant
        self._now = now
        self._known = known

    def look(self, accounts: Collection[Account], policy: Policy) -> Looked:
        """Never raises DirectoryUnreachable. Of accounts of another tenant ours says nothing."""
        ours = {who.user: who for who in accounts if who.tenant == self._tenant}
        found: dict[Account, PersonFacts] = {}
        try:
            asked_at = self._now()
            users = self._graph.everybody() if len(ours) > FEW else self._graph.some(list(ours))
            silent = self._read(users, ours, policy, asked_at, found)
            shown = {str(user.get("id", "")).lower() for user in users}
            missing = [who for id_, who in ours.items() if id_ not in shown]
            silent = self._missing(missing, policy, found, whole=len(ours) > FEW) or silent
        except DirectoryUnreachable as problem:
            silent = problem
        return Looked(found, {TEAMS: str(silent)}, silent.after_s) if silent is not None else Looked(found)

    @staticmethod
    def _read(
        users: Collection[Json],
        ours: Mapping[str, Account],
        policy: Policy,
        asked_at: datetime,
        found: dict[Account, PersonFacts],
    ) -> DirectoryUnreachable | None:
        """Into `found`; returns what could not be read of one of them."""
        silent: DirectoryUnreachable | None = None
        for user in users:
            who = ours.get(str(user.get("id", "")).lower())
            if who is None:
                continue
            try:
                found[who] = facts_of(user, None, who, policy, asked_at)
            except DirectoryUnreachable as problem:
                silent = problem
        return silent

    def _missing(
        self, missing: Collection[Account], policy: Policy, found: dict[Account, PersonFacts], *, whole: bool
    ) -> DirectoryUnreachable | None:
        """`whole`: they are not on the list of everybody. Raises DirectoryUnreachable."""
        asked_at = self._now()
        unsure = [who for who in missing if not whole and not self._graph.is_deleted(who.user)]
        silent: DirectoryUnreachable | None = None
        if unsure:
            users = self._graph.everybody()
            silent = self._read(users, {who.user: who for who in unsure}, policy, asked_at, found)
            listed = {str(user.get("id", "")).lower() for user in users}
            unsure = [who for who in unsure if who.user in listed]
        for who in missing:
            if who not in unsure:
                known = self._known(who) or PersonFacts(unbound(who.id), who.user, who, asked_at)
                found[who] = deleted(known, asked_at)
        return silent
