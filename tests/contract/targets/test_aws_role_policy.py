"""A pipeline's role on simulated AWS: which one is given something, until when, and which never is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.sandbox.aws.spec import OF_GITHUB, IamRoleSpec, WorldSpec
from tests.contract.targets.target_rigs import PERSON, UNTIL, AwsRig
from workflows.core.records.target import Presence, Resource
from workflows.core.refusal import Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.kinds import AwsKind

HOME = "111122223333"


def trusting(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> Mapping[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def of_forge(**condition: Any) -> Mapping[str, Any]:
    provider = {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/gitlab.example.com"}
    more = {"Condition": {"StringLike": condition}} if condition else {}
    return trusting(provider, "sts:AssumeRoleWithWebIdentity", **more)


def rig(aws: Any, trust: Mapping[str, Any] = OF_GITHUB, gate: str = "orders-prod", **role: Any) -> AwsRig:
    found = IamRoleSpec(**{"name": "orders-deploy", "account": HOME, "gate": gate, "trust": trust, **role})
    aws.reset(WorldSpec(iam_roles=(found,)))
    return AwsRig(AwsKind.IAM_ROLE_POLICY, aws)


def refused(one: AwsRig, **changed: Any) -> str:
    found = one.target.resolve(one.terms(**changed), PERSON, "PA-7")
    assert isinstance(found, Refused), found
    return found.params.get("words") or str(dict(found.params))


def test_it_is_given_to_the_role_alone_with_an_end_in_each_statement(aws: Any) -> None:
    one = rig(aws)
    resource = one.given()

    (found,) = aws.world.iam_role_policies("orders-deploy").values()

    assert found.ends_at == UNTIL.replace(microsecond=0)
    assert all("aws:CurrentTime" in each["Condition"]["DateLessThan"] for each in found.document["Statement"])
    assert resource.enforces_end
    assert one.target.observe(resource).until == UNTIL.replace(microsecond=0)
    assert resource.user == f"iam-role:{HOME}:{resource.user_id}"


def test_what_was_taken_away_is_not_there(aws: Any) -> None:
    one = rig(aws)
    resource = one.given()
    one.target.revoke(resource, one.ok)
    assert aws.world.iam_role_policies("orders-deploy") == {}
    assert one.target.observe(resource).presence is Presence.ABSENT


def test_two_grants_on_one_role_stand_side_by_side(aws: Any) -> None:
    one = rig(aws)
    first, second = one.resource("PA-1"), one.resource("PA-2")
    for each in (first, second):
        one.target.grant(each, UNTIL, one.ok)
    one.target.revoke(first, one.ok)
    assert list(aws.world.iam_role_policies("orders-deploy")) == ["prodaccess-PA-2"]
    assert [seen.request for seen in one.target.list_managed(one.terms())] == ["PA-2"]


@pytest.mark.parametrize(
    ("trust", "who"),
    [
        (trusting("*"), "everybody"),
        (trusting({"AWS": "*"}), "*"),
        (trusting({"AWS": HOME}), HOME),
        (trusting({"AWS": f"arn:aws:iam::{HOME}:root"}), "root"),
        (trusting({"AWS": [f"arn:aws:iam::{HOME}:role/ci", f"arn:aws:iam::{HOME}:user/dana"]}), "user/dana"),
        (
            trusting({"AWS": f"arn:aws:iam::{HOME}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_1"}),
            "AWSReservedSSO",
        ),
        (trusting({"Federated": f"arn:aws:iam::{HOME}:saml-provider/okta"}, "sts:AssumeRoleWithSAML"), "saml"),
        (trusting({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity"), "accounts.google.com"),
        (of_forge(), "gitlab.example.com"),
        (of_forge(**{"gitlab.example.com:aud": "x"}), "gitlab.example.com"),
        (of_forge(**{"gitlab.example.com:sub": "*"}), "gitlab.example.com"),
    ],
)
def test_a_role_that_people_can_take_on_is_given_nothing(aws: Any, trust: Mapping[str, Any], who: str) -> None:
    words = refused(rig(aws, trust))
    assert words.startswith("People may take on orders-deploy: its trust policy names ")
    assert who in words


@pytest.mark.parametrize(
    "trust",
    [
        OF_GITHUB,
        of_forge(**{"gitlab.example.com:sub": "project_path:acme/orders:*"}),
        trusting({"AWS": f"arn:aws:iam::{HOME}:role/jenkins"}),
        trusting({"Service": "codebuild.amazonaws.com"}),
    ],
)
def test_a_role_of_machines_is_given_it(aws: Any, trust: Mapping[str, Any]) -> None:
    assert isinstance(rig(aws, trust).resource(), Resource)


def test_a_role_that_its_account_has_not_put_at_the_gates_disposal_is_given_nothing(aws: Any) -> None:
    assert "does not carry the tag prodaccess:gate = orders-prod" in refused(rig(aws, gate=""))
    assert "does not carry the tag prodaccess:gate = orders-prod" in refused(rig(aws, gate="shop-prod"))


def test_a_role_in_another_account_than_the_environments_is_given_nothing(aws: Any) -> None:
    assert refused(rig(aws), account="444455556666") == (
        "The role orders-deploy is in account 111122223333, and the environment is in 444455556666."
    )


def test_the_workers_own_role_is_given_nothing(aws: Any) -> None:
    one = rig(aws)
    own = f"arn:aws:iam::{HOME}:role/ci/orders-deploy"
    assert refused(one, role_arn=own) == "orders-deploy is the worker's own role."


def test_a_role_that_is_not_there_is_named(aws: Any) -> None:
    assert "IAM role orders-deplyo" in refused(rig(aws), role="orders-deplyo")


@pytest.mark.parametrize("change", ["tag", "trust", "anew"])
def test_a_role_that_is_another_by_the_time_it_is_given_is_given_nothing(aws: Any, change: str) -> None:
    one = rig(aws)
    resource, iam = one.resource(), one.iam()
    if change == "tag":
        iam.untag_role(RoleName="orders-deploy", TagKeys=["prodaccess:gate"])
    elif change == "trust":
        iam.update_assume_role_policy(RoleName="orders-deploy", PolicyDocument=json.dumps(trusting("*")))
    else:
        iam.delete_role(RoleName="orders-deploy")
        tags = [{"Key": "prodaccess:gate", "Value": "orders-prod"}]
        iam.create_role(RoleName="orders-deploy", AssumeRolePolicyDocument=json.dumps(OF_GITHUB), Tags=tags)
    with pytest.raises(TargetRefused):
        one.target.grant(resource, UNTIL, one.ok)
    assert aws.world.iam_role_policies("orders-deploy") == {}


def test_where_there_is_no_room_nobody_is_asked(aws: Any) -> None:
    one = rig(aws)
    large = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:" + "x" * 9_990, "Resource": "*"}],
    }
    one.iam().put_role_policy(RoleName="orders-deploy", PolicyName="own", PolicyDocument=json.dumps(large))
    assert "has room for" in refused(one)


def test_what_somebody_changed_on_it_is_seen(aws: Any) -> None:
    one = rig(aws)
    resource = one.given()
    one.iam().put_role_policy(
        RoleName="orders-deploy",
        PolicyName="prodaccess-PA-1042",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    )
    seen = one.target.observe(resource)
    assert (seen.presence, seen.until) == (Presence.PRESENT, None)
    assert seen.detail is not None
