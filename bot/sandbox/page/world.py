"""Who has what in the simulated AWS at this moment, as AWS itself would answer. The ledger has no part in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.aws.evaluate import ends_at
from bot.sandbox.aws.operations import Operation
from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.aws.spec import WorldSpec

Json = dict[str, Any]

_DOING = {"Creation": "give", "Deletion": "take away"}


@dataclass(frozen=True, slots=True)
class Legend:
    """What to call things: address -> name, in the order to show people in, and account -> environment."""

    people: Mapping[str, str]
    accounts: Mapping[str, str]

    def account(self, number: str) -> str:
        return f"{number} ({self.accounts[number]})" if number in self.accounts else number

    def short(self, number: str) -> str:
        return self.accounts.get(number, number)

    def person(self, email: str) -> str:
        return self.people.get(email, email)


def truth(aws: SandboxAws, legend: Legend, at: float) -> Json:
    """Everybody with all that they have `at` that time (epoch), and what AWS is still busy with."""
    held = aws.world.as_json()
    rows: dict[str, list[Json]] = {email: [] for email in legend.people}
    for email, row in _rows(held, aws.spec, legend, datetime.fromtimestamp(at, UTC)):
        rows.setdefault(email, []).append(row)
    people = [{"person": email, "name": legend.person(email), "access": access} for email, access in rows.items()]
    return {"people": people, "operations": _operations(aws, legend)}


def _rows(held: Json, spec: WorldSpec, legend: Legend, at: datetime) -> Iterator[tuple[str, Json]]:
    yield from _assigned(held, spec, legend)
    yield from _grouped(held, spec)
    yield from _by_policy(held, spec, legend, at)
    yield from _in_iam_groups(held, spec, legend)


def _assigned(held: Json, spec: WorldSpec, legend: Legend) -> Iterator[tuple[str, Json]]:
    seeded = {(each.principal, each.permission_set, each.account) for each in spec.assignments}
    for entry in held["assignments"]:
        principal = entry["principal"]
        group = "" if "@" in principal else principal
        standing = (principal, entry["permission_set"], entry["account"]) in seeded
        how = f"through the group {group}" if group else "assigned to the person"
        for email in held["groups"].get(group, ()) if group else (principal,):
            always = standing and (not group or email in spec.groups.get(group, ()))
            where = legend.account(entry["account"])
            row = _row("assignment", entry["permission_set"], where, how, standing=always)
            yield email, row | {"account": entry["account"], "short": legend.short(entry["account"])}


def _grouped(held: Json, spec: WorldSpec) -> Iterator[tuple[str, Json]]:
    for group, members in held["groups"].items():
        for email in members:
            standing = email in spec.groups.get(group, ())
            yield (
                email,
                _row("group", f"member of {group}", "IAM Identity Center", "membership of a group", standing=standing),
            )


def _by_policy(held: Json, spec: WorldSpec, legend: Legend, at: datetime) -> Iterator[tuple[str, Json]]:
    """A policy whose own end has passed allows nothing, though it may still hang there."""
    for user in spec.iam_users:
        for name, document in held["iam_policies"].get(user.account, {}).get(user.name, {}).items():
            end = ends_at(document)
            if end is not None and end <= at:
                continue
            how = "its own date condition ends it" if end else "without an end of its own"
            where = f"IAM user {user.name} in {legend.account(user.account)}"
            row = _row("iam-policy", f"policy {name}", where, how, standing=name in user.policies)
            short = f"on {user.name}"
            yield user.person or user.name, row | {"until": end.timestamp() if end else None, "short": short}


def _in_iam_groups(held: Json, spec: WorldSpec, legend: Legend) -> Iterator[tuple[str, Json]]:
    persons = {(user.account, user.name): user.person or user.name for user in spec.iam_users}
    for group in spec.iam_groups:
        for member in held["iam_groups"].get(group.account, {}).get(group.name, ()):
            where = f"IAM user {member} in {legend.account(group.account)}"
            row = _row(
                "iam-group",
                f"member of {group.name}",
                where,
                "membership of an IAM group",
                standing=member in group.members,
            )
            yield persons.get((group.account, member), member), row


def _row(kind: str, what: str, where: str, how: str, *, standing: bool) -> Json:
    """`short`: where, in a word, for a line; `account`: of the organisation, where it tells two rows apart."""
    return {
        "kind": kind,
        "what": what,
        "where": where,
        "short": "",
        "account": "",
        "until": None,
        "standing": standing,
        "how": how,
    }


def _operations(aws: SandboxAws, legend: Legend) -> list[Json]:
    with aws.proxy.lock:
        aws.proxy.operations.settle()
        return [_operation(each, aws.spec, legend) for each in aws.proxy.operations.open()]


def _operation(operation: Operation, spec: WorldSpec, legend: Legend) -> Json:
    given = operation.arguments
    sets = {spec.permission_set_arn(each.name): each.name for each in spec.permission_sets}
    people = {spec.user_id(each.email): legend.person(each.email) for each in spec.people}
    what = sets.get(given["PermissionSetArn"], given["PermissionSetArn"])
    who = people.get(given["PrincipalId"], given["PrincipalId"])
    words = f"{_DOING[operation.kind]} {what} in {legend.account(given['TargetId'])}: {who}"
    return {"what": words, "state": operation.status}
