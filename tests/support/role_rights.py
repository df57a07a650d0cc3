"""The worker's role as IAM holds it: moto enforces what its documents say, and each call that is really made is held against
them here, with all the things that AWS looks at.

moto looks at one thing of a call, and at no condition; of sso-admin and the identity store it looks at none. So it is told which
thing to look at, and what it cannot look at is looked at here, before the call is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication
from moto.iam.responses import IamResponse
from moto.identitystore.responses import IdentityStoreResponse
from moto.ssoadmin.responses import SSOAdminResponse

from bot.sandbox.aws.evaluate import allows
from bot.sandbox.aws.state import wall_clock
from tests.contract.targets.target_rigs import FreeBuckets
from workflows.targets.aws.connections import Place
from workflows.targets.aws.role_rights.scope import Archive, Center, Scope
from workflows.targets.aws.role_rights.statement import Statement, document
from workflows.targets.aws.targets import AwsTargets

ACCOUNT = "111122223333"
NAME = "prodaccess-worker"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
_NAMED = ("UserName", "GroupName", "RoleName")
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
_PREFIXES = {"sso-admin": "sso", "identitystore": "identitystore", "iam": "iam", "sts": "sts"}
_ALL = Statement("All", ("*",))


def example_scope(spec: Any, **changed: Any) -> Scope:
    """All kinds at once, in the simulated world."""
    center = Center(
        spec.instance_arn,
        spec.identity_store_id,
        spec.management_account,
        accounts=(ACCOUNT,),
        sets=(spec.permission_set_arn("ReadOnlyAccess"),),
        groups=(spec.group_id("payments-readers"),),
        reads_groups=True,
    )
    values: dict[str, Any] = {
        "centers": (center,),
        "written_on": ("dana",),
        "grouped": ("dana",),
        "groups": ("payments-prod-deployers",),
        "archive": Archive("prodaccess-audit", days=30),
    }
    return Scope(ROLE, **(values | changed))


@dataclass
class Enforced:
    """`calls`: what was really sent, action and thing, with the Sids that allowed it. `world`: the simulated AWS, where there is
    one. `statements`: of the role; `denying`: those of its boundary and of the guardrail that deny.
    """

    world: Any
    statements: Sequence[Statement]
    denying: Sequence[Statement] = ()
    calls: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def look(self, action: str, things: Sequence[str], context: Mapping[str, str]) -> None:
        """Raises what AWS answers to a call that no statement allows, or that one denies."""
        now = datetime.fromtimestamp(wall_clock(), UTC)
        for thing in things:
            by = tuple(
                each.sid
                for each in self.statements
                if each.effect == "Allow" and allows(document([each]), action, thing, now, context)
            )
            self.calls.append((action, thing, by))
            against = [
                each.sid
                for each in self.denying
                if each.effect == "Deny" and not allows(document([_ALL, each]), action, thing, now, context)
            ]
            if against or not by:
                said = {"Error": {"Code": "AccessDenied", "Message": f"not authorized: {action} on {thing} {against}"}}
                raise ClientError(said, action.partition(":")[2])  # type: ignore[arg-type]

    def asked(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        action = f"{_PREFIXES[service]}:{operation}"
        if action == "sts:GetCallerIdentity":
            return
        self.look(action, things_of(self.world.spec, service, operation, parameters), self._context(parameters))

    def _context(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        """What AWS knows of the caller, and of the user that is written on."""
        known = {"aws:PrincipalArn": ROLE}
        own = self.world.proxy.state.iam(ACCOUNT)
        role = next((one for one in own.roles.values() if one.name == parameters.get("RoleName")), None)
        changed = own.users.get(parameters.get("UserName", "")) or role
        if changed is not None:
            tags = changed.tags.values() if isinstance(changed.tags, dict) else changed.tags or []
            known |= {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}
            bounds = changed.permissions_boundary_arn if changed is role else changed.permissions_boundary
            if bounds:
                known["iam:PermissionsBoundary"] = str(bounds)
        return known


def things_of(spec: Any, service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """All that AWS looks at in a call (service authorization reference)."""
    if service == "iam":
        if "RoleName" in parameters:
            return [f"arn:aws:iam::{ACCOUNT}:role/{parameters['RoleName']}"]
        if "GroupName" in parameters:
            return [f"arn:aws:iam::{ACCOUNT}:group/{parameters['GroupName']}"]
        return [f"arn:aws:iam::{ACCOUNT}:user/{parameters['UserName']}"]
    if service == "sso-admin":
        found = [parameters["InstanceArn"]] if "InstanceArn" in parameters else []
        found += [parameters["PermissionSetArn"]] if "PermissionSetArn" in parameters else []
        account = parameters.get("AccountId") or parameters.get("TargetId")
        return [*found, *([f"arn:aws:sso:::account/{account}"] if account else [])] or ["*"]
    if service == "identitystore":
        return _in_the_store(spec, operation, parameters)
    raise NotImplementedError(f"{service} {operation}")


def _in_the_store(spec: Any, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    found = [f"arn:aws:identitystore::{spec.management_account}:identitystore/{spec.identity_store_id}"]
    member = parameters.get("MemberId", {}).get("UserId") or parameters.get("UserId")
    found += [f"arn:aws:identitystore:::user/{member}"] if member else []
    found += [f"arn:aws:identitystore:::group/{parameters['GroupId']}"] if "GroupId" in parameters else []
    if operation == "DeleteGroupMembership":
        found.append(f"arn:aws:identitystore:::membership/{parameters['MembershipId']}")
    return found


class Watched:
    """Targets whose calls are held against statements, one set after the other, with clients that are built once."""

    def __init__(self, world: Any) -> None:
        self._world, self._now = world, Enforced(world, ())
        self.targets = AwsTargets(FreeBuckets(), monotonic=lambda: 0.0)
        links = self.targets.links
        real = links._client

        def client(place: Place, service: str) -> Any:
            made = real(place, service)
            made.meta.events.register(
                "provide-client-params", lambda params, model, **_: self._now.asked(service, model.name, params)
            )
            return made

        links._client = client

    def only_with(self, statements: Sequence[Statement], denying: Sequence[Statement] = ()) -> Enforced:
        """From now on. What was remembered of names is forgotten."""
        _bound_users(self._world)
        self._now = Enforced(self._world, statements, denying)
        for link in self.targets.links._links.values():
            link.names.forget()
        return self._now


@contextmanager
def in_the_role(world: Any, statements: Sequence[Statement], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """For as long as it is open, this process is the worker's role with these statements, and moto enforces them. Gives what
    exchanges them.
    """
    _bound_users(world)
    iam = world.client("iam")
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST))

    def exchange(others: Sequence[Statement]) -> None:
        content = json.dumps(document(others))
        with disable_iam_authentication():
            iam.put_role_policy(RoleName=NAME, PolicyName="worker", PolicyDocument=content)

    exchange(statements)
    credentials = in_its_role(world)
    with monkeypatch.context() as patched:
        for name, value in credentials.items():
            patched.setenv(name, value)
        _tell_moto_what_to_look_at(world, patched)
        with enable_iam_authentication():
            yield exchange
    iam.close()


def in_its_role(world: Any) -> dict[str, str]:
    """The variables of whoever has taken the worker's role on."""
    sts = world.client("sts")
    given = sts.assume_role(RoleArn=ROLE, RoleSessionName="worker")["Credentials"]
    sts.close()
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _bound_users(world: Any) -> None:
    """People's users and pipelines' roles have their boundaries, as deploy/aws says."""
    own = world.proxy.state.iam(ACCOUNT)
    for user in own.users.values():
        user.permissions_boundary = f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-boundary"
    for role in own.roles.values():
        role.permissions_boundary_arn = f"arn:aws:iam::{ACCOUNT}:policy/prodaccess-pipeline-boundary"


def _tell_moto_what_to_look_at(world: Any, patched: pytest.MonkeyPatch) -> None:
    """It knows the things of roles alone, and takes `*` for all others."""
    spec = world.spec

    def iam(response: Any) -> str:
        named = {key: values[0] for key, values in response.data.items() if key in _NAMED}
        return things_of(spec, "iam", "", named)[0] if named else "*"

    patched.setattr(IamResponse, "_determine_resource", iam)
    store = things_of(spec, "identitystore", "", {})[0]
    patched.setattr(IdentityStoreResponse, "_determine_resource", lambda _: store, raising=False)
    patched.setattr(SSOAdminResponse, "_determine_resource", lambda _: spec.instance_arn, raising=False)
