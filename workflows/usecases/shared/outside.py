"""What lies outside answers in the ways that its port names, whatever happens in there.

An exception that nobody expected, or an answer of another shape, is logged and counted here, and becomes the port's own
"not known": so the code that decides has no other way to go than the one that is there for a bad day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from workflows.core.activity import LogPage, Window
from workflows.core.identity import Address
from workflows.core.people import Account, GroupFacts, PersonFacts
from workflows.core.policy import Policy, TicketCheck
from workflows.core.provider import Sought, TargetTerms
from workflows.core.records.request import Origin
from workflows.core.records.target import Observation, Operation, Resource
from workflows.core.refusal import Refused
from workflows.core.rules.leaving import Looked
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.ports import (
    NOT_BOUND,
    BeforeSend,
    DirectoryRefresher,
    DirectoryUnreachable,
    Fault,
    LeaseOver,
    LedgerUnreachable,
    PolicySource,
    PolicyUnavailable,
    Target,
    TargetInDoubt,
    TargetRefused,
    Targets,
    TargetThrottled,
    Tickets,
    Wake,
)

T = TypeVar("T")

_OF_TARGETS = (TargetThrottled, TargetInDoubt, TargetRefused, LeaseOver)


_FAULT = "something went wrong on my side"


def went_wrong(number: str) -> str:
    """For people: what is said of an exception that nobody expected."""
    return f"{_FAULT} (error {number})"


def is_fault(words: str) -> bool:
    """Whether these words tell of an exception that nobody expected, as opposed to what the other side said."""
    return words.startswith(_FAULT)


class WrongShape(TypeError):
    """An answer that is no answer to what was asked. The message names types and no values."""


def _shaped(answer: T, *kinds: type) -> T:
    if not isinstance(answer, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise WrongShape(f"a {type(answer).__name__} came back in place of a {wanted}")
    return answer


@dataclass(frozen=True, slots=True)
class SureTargets(Targets):
    targets: Targets
    fault: Fault

    def for_terms(self, terms: TargetTerms) -> Target:
        return SureTarget(lambda: self.targets.for_terms(terms), self.fault)


@dataclass(frozen=True, slots=True)
class SureTarget(Target):
    """Even that there is no such target is found out by asking it."""

    find: Callable[[], Target]
    fault: Fault

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        return self._ask("resolve", lambda it: _shaped(it.resolve(terms, person, request_id, bound), Resource, Refused))

    def observe(self, resource: Resource) -> Observation:
        return self._ask("observe", lambda it: _shaped(it.observe(resource), Observation))

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        return self._ask("grant", lambda it: _shaped(it.grant(resource, until, before_send), Operation))

    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        return self._ask("revoke", lambda it: _shaped(it.revoke(resource, before_send), Operation))

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        return self._ask(
            "deny sessions", lambda it: _shaped(it.deny_sessions(resource, before, before_send), Operation)
        )

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        return self._ask("poll", lambda it: _shaped(it.poll(resource, operation), Operation))

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        # Read to its end in here: what fails halfway through fails here, too.
        return self._ask("list_managed", lambda it: [_shaped(seen, Observation) for seen in it.list_managed(terms)])

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        return self._ask("whose", lambda it: _shaped(it.whose(resource), tuple))

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:
        return self._ask("activity", lambda it: _shaped(it.activity(asked, place, window, more), LogPage))

    @property
    def tells_ours_apart(self) -> bool:
        return self._ask("tells_ours_apart", lambda it: _shaped(it.tells_ours_apart, bool))

    def _ask(self, what: str, call: Callable[[Target], T]) -> T:
        try:
            return call(self.find())
        except (*_OF_TARGETS, LedgerUnreachable):
            raise
        except Exception as problem:
            number = self.fault("a target failed", problem, call=what)
            raise TargetInDoubt(went_wrong(number)) from problem


@dataclass(frozen=True, slots=True)
class SureRefresher(DirectoryRefresher):
    refresher: DirectoryRefresher
    fault: Fault

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        return self._ask(lambda: _shaped(self.refresher.refresh_person(who, policy), PersonFacts))

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        return self._ask(lambda: _shaped(self.refresher.find(address, policy), PersonFacts, type(None)))

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        return self._ask(lambda: _shaped(self.refresher.refresh_groups(policy, names), GroupFacts))

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        return self._ask(lambda: _shaped(self.refresher.look_at(accounts, policy), Looked))

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (DirectoryUnreachable, LedgerUnreachable):
            raise
        except Exception as problem:
            number = self.fault("the look at people failed", problem)
            raise DirectoryUnreachable(went_wrong(number)) from problem


@dataclass(frozen=True, slots=True)
class SurePolicy(PolicySource):
    source: PolicySource
    fault: Fault

    def current(self) -> Policy:
        try:
            return _shaped(self.source.current(), Policy)
        except PolicyUnavailable:
            raise
        except Exception as problem:
            number = self.fault("the policy folder was not read", problem)
            raise PolicyUnavailable(went_wrong(number)) from problem


@dataclass(frozen=True, slots=True)
class SureWake(Wake):
    """What has been committed is committed: a wake-up that cannot be sent must not look like a failed commit."""

    wake: Wake
    fault: Fault

    def __call__(self, *items: str) -> None:
        try:
            self.wake(*items)
        except Exception as problem:
            self.fault("a wake-up was not sent; the clock will find it", problem)


@dataclass(frozen=True, slots=True)
class SureTickets(Tickets):
    tickets: Tickets
    fault: Fault

    def look(self, check: TicketCheck, ticket: str) -> TicketSeen:
        try:
            return _shaped(self.tickets.look(check, ticket), TicketSeen)
        except Exception as problem:
            number = self.fault("a ticket was not looked up", problem)
            return TicketSeen(TicketState.UNKNOWN, went_wrong(number))


@dataclass(frozen=True, slots=True)
class SureOrigin:
    """Where the chat does not answer, that is not known. Where a channel cannot be looked at, nothing is proved of it."""

    prove: Callable[[Policy, Origin], Origin]
    fault: Fault

    def __call__(self, policy: Policy, origin: Origin) -> Origin:
        try:
            return _shaped(self.prove(policy, origin), Origin)
        except DirectoryUnreachable:
            raise
        except Exception as problem:
            self.fault("a channel was not looked at", problem)
            return origin
