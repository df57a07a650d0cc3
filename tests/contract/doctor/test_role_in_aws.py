"""What the worker's role has in AWS, held against what the policy needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.providers import know_providers
from bot.sandbox.installation.people import aws_world
from tests.contract.doctor.rig import CONFIG, Rig
from tests.contract.targets.target_rigs import FreeBuckets
from tests.support.role_rights import ACCOUNT, NAME, ROLE, TRUST, in_its_role
from workflows.core.finding import Finding, State
from workflows.core.question import Question
from workflows.policy_file import read_policy
from workflows.targets.aws.compare_rights import Seen, roles
from workflows.targets.aws.connections import Place
from workflows.targets.aws.rights import Identity
from workflows.targets.aws.role_rights.documents import Document, Part, rendered
from workflows.targets.aws.role_rights.ids import CenterIds
from workflows.targets.aws.role_rights.scope import Center, Scope
from workflows.targets.aws.role_rights.statement import Statement, document
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import own_connection
from workflows.targets.aws.wanted import Wanted

ACCOUNTS = ("210987654321", "321098765432", "432109876543")


WHO = Identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/{NAME}/worker", ACCOUNT, "")


class Clients:
    """Built once."""

    def __init__(self, aws: Any) -> None:
        self.iam, self.targets = aws.client("iam"), AwsTargets(FreeBuckets())


class OnRole:
    """The simulated AWS with the people of the example, and this process in the worker's own role."""

    def __init__(self, aws: Any, clients: Clients) -> None:
        self.aws, self._clients = aws, clients
        spec = aws.spec
        center = Center(
            spec.instance_arn,
            spec.identity_store_id,
            spec.management_account,
            ACCOUNTS,
            tuple(spec.permission_set_arn(name) for name in ("ReadOnlyAccess", "AdministratorAccess")),
            (spec.group_id("sales-readers"),),
        )
        groups = tuple(f"orders-{name}-deployers" for name in ("dev", "prod", "staging"))
        self.scope = Scope(ROLE, centers=(center,), written_on=("*",), grouped=("*",), groups=groups)

    def has(self, documents: Sequence[Document], boundary: str = "") -> None:
        """The role with these, as somebody attached them: the first inline, the others as managed policies."""
        bounds = {"PermissionsBoundary": boundary} if boundary else {}
        first = json.dumps(documents[0].content)
        self._clients.iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST), **bounds)
        self._clients.iam.put_role_policy(RoleName=NAME, PolicyName="worker", PolicyDocument=first)
        for each in documents[1:]:
            self.attached(each.name, each.content)

    def attached(self, name: str, content: Any) -> str:
        arn = self.made(name, content)
        self._clients.iam.attach_role_policy(RoleName=NAME, PolicyArn=arn)
        return arn

    def made(self, name: str, content: Any) -> str:
        arn: str = self._clients.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(content))["Policy"]["Arn"]
        return arn

    def found(self, check: str, *, whole: bool = True) -> Finding:
        """`whole`: all that the policy names is there."""
        (finding,) = [one for one in self.all(whole=whole) if one.check == check]
        return finding

    def all(self, *, whole: bool, who: Identity = WHO) -> list[Finding]:
        policy = read_policy(CONFIG).policy
        assert policy is not None
        connection = own_connection(policy.connections["shop"])
        entitlements = tuple(one for each in policy.environments.values() for one in each.roles.values())
        question = Question((connection,), entitlements, lambda _: (), lambda: 0.0)
        link = self._clients.targets.links.to(Place.of_connection(connection))
        spec = self.aws.spec
        sets = {name: spec.permission_set_arn(name) for name in ("ReadOnlyAccess", "AdministratorAccess")}
        groups = {"sales-readers": spec.group_id("sales-readers")}
        ids = CenterIds(spec.instance_arn, spec.identity_store_id, spec.management_account, sets, groups)
        wanted = Wanted(connection, entitlements, lambda _: ())
        return list(roles([Seen(link, who, wanted, ids if whole else None)], question))


@pytest.fixture(scope="module")
def clients(aws_server: Any) -> Clients:
    return Clients(aws_server)


@pytest.fixture
def role(aws: Any, clients: Clients) -> OnRole:
    know_providers()
    aws.reset(aws_world())
    return OnRole(aws, clients)


def printed(scope: Scope) -> list[Document]:
    return list(rendered(scope).of(Part.WORKER))


def without(made: Sequence[Document], sid: str) -> list[Document]:
    return [Document(one.part, one.name, tuple(each for each in one.statements if each.sid != sid)) for one in made]


def test_a_role_as_it_was_printed_has_what_it_needs_and_a_boundary_that_keeps_it(
    on_aws: Rig, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = OnRole(on_aws.aws, clients)
    (boundary,) = rendered(role.scope).of(Part.BOUNDARY)
    role.has(printed(role.scope), role.made(boundary.name, boundary.content))
    for name, value in in_its_role(on_aws.aws).items():
        monkeypatch.setenv(name, value)
    by_check = {one.check: one for one in on_aws.found("targets")}
    rights, bounds = by_check["targets.role"], by_check["targets.boundary"]
    assert (rights.state, rights.words) == (State.OK, "it has what the policy needs, and no more")
    assert (bounds.state, rights.what) == (State.OK, "role prodaccess-worker"), bounds


def test_a_right_that_is_lacking_is_broken_and_the_command_is_named(role: OnRole) -> None:
    role.has(without(printed(role.scope), "RemoveMembers"))
    found = role.found("targets.role")
    assert (found.state, found.words.partition(" on ")[0]) == (
        State.BROKEN,
        "it lacks identitystore:DeleteGroupMembership",
    )
    assert f"prodaccess aws policy --role {ROLE} --part worker" in found.mend


def test_a_right_too_many_needs_attention(role: OnRole) -> None:
    role.has(printed(role.scope))
    role.attached("prodaccess-worker-extra", document([Statement("Star", ("iam:*",))]))
    found = role.found("targets.role")
    assert (found.state, found.words) == (State.ATTENTION, "it may do more than the policy needs: iam:* on *")


def test_what_a_policy_says_that_it_may_not_read_is_not_known(role: OnRole) -> None:
    role.has(printed(role.scope))
    role.attached("SomebodyElses", document([Statement("Star", ("iam:*",))]))
    role.aws.proxy.error("denied", "GetPolicy", times=None)
    found = role.found("targets.role")
    assert (found.state, "it may not read SomebodyElses" in found.words) == (State.SKIPPED, True)


def test_what_is_lacking_may_be_in_a_policy_that_it_may_not_read(role: OnRole) -> None:
    role.has(without(printed(role.scope), "RemoveMembers"))
    role.attached("SomebodyElses", document([Statement("Star", ("iam:*",))]))
    role.aws.proxy.error("denied", "GetPolicy", times=None)
    found = role.found("targets.role")
    assert (found.state, "DeleteGroupMembership" in found.words) == (State.SKIPPED, True)


def test_a_role_that_may_not_read_itself_is_not_known_and_no_fault(role: OnRole) -> None:
    role.has(printed(role.scope))
    role.aws.proxy.error("denied", "GetRole", times=None)
    found = role.found("targets.role")
    assert (found.state, "worker-policy.doctor.json" in found.mend) == (State.SKIPPED, True)


def test_while_something_is_not_there_what_it_needs_is_not_known(role: OnRole) -> None:
    role.has(printed(role.scope))
    assert role.found("targets.role", whole=False).state is State.SKIPPED


def test_a_role_without_a_boundary_needs_attention(role: OnRole) -> None:
    role.has(printed(role.scope))
    assert role.found("targets.boundary").state is State.ATTENTION


@pytest.mark.parametrize("sid", ["NeverItself", "NeverWhatOutlivesTheEnd"])
def test_a_boundary_that_does_not_deny_what_it_shall_needs_attention(role: OnRole, sid: str) -> None:
    (boundary,) = without(rendered(role.scope).of(Part.BOUNDARY), sid)
    role.has(printed(role.scope), role.made(boundary.name, boundary.content))
    found = role.found("targets.boundary")
    assert (found.state, sid in found.words) == (State.ATTENTION, True)


def test_people_under_a_path_and_without_a_boundary_of_their_own_are_as_the_shipped_files_have_them(
    role: OnRole,
) -> None:
    role.has(printed(replace(role.scope, path="people/", bounded=False)))
    found = role.found("targets.role")
    assert found.state is State.OK, found


def test_a_user_is_no_role_and_nothing_is_said(role: OnRole) -> None:
    assert not role.all(whole=True, who=Identity(f"arn:aws:iam::{ACCOUNT}:user/olu", ACCOUNT, ""))
