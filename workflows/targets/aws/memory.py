"""AWS in memory, for unit tests: the same contract as the real ones, a clock that is passed in, and faults on order.

    targets = MemoryTargets(now=clock.now)
    target = targets[AwsKind.IDENTITY_CENTER]
    target.people[Address("ana@example.com")] = "u-ana"
    target.next("grant", Settle(after_s=3), Lose(applied=True))   # the first grant takes 3 s, the second loses its answer

What is not scripted succeeds at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.activity import Deed, LogPage, Window
from workflows.core.identity import Address
from workflows.core.provider import Sessions, Sought, TargetTerms
from workflows.core.records.target import (
    Observation,
    Operation,
    OperationKind,
    OperationState,
    Presence,
    Resource,
)
from workflows.core.refusal import Code, Refused
from workflows.ports import NOT_BOUND, BeforeSend, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.kinds import BY_NAME, AwsKind
from workflows.targets.aws.terms import AwsTerms, own_terms

_ENFORCES_END = BY_NAME
_CHANGES = frozenset({"grant", "revoke", "deny_sessions"})
_TAGGED = frozenset({AwsKind.IAM_POLICY, AwsKind.IAM_GROUP})


@dataclass(frozen=True, slots=True)
class Throttle:
    """The call has no effect and raises TargetThrottled."""

    after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call has no effect and raises TargetRefused; a read says UNKNOWN or refuses."""

    words: str = "AWS does not let the worker do this."


@dataclass(frozen=True, slots=True)
class Lose:
    """The call raises TargetInDoubt. `applied`: whether it takes effect, `late_s` seconds from now."""

    applied: bool = False
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Settle:
    """A changing call answers IN_PROGRESS and settles after `after_s`: with success, or FAILED with `error` and no effect."""

    after_s: float = 0.0
    error: str | None = None


Behaviour = Throttle | Refuse | Lose | Settle


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it reached the target. Changing calls that the lease kept back are not among them."""

    name: str
    holding: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    at: datetime
    resource: Resource
    present: bool
    until: datetime | None = None
    mark: str = ""


class MemoryTarget:
    """One kind of target. All attributes may be set at any time.

    `people`: addresses to ids; who is not there is unknown. `disabled`: ids of users that are switched off.
    `ambiguous`, `untagged`: who is refused for that.
    `refusal`: what every resolve answers. `session_s`, `warning`: for all resources.
    `stale_s`: how far behind the truth reads are.
    `slow_s`: how long each changing call takes, where the script does not say; None is synchronous.
    `mark`: what is written on what is given here, where ours is told by name.
    `denied`: holdings of which older sessions are denied, and which.
    `deeds`: what the target's own log has, in pages, by place.
    `through_group`: holdings that are there through a group, too, and its name. `calls`: the log.
    """

    def __init__(self, kind: AwsKind, *, now: Callable[[], datetime]) -> None:
        self.kind, self._now = kind, now
        self.people: dict[Address, str] = {}
        self.disabled: set[str] = set()
        self.ambiguous: set[Address] = set()
        self.untagged: set[Address] = set()
        self.refusal: Refused | None = None
        self.stale_s = 0.0
        self.slow_s: float | None = None
        self.through_group: dict[str, str] = {}
        self.session_s: int | None = 3600 if kind is AwsKind.IDENTITY_CENTER else None
        self.warning: str | None = None
        self.mark = ""
        self.calls: list[Call] = []
        self.deeds: dict[str, list[tuple[Deed, ...]]] = {}
        self.denied: dict[str, datetime] = {}
        self._scripts: dict[str, deque[Behaviour]] = {}
        self._changes: dict[str, list[_Change]] = {}
        self._operations: dict[str, tuple[datetime, str | None]] = {}
        self._lock = threading.RLock()

    @property
    def tells_ours_apart(self) -> bool:
        return self.kind in BY_NAME

    def next(self, name: str, *behaviours: Behaviour) -> None:
        """What the next calls of `name` do: `resolve`, a method's name, such as `observe` or `grant`."""
        with self._lock:
            self._scripts.setdefault(name, deque()).extend(behaviours)

    def put(self, resource: Resource, *, until: datetime | None = None, mark: str = "") -> None:
        """Somebody else gives the access: standing access, or drift. `mark`: as another installation writes it."""
        self._change(resource, True, until, self._now(), mark)

    def take(self, resource: Resource) -> None:
        """Somebody else takes the access away."""
        self._change(resource, False, None, self._now())

    def has(self, resource: Resource) -> bool:
        """The truth, at this moment."""
        return self._at(resource.holding, self._now()) is not None

    def changes(self) -> int:
        """How many changing calls were sent."""
        return sum(call.name in _CHANGES for call in self.calls)

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        own, behaviour = own_terms(terms), self._begin("resolve", "")
        if isinstance(behaviour, Refuse):
            return Refused(Code.TARGET_REFUSED, {"words": behaviour.words})
        if self.kind is AwsKind.IAM_ROLE_POLICY:
            return self.refusal or self._role_resource(own, request_id)
        user = self._bound_to(person, bound.get(self._place(own)))
        if self.refusal or user in self.disabled:
            where = f"memory (connection {own.connection})"
            off = {"address": person, "where": where, "disabled": user or ""}
            return self.refusal or Refused(Code.TARGET_PERSON_MISSING, off)
        if user is not None:
            return self._resource(own, user, request_id, person)
        return self._person_problem(own, person) or self._resource(own, self.people[person], request_id, person)

    def _role_resource(self, terms: AwsTerms, request_id: str) -> Resource:
        thing = f"prodaccess-{request_id}"
        ids = {"account": terms.account or "", "role": terms.role or "", "thing": thing, "user": f"role-{terms.role}"}
        return Resource(
            kind=self.kind, target=replace(terms), ids=ids, title=f"{thing} on {terms.role}", enforces_end=True
        )

    def _place(self, terms: AwsTerms) -> str:
        return f"iam:memory:{terms.user}" if self.kind in _TAGGED else "identity-store:memory"

    def _bound_to(self, person: Address, user: str | None) -> str | None:
        """The user that is theirs, if it is still there, and still what the terms name."""
        if user is None or user not in {*self.people.values(), *self.disabled}:
            return None
        if self.kind not in _TAGGED:
            return user
        return user if self.people.get(person, user) == user and person not in self.untagged else None

    def observe(self, resource: Resource) -> Observation:
        behaviour = self._begin("observe", resource.holding)
        if isinstance(behaviour, Refuse):
            return Observation(Presence.UNKNOWN, resource, detail=behaviour.words)
        found = self._at(resource.holding, self._now() - timedelta(seconds=self.stale_s))
        group = self.through_group.get(resource.holding)
        through = f"group {group}" if group else None
        if found is None:
            denied = self.denied.get(resource.holding)
            return Observation(Presence.ABSENT, resource, through=through, denied_before=denied)
        return replace(self._seen(resource, found), through=through)

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        return self._send("grant", OperationKind.GRANT, resource, until, before_send)

    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        operation = self._send("revoke", OperationKind.REVOKE, resource, None, before_send)
        self.denied.pop(resource.holding, None)
        return operation

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        if own_terms(resource.target).sessions is not Sessions.DENIED:
            raise TargetRefused(f"Sessions of {resource.kind} cannot be denied.")
        operation = self._send("deny_sessions", OperationKind.REVOKE, resource, None, before_send)
        self.denied[resource.holding] = before
        return operation

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        behaviour = self._begin("poll", resource.holding)
        if isinstance(behaviour, Refuse):
            raise TargetInDoubt(behaviour.words)
        if operation.id is None or operation.state is not OperationState.IN_PROGRESS:
            return operation
        settles_at, error = self._operations[operation.id]
        if self._now() < settles_at:
            return operation
        state = OperationState.FAILED if error else OperationState.SUCCEEDED
        return Operation(operation.kind, state, operation.id, error)

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        self._begin("list_managed", "")
        known = {holding: changes[-1].resource for holding, changes in self._changes.items()}
        mine = [resource for resource in known.values() if _same_thing(own_terms(resource.target), own_terms(terms))]
        looked_at = [(resource, self._at(resource.holding, self._now())) for resource in mine]
        return [self._seen(resource, found) for resource, found in looked_at if found is not None]

    def _seen(self, resource: Resource, found: _Change) -> Observation:
        named = resource.ids["thing"].removeprefix("prodaccess-") if self.tells_ours_apart else ""
        others = bool(found.mark and self.mark and found.mark != self.mark)
        detail = "another installation gave it" if others else None
        return Observation(
            Presence.PRESENT, resource, found.until, detail, request=named, mark=found.mark, others=others
        )

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        return tuple(address for address, id_ in self.people.items() if id_ == resource.ids["user"])

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:  # noqa: ARG002  # one log for all
        """The pages of `deeds[place]`, one after the other, whosever they are; no such place: nothing was done there."""
        behaviour = self._begin("activity", "")
        if isinstance(behaviour, Refuse):
            raise TargetRefused(behaviour.words)
        pages = self.deeds.get(place) or [()]
        number = int(more or 0)
        theirs = tuple(one for one in pages[number] if window.since <= one.at <= window.until)
        following = str(number + 1) if number + 1 < len(pages) else ""
        return LogPage(theirs, min((one.at for one in pages[number]), default=None), following)

    def _begin(self, name: str, holding: str, until: datetime | None = None) -> Behaviour | None:
        """Log the call and take its behaviour. Raises for what reads and changes have in common."""
        with self._lock:
            self.calls.append(Call(name, holding, self._now(), until))
            script = self._scripts.get(name)
            behaviour = script.popleft() if script else None
        if isinstance(behaviour, Throttle):
            raise TargetThrottled(behaviour.after_s, name)
        if isinstance(behaviour, Lose) and name not in _CHANGES:
            raise TargetInDoubt(f"{name}: no answer")
        return behaviour

    def _send(
        self, name: str, kind: OperationKind, resource: Resource, until: datetime | None, before_send: BeforeSend
    ) -> Operation:
        before_send()
        behaviour = self._begin(name, resource.holding, until)
        if behaviour is None and self.slow_s is not None:
            behaviour = Settle(self.slow_s)
        if isinstance(behaviour, Refuse):
            raise TargetRefused(behaviour.words)
        present, now = kind is OperationKind.GRANT, self._now()
        if isinstance(behaviour, Lose):
            if behaviour.applied:
                self._change(resource, present, until, now + timedelta(seconds=behaviour.late_s), self.mark)
            raise TargetInDoubt(f"{name}: no answer")
        if isinstance(behaviour, Settle):
            return self._settle_later(behaviour, kind, resource, until)
        self._change(resource, present, until, now, self.mark)
        return Operation(kind, OperationState.SUCCEEDED)

    def _settle_later(
        self, behaviour: Settle, kind: OperationKind, resource: Resource, until: datetime | None
    ) -> Operation:
        at = self._now() + timedelta(seconds=behaviour.after_s)
        with self._lock:
            name = f"op-{len(self._operations) + 1}"
            self._operations[name] = (at, behaviour.error)
        if behaviour.error is None:
            self._change(resource, kind is OperationKind.GRANT, until, at, self.mark)
        return Operation(kind, OperationState.IN_PROGRESS, name)

    def _change(self, resource: Resource, present: bool, until: datetime | None, at: datetime, mark: str = "") -> None:
        end = until.replace(microsecond=0) if until is not None and self.kind in _ENFORCES_END else None
        with self._lock:
            self._changes.setdefault(resource.holding, []).append(
                _Change(at, resource, present, end, mark if self.tells_ours_apart else "")
            )

    def forget(self, before: datetime) -> None:
        """The calls and the changes of that time, but for what they came to: for a test that goes on for a year."""
        with self._lock:
            self.calls[:] = [call for call in self.calls if call.at >= before]
            for holding, changes in self._changes.items():
                past = self._past(holding, before)
                self._changes[holding] = past[-1:] + [change for change in changes if change.at > before]

    def _at(self, holding: str, moment: datetime) -> _Change | None:
        """The access as of `moment`; None where there was none."""
        past = self._past(holding, moment)
        return past[-1] if past and past[-1].present else None

    def _past(self, holding: str, moment: datetime) -> list[_Change]:
        """What had changed by `moment`, the latest last. Of two at the same time the later call counts."""
        with self._lock:
            past = [change for change in self._changes.get(holding, ()) if change.at <= moment]
        return sorted(past, key=lambda change: change.at)

    def _person_problem(self, terms: AwsTerms, person: Address) -> Refused | None:
        where = f"memory (connection {terms.connection})"
        if self.kind in _TAGGED and person in self.untagged:
            params = {"user": terms.user or "", "address": person, "tag": "prodaccess:person", "where": where}
            return Refused(Code.TARGET_PERSON_NOT_TAGGED, params)
        if person in self.ambiguous:
            return Refused(Code.TARGET_PERSON_AMBIGUOUS, {"address": person, "where": where})
        if person in self.people:
            return None
        if self.kind in _TAGGED:
            return Refused(Code.TARGET_THING_MISSING, {"thing": f"IAM user {terms.user}", "where": where})
        return Refused(Code.TARGET_PERSON_MISSING, {"address": person, "where": where})

    def _resource(self, terms: AwsTerms, user: str, request_id: str, person: Address) -> Resource:
        carries = tuple(address for address, id_ in self.people.items() if id_ == user)
        tag = person if person in carries else next(iter(carries), None)
        thing = terms.permission_set or terms.group
        if self.kind is AwsKind.IAM_POLICY:
            thing = f"prodaccess-{request_id}"
        where = f" in account {terms.account}" if terms.account else ""
        return Resource(
            kind=self.kind,
            target=replace(terms),
            ids={"account": terms.account or "", "thing": thing or "", "user": user},
            title=f"{thing}{where}",
            session_s=self.session_s,
            enforces_end=self.kind in _ENFORCES_END,
            warning=self.warning,
            person=tag if self.kind in _TAGGED else None,
            place=self._place(terms),
            carries=carries,
            names={} if self.kind in _TAGGED else {"user_name": str(person)},
        )


class MemoryTargets:
    """`Targets` in memory: one `MemoryTarget` for each kind, under `targets[kind]`."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._targets: dict[str, MemoryTarget] = {kind: MemoryTarget(kind, now=now) for kind in AwsKind}

    def __getitem__(self, kind: str) -> MemoryTarget:
        return self._targets[kind]

    def for_terms(self, terms: TargetTerms) -> MemoryTarget:
        return self._targets[own_terms(terms).kind]

    def add_person(self, person: Address, user_id: str = "") -> None:
        """Known to all kinds, by the address unless `user_id` is given."""
        for target in self._targets.values():
            target.people[person] = user_id or f"id-of-{person}"


def _same_thing(one: AwsTerms, other: AwsTerms) -> bool:
    """The same role in the same place, whoever it is for; of inline policies all that stand on the same user."""
    user = (one.kind is not AwsKind.IAM_POLICY or one.user == other.user) and one.role == other.role
    return user and (one.kind, one.account, one.permission_set, one.group) == (
        other.kind,
        other.account,
        other.permission_set,
        other.group,
    )
