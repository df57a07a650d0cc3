"""Faults of AWS: each is found, and its mend is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.sandbox.aws.spec import OF_GITHUB
from tests.contract.doctor.rig import Fault, Rig
from workflows.core.finding import Finding, State

PROD, ROLES, WORKSPACE = "environments/orders-prod.yaml", "roles.yaml", "prodaccess.yaml"


def no_credentials(rig: Rig) -> None:
    rig.monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    rig.monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    rig.monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    rig.monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


GATE = """title: Orders  # with a gate
gates:
  deploy:
    approve: {owners: 1}
    target: {kind: aws-iam-role-policy, role: orders-deploy, policy: policies/repair-orders.json}
    for: 30m
"""


# Each of these hides what is behind it.
ALONE = (
    Fault("no credentials", no_credentials, "targets.credentials", "no AWS credentials", "look at the credentials"),
    Fault(
        "credentials that have run out",
        lambda rig: rig.aws.proxy.error("expired", "GetCallerIdentity"),
        "targets.credentials",
        "does not accept the worker's credentials",
        "look at the credentials",
    ),
    Fault(
        "a role that may not be taken on",
        lambda rig: rig.edit(
            WORKSPACE,
            "region: eu-central-1",
            "role_arn: arn:aws:iam::210987654321:role/nobody\n    region: eu-central-1",
        ),
        "targets.credentials",
        "AssumeRole",
        "deploy/aws",
    ),
    Fault(
        "another region",
        lambda rig: rig.edit(WORKSPACE, "region: eu-central-1", "region: eu-west-1"),
        "targets.instance",
        "there is no instance in eu-west-1",
        "region of the connection",
    ),
    Fault(
        "what reads is not allowed",
        lambda rig: rig.aws.proxy.error("denied", "ListPermissionSets", times=None),
        "targets.permission-set",
        "does not let the worker",
        "deploy/aws",
    ),
)
# None of these hides another one: one look finds them all.
TOGETHER = (
    Fault(
        "a permission set that is not there",
        lambda rig: rig.edit(ROLES, "permission_set: ReadOnlyAccess", "permission_set: ReadAccess"),
        "targets.permission-set",
        "there is no permission set ReadAccess",
        "roles.yaml",
    ),
    Fault(
        "an account that is not there",
        lambda rig: rig.edit(PROD, "210987654321", "210987654322"),
        "targets.account",
        "account 210987654322 (orders-prod): the organisation has no such account",
        "environment's file",
    ),
    Fault(
        "a group that is not there",
        lambda rig: rig.edit(ROLES, "group: sales-readers", "group: sale-readers"),
        "targets.group",
        "there is no group sale-readers",
        "roles.yaml",
    ),
    Fault(
        "an IAM group that is not there",
        lambda rig: rig.edit(ROLES, "{environment}-deployers", "{environment}-deploy"),
        "targets.iam-group",
        "IAM group orders-prod-deploy: there is none in account 111122223333",
        "aws iam create-group",
    ),
    Fault(
        "a deleted user",
        lambda rig: rig.aws.world.remove_person("dana@example.com"),
        "targets.user",
        "dana@example.com is nobody in IAM Identity Center",
        "given nothing",
        State.ATTENTION,
    ),
    Fault(
        "an IAM user without the tag",
        lambda rig: rig.aws.client("iam").untag_user(UserName="dana", TagKeys=["prodaccess:person"]),
        "targets.user",
        "the IAM user dana does not carry the tag",
        "deploy/aws",
        State.ATTENTION,
    ),
    Fault(
        "what takes away is not allowed",
        lambda rig: rig.aws.proxy.state.may_not.add("sso:DeleteAccountAssignment"),
        "targets.rights",
        "could not be taken away",
        "deploy/aws",
    ),
    Fault(
        "a role to look at CloudTrail with that is not there",
        lambda rig: rig.edit(WORKSPACE, "region: eu-central-1", "activity_role: nobody\n    region: eu-central-1"),
        "targets.activity",
        "AssumeRole",
        "worker-policy.activity.json",
    ),
    Fault(
        "this machine's clock is slow",
        lambda rig: setattr(rig, "ahead_s", -120.0),
        "targets.clock",
        "s ahead of this machine's",
        "NTP",
    ),
)


@pytest.fixture
def patched(on_aws: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    on_aws.monkeypatch = monkeypatch
    return on_aws


@pytest.mark.parametrize("fault", ALONE, ids=lambda fault: fault.name)
def test_a_fault_that_hides_others_is_found_and_its_mend_is_named(patched: Rig, fault: Fault):
    fault.plant(patched)
    fault.told_by(patched.found("targets"))


def test_faults_beside_one_another_are_each_found_and_their_mends_are_named(on_aws: Rig):
    for fault in TOGETHER:
        fault.plant(on_aws)
    found = on_aws.found("targets")
    for fault in TOGETHER:
        fault.told_by(found)


def test_a_simulation_that_is_not_allowed_is_not_known_and_no_fault(on_aws: Rig):
    on_aws.aws.proxy.error("denied", "SimulatePrincipalPolicy", times=None)
    on_aws.aws.proxy.error("denied", "organizations:DescribeAccount", times=None)
    found = on_aws.found("targets")
    rights = [one for one in found if one.check == "targets.rights"]
    assert {one.state for one in rights} == {State.SKIPPED}, found
    assert all("worker-policy.doctor.json" in one.mend for one in rights)
    accounts = [one.words for one in found if one.check == "targets.account"]
    assert all("it may not ask (organizations:DescribeAccount)" in words for words in accounts), found


def test_what_was_done_cannot_be_looked_up_everywhere_and_need_not_be(on_aws: Rig):
    on_aws.aws.proxy.error("denied", "cloudtrail:LookupEvents", times=None)
    own, others = sorted(
        (one for one in on_aws.found("targets") if one.check == "targets.activity"), key=lambda one: -len(one.what)
    )
    assert (own.state, others.state) == (State.SKIPPED, State.SKIPPED)
    assert "worker-policy.activity.json" in own.mend
    assert "others it cannot look up" in others.words


def test_one_look_asks_about_so_many_accounts_and_says_so(on_aws: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workflows.targets.aws.examine.ACCOUNTS_MAX", 1)
    found = [one for one in on_aws.found("targets") if one.check == "targets.account"]
    assert [one.state for one in found] == [State.OK, State.SKIPPED]
    assert found[1].words == "2 more were not asked about: one look asks about so many"


def test_on_an_operators_machine_no_credentials_are_no_fault(patched: Rig):
    no_credentials(patched)
    patched.whom = None
    (finding,) = patched.found("targets")
    assert (finding.state, finding.check) == (State.SKIPPED, "targets.credentials")
    assert "prodaccess doctor --process worker" in finding.mend


def test_web_is_told_of_credentials_that_it_should_not_have(on_aws: Rig):
    on_aws.whom = "web"
    (finding,) = on_aws.found("targets")
    assert (finding.state, "give them to the worker alone" in finding.mend) == (State.ATTENTION, True)


def with_gate(rig: Rig, trust: Mapping[str, Any] = OF_GITHUB, gate: str = "orders-prod") -> Finding:
    """What is told of the role that a gate names, in the worker's own account."""
    rig.edit(PROD, "title: Orders\n", GATE)
    rig.edit(PROD, "210987654321", "111122223333")
    tags = [{"Key": "prodaccess:gate", "Value": gate}]
    rig.aws.client("iam").create_role(RoleName="orders-deploy", AssumeRolePolicyDocument=json.dumps(trust), Tags=tags)
    (found,) = [one for one in rig.found("targets") if one.check == "targets.pipeline-role"]
    return found


def test_a_pipelines_role_that_can_be_given_something_is_ok(on_aws: Rig):
    found = with_gate(on_aws)
    assert (found.state, found.what) == (State.OK, "role orders-deploy (orders-prod)"), found
    assert not on_aws.aws.proxy.log.calls("PutRolePolicy")


def test_a_pipelines_role_that_people_can_take_on_is_found(on_aws: Rig):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    found = with_gate(on_aws, trust)
    assert found.state is State.BROKEN
    assert "People may take on orders-deploy" in found.words
    assert "trust policy" in found.mend


def test_a_pipelines_role_of_another_gate_is_found(on_aws: Rig):
    assert "prodaccess:gate = orders-prod" in with_gate(on_aws, gate="shop").words
