"""What denies older sessions, on simulated AWS and in memory alike; and what it does, read as AWS reads policies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.aws.evaluate import allows
from tests.contract.targets.target_rigs import DOCUMENT, MARK, UNTIL, AwsRig, MemoryRig, terms
from workflows.core.records.target import OperationState, Presence, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import LeaseOver, TargetRefused, TargetThrottled
from workflows.targets.aws.iam_policy import DENIED
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.sessions import control_policy
from workflows.targets.aws.templates import denied_before, with_denial

BEFORE = datetime(2030, 1, 1, 11, 0, tzinfo=UTC)
NOW = BEFORE + timedelta(minutes=5)
NAME = "prodaccess-PA-1042"
OBJECT = ("s3:GetObject", "arn:aws:s3:::state/x")


@pytest.fixture(params=["aws", "memory"])
def rig(request: pytest.FixtureRequest) -> Any:
    kind = AwsKind.IAM_POLICY
    return AwsRig(kind, request.getfixturevalue("aws")) if request.param == "aws" else MemoryRig(kind)


@pytest.fixture
def policy(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IAM_POLICY, aws)


def given(rig: Any) -> Resource:
    resource: Resource = rig.resource(end_sessions=True)
    rig.target.grant(resource, UNTIL, rig.ok)
    return resource


def test_it_takes_the_access_away_and_is_read_back_and_a_removal_undoes_it(rig: Any) -> None:
    resource = given(rig)
    assert rig.target.deny_sessions(resource, BEFORE, rig.ok).state is OperationState.SUCCEEDED
    seen = rig.target.observe(resource)
    assert (seen.presence, seen.denied_before) == (Presence.ABSENT, BEFORE)
    assert rig.target.deny_sessions(resource, NOW, rig.ok).state is OperationState.SUCCEEDED
    assert rig.target.observe(resource).denied_before == NOW
    rig.target.revoke(resource, rig.ok)
    seen = rig.target.observe(resource)
    assert (seen.presence, seen.denied_before) == (Presence.ABSENT, None)


def test_it_is_no_access_in_a_list(rig: Any) -> None:
    resource = given(rig)
    assert [seen.request for seen in rig.target.list_managed(resource.target)] == ["PA-1042"]
    rig.target.deny_sessions(resource, BEFORE, rig.ok)
    assert list(rig.target.list_managed(resource.target)) == []


def test_without_a_lease_nothing_is_sent(rig: Any) -> None:
    resource = given(rig)

    def over() -> None:
        raise LeaseOver

    with pytest.raises(LeaseOver):
        rig.target.deny_sessions(resource, BEFORE, over)
    assert rig.target.observe(resource).presence is Presence.PRESENT


@pytest.mark.parametrize("kind", [kind for kind in AwsKind if kind is not AwsKind.IAM_POLICY])
def test_other_kinds_say_so(aws: Any, kind: AwsKind) -> None:
    rig = AwsRig(kind, aws)
    with pytest.raises(TargetRefused, match="cannot be denied"):
        rig.target.deny_sessions(rig.resource(), BEFORE, rig.ok)


# ---------------------------------------------------------------- on AWS


def test_it_stands_in_the_place_of_what_it_denies_and_carries_our_mark(policy: AwsRig, aws: Any) -> None:
    resource = given(policy)
    policy.target.deny_sessions(resource, BEFORE, policy.ok)
    (name,) = aws.world.iam_policies("dana")
    document = aws.world.iam_policies("dana")[name].document
    seen = policy.target.observe(resource)
    assert (name, document["Id"], seen.mark, seen.detail) == (NAME, MARK, MARK, DENIED)
    assert {statement["Effect"] for statement in document["Statement"]} == {"Deny"}


def test_what_somebody_made_of_it_denies_nothing_that_is_told(policy: AwsRig, aws_client: Any) -> None:
    resource = given(policy)
    narrower = json.loads(with_denial(DOCUMENT, BEFORE, MARK))
    del narrower["Statement"][1]
    aws_client("iam").put_user_policy(UserName="dana", PolicyName=NAME, PolicyDocument=json.dumps(narrower))
    seen = policy.target.observe(resource)
    assert (seen.presence, seen.denied_before) == (Presence.PRESENT, None)


def test_a_user_made_anew_under_the_name_is_denied_nothing(policy: AwsRig, aws: Any, aws_client: Any) -> None:
    resource, iam = given(policy), aws_client("iam")
    iam.delete_user_policy(UserName="dana", PolicyName=NAME)
    for group in iam.list_groups_for_user(UserName="dana")["Groups"]:
        iam.remove_user_from_group(UserName="dana", GroupName=group["GroupName"])
    iam.delete_user(UserName="dana")
    with pytest.raises(TargetRefused):
        policy.target.deny_sessions(resource, BEFORE, policy.ok)
    iam.create_user(UserName="dana")
    with pytest.raises(TargetRefused, match="not the one that was approved"):
        policy.target.deny_sessions(resource, BEFORE, policy.ok)
    assert aws.world.iam_policies("dana") == {}


def test_throttling_is_a_matter_of_waiting(policy: AwsRig, aws: Any) -> None:
    resource = given(policy)
    aws.proxy.throttle("PutUserPolicy")
    with pytest.raises(TargetThrottled):
        policy.target.deny_sessions(resource, BEFORE, policy.ok)
    assert policy.target.observe(resource).presence is Presence.PRESENT


def test_its_characters_are_counted_before_anybody_is_asked(policy: AwsRig, aws_client: Any) -> None:
    """It is two characters longer for each statement than what it denies."""
    allowed, denied = len(_compact(_ended())), len(with_denial(DOCUMENT, BEFORE, MARK))
    assert denied == allowed + 2 * 2
    name = "arn:aws:s3:::" + "x" * (2048 - allowed - len(DOCUMENT) + len("state/*"))
    standing = DOCUMENT.replace("arn:aws:s3:::state/*", name)
    aws_client("iam").put_user_policy(UserName="dana", PolicyName="standing", PolicyDocument=standing)
    assert isinstance(policy.resource(), Resource)
    refused = policy.target.resolve(terms(AwsKind.IAM_POLICY, end_sessions=True), "dana@example.com", "PA-1042")  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.params["needed"]) == (Code.TARGET_NO_ROOM, str(denied))


def _ended() -> dict[str, Any]:
    document = json.loads(with_denial(DOCUMENT, BEFORE, MARK))
    for statement in document["Statement"]:
        statement["Effect"] = "Allow"
        block = statement["Condition"]["DateLessThan"]
        block["aws:CurrentTime"] = block.pop("aws:TokenIssueTime")
    return document  # type: ignore[no-any-return]


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


# ---------------------------------------------------------------- what it does, and what it does not


STANDING = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
HERE = {"aws:RequestedRegion": "eu-central-1"}


def session(begun: datetime | None, action: str = OBJECT[0], resource: str = OBJECT[1], **more: str) -> bool:
    """Whether a session that was begun then may do it, where the same is allowed by another policy as well. None: no session."""
    document = {"Statement": [STANDING, *json.loads(with_denial(DOCUMENT, BEFORE))["Statement"]]}
    issued = {"aws:TokenIssueTime": begun.isoformat()} if begun else {}
    return allows(document, action, resource, NOW, HERE | issued | more)


def test_older_sessions_are_denied_what_was_given_whatever_else_allows_it() -> None:
    assert not session(BEFORE - timedelta(seconds=1))
    assert not session(BEFORE - timedelta(hours=36), "s3:ListBucket", "arn:aws:s3:::state")


def test_newer_sessions_and_keys_without_a_session_are_not() -> None:
    assert session(BEFORE)
    assert session(NOW)
    assert session(None)


def test_no_more_is_denied_than_was_given() -> None:
    old = BEFORE - timedelta(hours=1)
    assert session(old, "s3:PutObject")
    assert session(old, resource="arn:aws:s3:::other/x")
    assert session(old, **{"aws:RequestedRegion": "us-east-1"})


def test_a_time_between_two_seconds_denies_rather_one_session_too_many() -> None:
    found = denied_before(with_denial(DOCUMENT, BEFORE + timedelta(microseconds=1)), DOCUMENT)
    assert found == BEFORE + timedelta(seconds=1)


# ---------------------------------------------------------------- Identity Center


IDS = {"account": "111122223333", "user": "94e8a4f8-1061-70c7-0ab1-0a1b2c3d4e5f"}
ROLE = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_ReadOnlyAccess_0123456789abcdef"
OTHER_ROLE = ROLE.replace("ReadOnlyAccess", "AdministratorAccess")


def through_the_center(
    begun: datetime, user: str = IDS["user"], role: str = ROLE, named: str = "ReadOnlyAccess"
) -> bool:
    text = control_policy("aws", named, IDS, "PA-1042", BEFORE)
    document = {"Statement": [STANDING, *json.loads(text)["Statement"]]}
    about = {"identitystore:userId": user, "aws:PrincipalArn": role, "aws:TokenIssueTime": begun.isoformat()}
    return allows(document, *OBJECT, NOW, about)


def test_a_control_policy_denies_one_persons_older_sessions_of_one_permission_set() -> None:
    old = BEFORE - timedelta(minutes=1)
    assert not through_the_center(old)
    assert through_the_center(BEFORE)
    assert through_the_center(old, user="another")
    assert through_the_center(old, role=OTHER_ROLE)
    assert through_the_center(old, role=ROLE.replace("111122223333", "444455556666"))


def test_where_the_policy_names_it_by_its_arn_all_of_the_persons_sessions_there_are_denied() -> None:
    old, arn = BEFORE - timedelta(minutes=1), "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
    assert not through_the_center(old, role=OTHER_ROLE, named=arn)
    assert through_the_center(old, user="another", role=OTHER_ROLE, named=arn)
