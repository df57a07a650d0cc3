"""Account assignments as AWS has them: asynchronous, one at a time for one thing, sometimes in vain.

moto answers SUCCEEDED at once. Here Create and Delete answer IN_PROGRESS, and the assignment changes when the
operation settles: after a time, after some looks at its status, or when a test says so.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from uuid import uuid4

from bot.sandbox.aws.answers import Answer, error, named, page, success
from bot.sandbox.aws.calls import SSO_ADMIN, Call
from bot.sandbox.aws.history import History
from bot.sandbox.aws.state import State, wall_clock

Status = Literal["IN_PROGRESS", "SUCCEEDED", "FAILED"]
MissingDelete = Literal["failed", "succeeded", "not_found"]

_KINDS = {"CreateAccountAssignment": "Creation", "DeleteAccountAssignment": "Deletion"}
_IDENTITY = ("TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")


@dataclass(frozen=True)
class Plan:
    """How an operation goes: settles after `delay_s` and after `polls` looks at its status; `stuck` ones wait for
    `release`. `effect` says whether the assignment changes, by default only with success: a FAILED one may have.
    """

    delay_s: float = 0.0
    polls: int = 0
    stuck: bool = False
    status: Status = "SUCCEEDED"
    reason: str = ""
    effect: bool | None = None


@dataclass
class Operation:
    """One asynchronous operation; times are monotonic, `created_at` is wall-clock for the answers."""

    id: str
    kind: str
    arguments: Mapping[str, Any]
    plan: Plan
    started_at_s: float
    created_at: float
    looks: int = 0
    status: Status = "IN_PROGRESS"
    reason: str = ""
    settled_at_s: float | None = None

    def shown(self, as_of_s: float | None = None) -> dict[str, Any]:
        """AWS's AccountAssignmentOperationStatus; `as_of_s` gives what it said then."""
        early = as_of_s is not None and (self.settled_at_s is None or self.settled_at_s >= as_of_s)
        status = "IN_PROGRESS" if early else self.status
        payload = {name: self.arguments[name] for name in _IDENTITY if name in self.arguments}
        payload |= {"RequestId": self.id, "Status": status, "CreatedDate": self.created_at}
        return payload | ({"FailureReason": self.reason} if status == "FAILED" else {})

    @property
    def subject(self) -> tuple[Any, ...]:
        """What the operation is about; two at once about one thing conflict."""
        return tuple(self.arguments.get(name) for name in _IDENTITY)


@dataclass
class Operations:
    """All operations of the instance.

    `default` is the plan of operations that nobody planned otherwise. `missing_delete` is what becomes of deleting an
    assignment that is not there: AWS documents ResourceNotFoundException for the call and FAILED with a 404 in the
    reason has been seen, so both, and success, can be played; callers must treat all three as "gone".
    """

    state: State
    history: History
    default: Plan = field(default_factory=Plan)
    missing_delete: MissingDelete = "failed"
    conflicts: bool = True
    # A test may have its own, so that operations take as long as it says and it waits for none.
    monotonic_s: Callable[[], float] = time.monotonic
    _plans: deque[tuple[str, Mapping[str, Any], Plan]] = field(default_factory=deque)
    _all: dict[str, Operation] = field(default_factory=dict)
    _open: dict[str, Operation] = field(default_factory=dict)

    def plan(self, plan: Plan, *, action: str = "*", where: Mapping[str, Any] | None = None, times: int = 1) -> None:
        """Plans the next `times` operations that fit, in the order of the calls of this."""
        self._plans.extend([(action, where or {}, plan)] * times)

    def reset(self) -> None:
        """Forgets operations and plans, and settles at once again."""
        self._plans.clear()
        self._all.clear()
        self._open.clear()
        self.default, self.missing_delete, self.conflicts = Plan(), "failed", True
        self.monotonic_s = time.monotonic

    def outstanding(self) -> int:
        """How many operations are in progress."""
        return len(self._open)

    def open(self) -> list[Operation]:
        """The operations in progress, oldest first."""
        return list(self._open.values())

    def listed(self) -> list[dict[str, Any]]:
        """All operations as plain data, oldest first."""
        return [asdict(operation) for operation in self._all.values()]

    def release(self, operation_id: str | None = None, *, status: Status = "SUCCEEDED", reason: str = "") -> int:
        """Settles one operation, or all that are in progress, now and in this way; says how many."""
        chosen = [entry for entry in self._open.values() if operation_id in (None, entry.id)]
        for operation in chosen:
            self._settle(operation, self.monotonic_s(), status, reason, effect=status == "SUCCEEDED")
        return len(chosen)

    def settle(self) -> None:
        """Settles what is due; the proxy calls this before each request."""
        now = self.monotonic_s()
        for operation in list(self._open.values()):
            plan = operation.plan
            due_at = operation.started_at_s + plan.delay_s
            if plan.stuck or now < due_at or operation.looks < plan.polls:
                continue
            effect = plan.status == "SUCCEEDED" if plan.effect is None else plan.effect
            at_s = due_at if plan.delay_s else now
            self._settle(operation, at_s, plan.status, plan.reason, effect=effect)

    def answer(self, call: Call, as_of_s: float | None = None) -> Answer | None:
        """Answers the calls about assignment operations; None for all others."""
        if call.service != SSO_ADMIN:
            return None
        if call.action in _KINDS:
            return self._begin(call)
        for kind in ("Creation", "Deletion"):
            if call.action == f"DescribeAccountAssignment{kind}Status":
                return self._describe(call, kind, as_of_s)
            if call.action == f"ListAccountAssignment{kind}Status":
                return self._list(call, kind, as_of_s)
        return None

    def _begin(self, call: Call) -> Answer:
        kind = _KINDS[call.action]
        subject = tuple(call.arguments.get(name) for name in _IDENTITY)
        if self.conflicts and any(entry.subject == subject for entry in self._open.values()):
            return named(call, "conflict")
        missing = kind == "Deletion" and self.state.find_assignment(call.arguments) is None
        if missing and self.missing_delete == "not_found":
            return error(call, "ResourceNotFoundException", "Account assignment not found")
        plan = self._planned(call)
        operation = Operation(str(uuid4()), kind, dict(call.arguments), plan, self.monotonic_s(), wall_clock())
        self._all[operation.id] = self._open[operation.id] = operation
        return success({f"AccountAssignment{kind}Status": operation.shown()})

    def _planned(self, call: Call) -> Plan:
        for position, (action, where, plan) in enumerate(self._plans):
            if call.matches(action, where):
                del self._plans[position]
                return plan
        return self.default

    def _describe(self, call: Call, kind: str, as_of_s: float | None) -> Answer:
        operation = self._all.get(call.arguments.get(f"AccountAssignment{kind}RequestId", ""))
        if operation is None or operation.kind != kind:
            return error(call, "ResourceNotFoundException", "Account assignment operation not found")
        operation.looks += 1
        return success({f"AccountAssignment{kind}Status": operation.shown(as_of_s)})

    def _list(self, call: Call, kind: str, as_of_s: float | None) -> Answer:
        wanted = (call.arguments.get("Filter") or {}).get("Status")
        every = [entry.shown(as_of_s) for entry in self._all.values() if entry.kind == kind]
        brief = [{name: entry[name] for name in ("Status", "RequestId", "CreatedDate")} for entry in every]
        chosen = [entry for entry in brief if wanted in (None, entry["Status"])]
        return page(call, f"AccountAssignments{kind}Status", chosen)

    def _settle(self, operation: Operation, at_s: float, status: Status, reason: str, *, effect: bool) -> None:
        del self._open[operation.id]
        if effect and (refusal := self._impossible(operation)):
            status, reason, effect = "FAILED", refusal, False
        if effect:
            self.history.record(at_s)
            self._apply(operation)
        operation.status, operation.settled_at_s = status, at_s
        operation.reason = reason or ("Received a 500 status error: internal error" if status == "FAILED" else "")

    def _impossible(self, operation: Operation) -> str:
        """Why AWS would end this operation FAILED, in its own words where they are known."""
        principal, kind = operation.arguments["PrincipalId"], operation.arguments["PrincipalType"]
        known = self.state.store.users if kind == "USER" else self.state.store.groups
        if principal not in known:
            # hashicorp/terraform-provider-aws#19341
            directory = self.state.spec.identity_store_id
            return (
                f"Received a 404 status error: the {kind} assignee {principal} was not found in directory {directory}"
            )
        gone = operation.kind == "Deletion" and self.state.find_assignment(operation.arguments) is None
        if gone and self.missing_delete == "failed":
            return "Received a 404 status error: the account assignment was not found"
        return ""

    def _apply(self, operation: Operation) -> None:
        sso, entry = self.state.sso, self.state.find_assignment(operation.arguments)
        if operation.kind == "Deletion" and entry is not None:
            sso.account_assignments.remove(entry)
        if operation.kind == "Creation" and entry is None:  # AWS accepts a second creation; there is still only one
            arguments = operation.arguments
            sso.create_account_assignment(
                arguments["InstanceArn"],
                arguments["TargetId"],
                arguments["TargetType"],
                arguments["PermissionSetArn"],
                arguments["PrincipalType"],
                arguments["PrincipalId"],
            )
