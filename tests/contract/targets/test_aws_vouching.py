"""Whose a caller of AWS is, on simulated AWS: by the tag of an IAM user, or by Identity Center behind a session of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.aws.spec import PersonSpec
from tests.contract.targets.target_rigs import PERSON, AwsRig
from workflows.core.terminal.caller import Caller
from workflows.ports import NotVouched, TargetRefused, VouchedFor
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.permission_sets import Instance, PermissionSets
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsConnection

HOME = "111122223333"
MAIN = AwsConnection("main", "aws", "eu-central-1")
ROLE = "AWSReservedSSO_ReadOnlyAccess_0123456789abcdef"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


@pytest.fixture
def rig(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IAM_POLICY, aws)


def looked_up(rig: AwsRig, caller: Caller) -> Any:
    """By a process that remembers nothing."""
    return AwsTargets(rig.buckets, monotonic=lambda: 0.0).vouch([MAIN], caller)


def dana(rig: AwsRig) -> Caller:
    return Caller("aws", HOME, "dana", rig.iam().get_user(UserName="dana")["User"]["UserId"])


def session(rig: AwsRig, path: str = "/aws-reserved/sso.amazonaws.com/eu-central-1/", user: str = PERSON) -> Caller:
    role = rig.iam().create_role(RoleName=ROLE, Path=path, AssumeRolePolicyDocument=TRUST)["Role"]
    return Caller("aws", HOME, ROLE, role["RoleId"], user)


def sentence(found: Any) -> str:
    assert isinstance(found, NotVouched), found
    return found.sentence


def test_an_iam_user_is_whose_the_tag_says(rig: AwsRig) -> None:
    caller = dana(rig)

    assert looked_up(rig, caller) == VouchedFor(PERSON, f"iam:{HOME}:{caller.id}")


def test_without_the_tag_it_is_nobody(rig: AwsRig) -> None:
    caller = dana(rig)
    rig.iam().untag_user(UserName="dana", TagKeys=["prodaccess:person"])

    assert "has no tag prodaccess:person" in sentence(looked_up(rig, caller))


def test_a_user_that_was_made_anew_under_the_name_is_another_one(rig: AwsRig) -> None:
    caller = dana(rig)
    rig.make_anew()

    assert "any more that signed this" in sentence(looked_up(rig, caller))


def test_an_account_that_no_connection_leads_to_is_not_looked_at(rig: AwsRig) -> None:
    assert looked_up(rig, replace(dana(rig), account="444455556666")) is None


def test_a_session_of_identity_center_is_whose_user_name_it_carries(rig: AwsRig) -> None:
    found = looked_up(rig, session(rig))

    assert isinstance(found, VouchedFor), found
    assert (found.address, found.user) == (PERSON, f"identity-store:{PersonSpec(PERSON).id}")


def test_a_role_that_is_only_called_so_is_none_of_identity_centers(rig: AwsRig) -> None:
    assert "is not one of Identity Center's" in sentence(looked_up(rig, session(rig, path="/")))


def test_a_path_that_only_looks_like_it_is_none(rig: AwsRig) -> None:
    assert "is not one of" in sentence(looked_up(rig, session(rig, path="/x/aws-reserved/sso.amazonaws.com/")))


def test_a_role_that_was_made_anew_is_another_one(rig: AwsRig) -> None:
    assert "is not one of" in sentence(looked_up(rig, replace(session(rig), id="AROAOTHERXXXXXXXXXXX")))


def test_a_role_that_is_gone_is_none(rig: AwsRig) -> None:
    caller = Caller("aws", HOME, ROLE, "AROAREADXXXXXXXXXXXX", PERSON)

    assert "is not one of" in sentence(looked_up(rig, caller))


@pytest.mark.parametrize("user", ["nobody@example.com", PERSON.upper(), PERSON.title()])
def test_a_session_of_a_name_that_nobody_has_exactly_is_nobody(rig: AwsRig, user: str) -> None:
    assert "knows no user called exactly" in sentence(looked_up(rig, session(rig, user=user)))


def test_where_two_identity_centers_could_be_meant_a_session_is_nobody(
    rig: AwsRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both can have a user of the same name, who are two people. The same one behind two connections is one."""
    caller, find = session(rig), PermissionSets.instance
    other = replace(MAIN, name="other", instance_arn="arn:aws:sso:::instance/ssoins-0other")

    def instance(self: PermissionSets, arn: str | None) -> Any:
        if arn == iam_alone.instance_arn:
            raise TargetRefused("AccessDenied")
        return Instance(arn, "d-0other") if arn == other.instance_arn else find(self, arn)

    iam_alone = replace(MAIN, name="iam", instance_arn="arn:aws:sso:::instance/ssoins-0denied")
    monkeypatch.setattr(PermissionSets, "instance", instance)

    def by(*connections: AwsConnection) -> Any:
        return AwsTargets(rig.buckets, monotonic=lambda: 0.0).vouch(connections, caller)

    assert "more than one Identity Center" in sentence(by(MAIN, other))
    assert "more than one Identity Center" in sentence(by(other, MAIN))
    assert isinstance(by(MAIN, replace(MAIN, name="again")), VouchedFor)
    assert isinstance(by(MAIN, iam_alone), VouchedFor)
    assert isinstance(by(iam_alone, MAIN), VouchedFor)
