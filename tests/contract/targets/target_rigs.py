"""One rig for each real target and one for the fake in each kind: what the contract's tests need to turn and to count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.aws.spec import PersonSpec
from workflows.core.identity import Address
from workflows.core.provider import TargetTerms
from workflows.core.records.target import Operation, OperationState, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import BeforeSend, Target
from workflows.targets.aws.connections import Place, session_for
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, MemoryTargets, Refuse, Settle, Throttle
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsTerms

DOCUMENT = (
    '{"Version":"2012-10-17","Statement":['
    '{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::state"},'
    '{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::state/*",'
    '"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}}]}'
)
PERSON = Address("dana@example.com")
STRANGER = Address("nobody@example.com")
# Of the installation that gives here; it begins the id.
MARK = "3f9a1c0b2d4e"
UNTIL = datetime(2030, 1, 1, 12, 0, 0, 900_000, tzinfo=UTC)

IAM = frozenset({AwsKind.IAM_POLICY, AwsKind.IAM_GROUP})
_THINGS: dict[AwsKind, dict[str, str]] = {
    AwsKind.IDENTITY_CENTER: {"permission_set": "ReadOnlyAccess"},
    AwsKind.IDENTITY_CENTER_GROUP: {"group": "payments-readers"},
    AwsKind.IAM_POLICY: {"user": "dana", "document": DOCUMENT},
    AwsKind.IAM_GROUP: {"user": "dana", "group": "payments-prod-deployers"},
    AwsKind.IAM_ROLE_POLICY: {"role": "orders-deploy", "gate": "orders-prod", "document": DOCUMENT},
}
# Whose things are given to people.
OF_PEOPLE = tuple(kind for kind in AwsKind if kind is not AwsKind.IAM_ROLE_POLICY)
UNKNOWN_PERSON = {
    AwsKind.IDENTITY_CENTER: Code.TARGET_PERSON_MISSING,
    AwsKind.IDENTITY_CENTER_GROUP: Code.TARGET_PERSON_MISSING,
    AwsKind.IAM_POLICY: Code.TARGET_THING_MISSING,
    AwsKind.IAM_GROUP: Code.TARGET_THING_MISSING,
}


class FreeBuckets:
    """Nothing is ever used up, unless a test says so. `taken` counts by name."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self.blocked: dict[str, float] = {}
        self.spent: set[str] = set()
        self.wait_s = 0.0

    def take(self, name: str, *, rate: float, burst: float, amount: float = 1.0, **_: object) -> float:
        if not self.wait_s:
            self.taken[name] = self.taken.get(name, 0.0) + amount
        return self.wait_s

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        self.blocked[name] = seconds
        self.spent |= {name} if spent else set()


def terms(kind: AwsKind, **changed: Any) -> AwsTerms:
    values: dict[str, Any] = {"kind": kind, "connection": "main", "region": "eu-central-1", "account": "111122223333"}
    return AwsTerms(**(values | _THINGS[kind] | changed))


class Rig:
    """`sent`: how often the lease was asked. `target` is what is tested."""

    kind: AwsKind
    target: Target

    def __init__(self) -> None:
        self.sent = 0

    @property
    def unknown_code(self) -> Code:
        return UNKNOWN_PERSON[self.kind]

    def terms(self, **changed: Any) -> TargetTerms:
        """Of what the rig gives."""
        return terms(self.kind, **changed)

    def ok(self) -> None:
        """A lease that still holds."""
        self.sent += 1

    def resource(self, request_id: str = "PA-1042", **changed: Any) -> Resource:
        found = self.target.resolve(self.terms(**changed), PERSON, request_id)
        assert isinstance(found, Resource), found
        return found

    def given(self, before_send: BeforeSend | None = None, until: datetime = UNTIL) -> Resource:
        resource = self.resource()
        assert self.settled(resource, self.target.grant(resource, until, before_send or self.ok)).state == "succeeded"
        return resource

    def settled(self, resource: Resource, operation: Operation) -> Operation:
        for _ in range(5):
            if operation.state is not OperationState.IN_PROGRESS:
                break
            self.wait()
            operation = self.target.poll(resource, operation)
        return operation

    def wait(self) -> None:
        """Time passes, as much as an asynchronous operation takes."""

    def found_anew(self, bound: Resource, person: Address = PERSON, request_id: str = "PA-7") -> Resource | Refused:
        """By a process that remembers nothing, for somebody whose user is known."""
        return self.forgotten().resolve(self.terms(), person, request_id, {bound.place: bound.user_id})

    def forgotten(self) -> Target:
        """The same target, as a process that has just been started has it."""
        return self.target

    def unknown(self) -> tuple[TargetTerms, Address]:
        gone = {"user": "nobody"} if "user" in _THINGS[self.kind] else {}
        return terms(self.kind, **gone), STRANGER


class AwsRig(Rig):
    def __init__(self, kind: AwsKind, aws: Any) -> None:
        super().__init__()
        self.kind, self.aws = kind, aws
        self.buckets = FreeBuckets()
        self.mark = MARK * 2
        self.targets = AwsTargets(self.buckets, monotonic=lambda: 0.0, mark=lambda: self.mark)
        self.target = self.targets.for_terms(terms(kind))

    def installation(self, mark: str) -> None:
        self.mark = mark

    def forgotten(self) -> Target:
        return AwsTargets(self.buckets, monotonic=lambda: 0.0).for_terms(terms(self.kind))

    def readdress(self, resource: Resource, address: Address) -> None:
        """The user, under the id that it has, carries another address."""
        if self.kind in IAM:
            self.iam().tag_user(UserName="dana", Tags=[{"Key": "prodaccess:person", "Value": address}])
        else:
            self.aws.world.rename_person(resource.user_id, address)

    def make_anew(self) -> None:
        """The user is deleted, and made anew with the address and the name that it had."""
        if self.kind in IAM:
            self.iam().delete_user(UserName="dana")
            self.iam().create_user(UserName="dana", Tags=[{"Key": "prodaccess:person", "Value": PERSON}])
        else:
            self.aws.world.remove_person(PERSON)
            self.aws.world.add_person(PersonSpec(PERSON), "00000000-0000-0000-0000-00000000000b")

    def iam(self) -> Any:
        return session_for(Place("main", "eu-central-1")).client("iam")

    def changes(self) -> int:
        return int(self.aws.proxy.log.count("changes"))

    def calls(self) -> int:
        """Without the further pages of torn lists, which AWS would have answered in one."""
        return sum(not call.goes_on for call in self.aws.proxy.log.calls())

    def throttle(self, name: str) -> None:
        self.aws.proxy.throttle("changes" if name in {"grant", "revoke"} else "reads")

    def lose(self, *, applied: bool) -> None:
        self.aws.proxy.reset_connection("changes", effect="before" if applied else "never")

    def refuse(self, name: str) -> None:
        self.aws.proxy.error("denied", "changes" if name in {"grant", "revoke"} else "reads", times=9)

    def stale(self) -> None:
        self.aws.proxy.stale("reads", behind=1, times=1)


class MemoryRig(Rig):
    def __init__(self, kind: AwsKind) -> None:
        super().__init__()
        self.kind = kind
        self.time = datetime(2029, 6, 1, tzinfo=UTC)
        self.targets = MemoryTargets(now=lambda: self.time)
        self.targets[kind].mark = MARK
        self.targets.add_person(PERSON)
        self.memory = self.targets[kind]
        self.memory.slow_s = 2.0 if kind is AwsKind.IDENTITY_CENTER else None
        self.target = self.memory

    def installation(self, mark: str) -> None:
        self.targets[self.kind].mark = mark

    def wait(self) -> None:
        self.time += timedelta(seconds=10)

    def readdress(self, resource: Resource, address: Address) -> None:
        self.memory.people = {address: resource.user_id}

    def make_anew(self) -> None:
        self.memory.people[PERSON] = "made-anew"

    def changes(self) -> int:
        return self.memory.changes()

    def calls(self) -> int:
        return len(self.memory.calls)

    def throttle(self, name: str) -> None:
        self.memory.next("resolve" if name == "look up" else name, Throttle())

    def lose(self, *, applied: bool) -> None:
        for name in ("grant", "revoke"):
            self.memory.next(name, Lose(applied))

    def refuse(self, name: str) -> None:
        self.memory.next(name, *[Refuse()] * 9)

    def stale(self) -> None:
        self.memory.stale_s = 3600

    def fail(self, reason: str) -> None:
        self.memory.next("grant", Settle(2.0, reason))
