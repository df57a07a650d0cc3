"""A provider of targets that is none of the product's: a cabinet with drawers, in memory.

It shows what a provider has to bring along, and that nothing else has to change for it: `registered(LOCKBOX)` is all. Who is
let in can open one drawer. Its clients take faults on order, for the contract of targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Literal

from workflows.core.activity import LogPage, Window
from workflows.core.identity import Address
from workflows.core.people import Listed
from workflows.core.provider import (
    NAME,
    Connection,
    HowToUse,
    Outliving,
    Sought,
    TargetSpec,
    TargetTerms,
    TemplateRefused,
)
from workflows.core.records.target import Observation, Operation, OperationKind, OperationState, Presence, Resource
from workflows.core.refusal import Code, Refused
from workflows.core.terminal.caller import Caller
from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import Text
from workflows.ports import (
    NOT_BOUND,
    BeforeSend,
    Buckets,
    NotVouched,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
    VouchedFor,
)
from workflows.targets.registry import TargetProvider

KIND = "lockbox"
WORDS: Mapping[str, str] = MappingProxyType({NAME: "Lockbox"})


# ---------------------------------------------------------------- what is written, and what it resolves to


@dataclass(frozen=True, slots=True)
class LockboxConnection(Connection):
    provider: ClassVar[str] = WORDS[NAME]

    room: str

    def phrase(self) -> str:
        return f"{self.kind} in {self.room}"


@dataclass(frozen=True, slots=True)
class LockboxTerms(TargetTerms):
    words: ClassVar[Mapping[str, str]] = WORDS

    room: str
    drawer: str

    def same_access(self, held: TargetTerms) -> bool:
        return isinstance(held, LockboxTerms) and (self.room, self.drawer) == (held.room, held.drawer)

    def user_of(self, ids: Mapping[str, str]) -> str:
        return f"lockbox:{ids['user']}"


@dataclass(frozen=True, slots=True)
class LockboxSpec(TargetSpec):
    provider: ClassVar[str] = WORDS[NAME]

    drawer: str

    def terms(
        self, connection: Connection, environment: str, account: str | None, address: Address | None
    ) -> LockboxTerms:
        assert isinstance(connection, LockboxConnection)
        if address is None and "{name}" in self.drawer:
            raise TemplateRefused("Nobody knows whose drawer is meant.")
        drawer = self.drawer.replace("{name}", (address or "").partition("@")[0])
        return LockboxTerms(self.kind, connection.name, connection.room, drawer)

    def phrase(self) -> str:
        return f"lockbox {self.drawer}"

    def outliving(self) -> Outliving | None:
        return Outliving("roles.yaml", ("copying the master key",)) if self.drawer == "master" else None


class LockboxKeys(Raw):
    kind: Literal["lockbox"]
    room: Text

    def connection(self, name: str) -> LockboxConnection:
        return LockboxConnection(name, self.kind, self.room)


class DrawerKeys(Raw):
    lockbox: Text

    def spec(self, templates: Mapping[str, str]) -> LockboxSpec:
        return LockboxSpec(KIND, self.lockbox)


# ---------------------------------------------------------------- for people


def how_to_use(terms: TargetTerms, _environment: str, _role: str, _ids: Mapping[str, str]) -> HowToUse:
    assert isinstance(terms, LockboxTerms)
    return HowToUse(None, (f"Open drawer {terms.drawer} in {terms.room}",))


def by_hand(terms: TargetTerms, ids: Mapping[str, str], grant_id: str) -> tuple[str, ...]:
    assert isinstance(terms, LockboxTerms)
    return (f"Take key {ids['user']} to drawer {terms.drawer} in {terms.room} back, and write down {grant_id}",)


# ---------------------------------------------------------------- its clients


@dataclass
class Cabinet:
    """Who can open what, by holding, and the faults of the next calls. It is both `Opened` and `Target`."""

    tells_ours_apart = False
    people: dict[Address, str] = field(default_factory=dict)
    held: dict[str, Resource] = field(default_factory=dict)
    before: dict[str, Resource] = field(default_factory=dict)
    # `throttle`, `lose`, `keep` (and do) or `refuse`, of the next call.
    faults: dict[str, list[str]] = field(default_factory=dict)
    stale: bool = False
    calls: int = 0
    changes: int = 0

    def for_terms(self, terms: TargetTerms) -> Cabinet:
        assert isinstance(terms, LockboxTerms)
        return self

    def warm(self, connections: Iterable[Connection]) -> tuple[str, ...]:
        return tuple(f"There is no room {one.name}." for one in connections if not isinstance(one, LockboxConnection))

    def vouch(self, connections: Iterable[Connection], caller: Caller) -> VouchedFor | NotVouched | None:
        return None

    def members(self, connection: Connection, group: str) -> Listed:
        raise TargetRefused(f"{connection.name} has no group {group}.")

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        self._meets("resolve")
        assert isinstance(terms, LockboxTerms)
        known = bound.get(terms.room)
        user = known if known in self.people.values() else self.people.get(person)
        if user is None:
            where = f"the lockbox (connection {terms.connection})"
            return Refused(Code.TARGET_PERSON_MISSING, {"address": person, "where": where})
        carries = tuple(address for address, id_ in self.people.items() if id_ == user)
        ids = {"user": user, "drawer": terms.drawer, "room": terms.room}
        return Resource(terms.kind, terms, ids, f"drawer {terms.drawer}", place=terms.room, carries=carries)

    def observe(self, resource: Resource) -> Observation:
        try:
            self._meets("observe")
        except TargetRefused as refused:
            return Observation(Presence.UNKNOWN, resource, detail=refused.words)
        seen, self.stale = self.before if self.stale else self.held, False
        return Observation(Presence.PRESENT if resource.holding in seen else Presence.ABSENT, resource)

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        before_send()
        return self._change("grant", OperationKind.GRANT, self.held | {resource.holding: resource})

    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        before_send()
        left = {holding: one for holding, one in self.held.items() if holding != resource.holding}
        return self._change("revoke", OperationKind.REVOKE, left)

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        raise TargetRefused("A drawer has no sessions.")

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        return operation

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        self._meets("list_managed")
        mine = [one for one in self.held.values() if one.target.same_access(terms)]
        return [Observation(Presence.PRESENT, one) for one in mine]

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:
        raise TargetRefused("A lockbox keeps no log.")

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        return tuple(address for address, id_ in self.people.items() if id_ == resource.ids["user"])

    def _change(self, name: str, kind: OperationKind, after: dict[str, Resource]) -> Operation:
        self.changes += 1
        kept = self._meets(name)
        self.before, self.held = self.held, after
        if kept:
            raise TargetInDoubt(f"{name}: no answer")
        return Operation(kind, OperationState.SUCCEEDED)

    def _meets(self, name: str) -> bool:
        """The fault of this call; True where it is done, and its answer is kept back."""
        self.calls += 1
        fault = (self.faults.get(name) or [""]).pop(0)
        if fault == "throttle":
            raise TargetThrottled(1.0, name)
        if fault == "lose":
            raise TargetInDoubt(f"{name}: no answer")
        if fault == "refuse":
            raise TargetRefused("The lockbox does not let the worker do this.")
        return fault == "keep"


def open_cabinet(_buckets: Buckets, _monotonic: Callable[[], float], _mark: Callable[[], str]) -> Cabinet:
    return Cabinet()


LOCKBOX = TargetProvider(
    kinds=(KIND,),
    terms=LockboxTerms,
    connection=LockboxKeys,
    targets=(DrawerKeys,),
    users=("lockbox",),
    how_to_use=how_to_use,
    by_hand=by_hand,
    worded=("lockbox",),
    placeholders=("name",),
    open=open_cabinet,
)
