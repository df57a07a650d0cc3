"""Keeps the facts fresh that somebody is about to decide on, so that a press finds them so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from workflows.core import keys
from workflows.core.people import FACTS_AGE_MAX, Account, GroupFacts, Membership, PersonFacts, PersonId, is_fresh
from workflows.core.policy import Policy
from workflows.core.rules.groups import groups_needed
from workflows.core.rules.leaving import Looked
from workflows.ports import Ledger
from workflows.usecases.oversight.delegate import approving_groups
from workflows.usecases.shared.context import WorkerContext

# Refreshed at this age, so that a press, which wants FACTS_AGE_MAX, finds them young enough.
_REFRESH_AGE = FACTS_AGE_MAX * 0.6
# Who approves is looked at now and then while somebody waits for them, so that whoever has left is not waited for.
PEOPLE_AGE = timedelta(minutes=30)


class Absences(Protocol):
    """Who wants no calls just now."""

    def is_due(self) -> bool: ...

    def refresh(self, people: Collection[PersonFacts]) -> None: ...
    def among(self, people: Collection[PersonFacts]) -> frozenset[PersonId]: ...


class ChatDirectory(Protocol):
    """Asks a chat anew, and writes down what it says."""

    @property
    def away(self) -> Absences: ...

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts: ...

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        """Raises DirectoryUnreachable."""
        ...

    def introduce(self, accounts: Iterable[Account], policy: Policy) -> None: ...
    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked: ...
    def reads_people(self) -> None:
        """Raises DirectoryUnreachable where nobody could be found to have left."""
        ...


def refresh_groups_of_pending(context: WorkerContext, refresher: ChatDirectory) -> None:
    """Groups of environments that somebody waits for. Nothing waits: nothing is asked."""
    ledger: Ledger = context.ledger
    if not ledger.count(keys.PENDING):
        return
    policy = context.policy.current()
    now = ledger.now()
    waiting = [
        environment
        for environment in policy.environments.values()
        if ledger.count(keys.of_environment(keys.PENDING, environment.name))
    ]
    names = tuple({name for environment in waiting for name in groups_needed(policy, environment)})
    facts = context.directory.groups(policy, names)
    old = [name for name in names if _is_old(facts.by_name.get(name), now)]
    if old:
        refresher.refresh_groups(policy, old)
        facts = context.directory.groups(policy, names)
    refresher.introduce(_to_ask_about(context, facts, names, now), policy)


def _to_ask_about(context: WorkerContext, facts: GroupFacts, names: Sequence[str], now: datetime) -> set[Account]:
    """Members of whom nobody knows who they are, and those of whom that is old, or who have changed since."""
    unresolved = set(facts.unresolved(names))
    people = context.directory.of_people(sorted(facts.last_known().members(names))).values()
    old = [one for one in people if not is_fresh(one.as_of, now, PEOPLE_AGE)]
    return unresolved | {account for one in old for account in (one.slack, *one.elsewhere)}


def refresh_away(context: WorkerContext, refresher: ChatDirectory) -> None:
    """Who of all approvers wants no calls: asked every few minutes, so that the next card is not late for it."""
    if not refresher.away.is_due():
        return
    policy = context.policy.current()
    names = approving_groups(policy)
    members = context.directory.groups(policy, names).members(names)
    # Whoever was never looked up is looked up when a card calls them.
    refresher.away.refresh(context.directory.of_people(sorted(members)).values())


def _is_old(membership: Membership | None, now: datetime) -> bool:
    looked_at = (membership.failed_at or membership.as_of) if membership is not None else None
    return not is_fresh(looked_at, now, _REFRESH_AGE)
