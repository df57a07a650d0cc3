"""Identity Center as AWS has it: asynchronous, contradictory, and jealous of its quotas. Real boto3 clients throughout."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.spec import EXAMPLE, WorldSpec
from bot.sandbox.aws.world import Assignment
from tests.support.waiting import eventually

DANA, STAGING = "dana@example.com", "444455556666"
HELD = Assignment(DANA, "ReadOnlyAccess", STAGING)


@pytest.fixture(autouse=True)
def _full_pages(aws: Any) -> None:
    """What is looked at here is told from single pages; `test_aws_pages` has the others."""
    aws.proxy.pages.tear(None)


class Center:
    """sso-admin with the arguments that do not change filled in."""

    def __init__(self, aws: Any, client: Any) -> None:
        self.aws, self.client = aws, client

    def arguments(self, **rest: str) -> dict[str, str]:
        spec: WorldSpec = self.aws.spec
        return {
            "InstanceArn": spec.instance_arn,
            "TargetId": STAGING,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": spec.permission_set_arn("ReadOnlyAccess"),
            "PrincipalType": "USER",
            "PrincipalId": spec.user_id(DANA),
        } | rest

    def create(self, **rest: str) -> dict[str, Any]:
        return self.client.create_account_assignment(**self.arguments(**rest))["AccountAssignmentCreationStatus"]

    def delete(self, **rest: str) -> dict[str, Any]:
        return self.client.delete_account_assignment(**self.arguments(**rest))["AccountAssignmentDeletionStatus"]

    def created(self, operation: dict[str, Any]) -> dict[str, Any]:
        return self.client.describe_account_assignment_creation_status(
            InstanceArn=self.aws.spec.instance_arn, AccountAssignmentCreationRequestId=operation["RequestId"]
        )["AccountAssignmentCreationStatus"]

    def deleted(self, operation: dict[str, Any]) -> dict[str, Any]:
        return self.client.describe_account_assignment_deletion_status(
            InstanceArn=self.aws.spec.instance_arn, AccountAssignmentDeletionRequestId=operation["RequestId"]
        )["AccountAssignmentDeletionStatus"]

    def listed(self) -> int:
        arguments = self.arguments()
        found = self.client.list_account_assignments(
            InstanceArn=arguments["InstanceArn"], AccountId=STAGING, PermissionSetArn=arguments["PermissionSetArn"]
        )
        return len(found["AccountAssignments"])

    def of_principal(self, email: str, **rest: Any) -> list[dict[str, Any]]:
        found = self.client.list_account_assignments_for_principal(
            InstanceArn=self.aws.spec.instance_arn,
            PrincipalId=self.aws.spec.user_id(email),
            PrincipalType="USER",
            **rest,
        )
        return found["AccountAssignments"]


@pytest.fixture
def center(aws: Any, aws_client: Any) -> Center:
    return Center(aws, aws_client("sso-admin"))


def refused(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_creation_is_in_progress_first_and_then_there(aws: Any, center: Center) -> None:
    operation = center.create()
    assert operation["Status"] == "IN_PROGRESS"
    assert center.created(operation)["Status"] == "SUCCEEDED"
    assert aws.world.assignments() == {HELD}
    assert center.listed() == 1
    assert center.deleted(center.delete())["Status"] == "SUCCEEDED"
    assert aws.world.assignments() == set()


def test_an_operation_takes_its_time_and_nothing_changes_before(aws: Any, center: Center) -> None:
    aws.proxy.operations.plan(Plan(delay_s=1.0))
    operation = center.create()
    assert center.created(operation)["Status"] == "IN_PROGRESS"
    assert center.listed() == 0
    eventually(lambda: aws.world.who_has("ReadOnlyAccess", STAGING) == {DANA}, "it is done")


def test_an_operation_may_take_some_looks(aws: Any, center: Center) -> None:
    aws.proxy.operations.default = Plan(polls=2)
    operation = center.create()
    assert [center.created(operation)["Status"] for _ in range(3)] == ["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"]


def test_an_operation_can_fail_with_its_reason_and_without_effect(aws: Any, center: Center) -> None:
    aws.proxy.operations.plan(Plan(status="FAILED", reason="Received a 403 status error: denied"))
    status = center.created(center.create())
    assert (status["Status"], status["FailureReason"]) == ("FAILED", "Received a 403 status error: denied")
    assert aws.world.assignments() == set()


def test_a_failed_operation_may_have_taken_effect(aws: Any, center: Center) -> None:
    aws.proxy.operations.plan(Plan(status="FAILED", effect=True))
    assert center.created(center.create())["Status"] == "FAILED"
    assert aws.world.assignments() == {HELD}


def test_a_stuck_operation_waits_for_its_release(aws: Any, center: Center) -> None:
    aws.proxy.operations.plan(Plan(stuck=True))
    operation = center.create()
    assert [center.created(operation)["Status"] for _ in range(3)] == ["IN_PROGRESS"] * 3
    pending = center.client.list_account_assignment_creation_status(
        InstanceArn=aws.spec.instance_arn, Filter={"Status": "IN_PROGRESS"}
    )
    assert [entry["RequestId"] for entry in pending["AccountAssignmentsCreationStatus"]] == [operation["RequestId"]]
    assert aws.proxy.operations.release() == 1
    assert center.created(operation)["Status"] == "SUCCEEDED"


def test_plans_are_for_the_operations_they_name(aws: Any, center: Center) -> None:
    aws.proxy.operations.plan(Plan(stuck=True), action="DeleteAccountAssignment", where={"TargetId": STAGING})
    assert center.created(center.create())["Status"] == "SUCCEEDED"
    assert center.deleted(center.delete())["Status"] == "IN_PROGRESS"


def test_two_operations_about_one_thing_conflict(aws: Any, center: Center) -> None:
    aws.proxy.operations.default = Plan(stuck=True)
    center.create()
    with pytest.raises(ClientError) as caught:
        center.delete()
    assert refused(caught) == "ConflictException"
    center.create(TargetId="111122223333")  # another account is another thing


def test_creating_twice_succeeds_and_is_there_once(aws: Any, center: Center) -> None:
    center.created(center.create())
    assert center.created(center.create())["Status"] == "SUCCEEDED"
    assert center.listed() == 1


@pytest.mark.parametrize("way", ["failed", "succeeded", "not_found"])
def test_deleting_what_is_not_there(aws: Any, center: Center, way: str) -> None:
    aws.proxy.operations.missing_delete = way
    if way == "not_found":
        with pytest.raises(ClientError) as caught:
            center.delete()
        assert refused(caught) == "ResourceNotFoundException"
    else:
        assert center.deleted(center.delete())["Status"] == way.upper()


def test_an_unknown_person_fails_later_and_an_unknown_permission_set_at_once(aws: Any, center: Center) -> None:
    status = center.created(center.create(PrincipalId="00000000-0000-0000-0000-000000000000"))
    assert status["Status"] == "FAILED"
    assert "was not found in directory" in status["FailureReason"]
    with pytest.raises(ClientError) as caught:
        center.create(PermissionSetArn=aws.spec.permission_set_arn("Unknown"))
    assert refused(caught) == "ResourceNotFoundException"


def test_a_person_has_what_their_groups_have(aws: Any, center: Center) -> None:
    aws.world.assign(DANA, "ReadOnlyAccess", STAGING)
    aws.world.assign("payments-developers", "AdministratorAccess", STAGING)
    aws.world.assign("payments-developers", "ReadOnlyAccess", "111122223333")
    kinds = [entry["PrincipalType"] for entry in center.of_principal(DANA, Filter={"AccountId": STAGING})]
    assert sorted(kinds) == ["GROUP", "USER"]
    assert len(center.of_principal(DANA)) == 3
    assert aws.world.who_has("AdministratorAccess", STAGING) == {DANA, "dev@example.com"}
    pages = center.client.get_paginator("list_account_assignments_for_principal").paginate(
        InstanceArn=aws.spec.instance_arn,
        PrincipalId=aws.spec.user_id(DANA),
        PrincipalType="USER",
        PaginationConfig={"PageSize": 2},
    )
    assert [len(page["AccountAssignments"]) for page in pages] == [2, 1]


def test_permission_sets_are_provisioned_where_they_are_assigned(aws: Any, center: Center) -> None:
    aws.world.assign(DANA, "ReadOnlyAccess", STAGING)
    arn = aws.spec.permission_set_arn("ReadOnlyAccess")
    accounts = center.client.list_accounts_for_provisioned_permission_set(
        InstanceArn=aws.spec.instance_arn, PermissionSetArn=arn
    )
    sets = center.client.list_permission_sets_provisioned_to_account(
        InstanceArn=aws.spec.instance_arn, AccountId=STAGING
    )
    assert (accounts["AccountIds"], sets["PermissionSets"]) == ([STAGING], [arn])


def test_a_delegated_administrator_cannot_touch_the_management_account(aws: Any, center: Center) -> None:
    seed = WorldSpec.from_json(EXAMPLE.to_json())
    aws.reset(WorldSpec(**(vars(seed) | {"delegated_admin": True})))
    for call in (lambda: center.create(TargetId=aws.spec.management_account), lambda: center.of_principal(DANA)):
        with pytest.raises(ClientError) as caught:
            call()
        assert refused(caught) == "AccessDeniedException"
    assert center.create()["Status"] == "IN_PROGRESS"
    aws.world.assign("olu@example.com", "ReadOnlyAccess", aws.spec.management_account)
    with pytest.raises(ClientError):
        center.create(PrincipalId=aws.spec.user_id("olu@example.com"))


def test_the_instance_is_in_one_region(aws: Any, aws_client: Any) -> None:
    elsewhere = aws_client("sso-admin", region_name="us-east-1")
    assert elsewhere.list_instances()["Instances"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.list_permission_sets(InstanceArn=aws.spec.instance_arn)


def test_the_quota_of_calls(aws: Any, center: Center) -> None:
    aws.proxy.quota.monotonic_s = lambda: 0.0
    aws.proxy.quota.set(calls_per_second=5, outstanding_max=None)
    codes = []
    for _ in range(8):
        try:
            center.listed()
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes.count("ThrottlingException") == 3
    assert [record.fault for record in aws.proxy.log.calls()].count("quota") == len(codes)


def test_the_quota_of_operations(aws: Any, center: Center) -> None:
    aws.proxy.quota.set(calls_per_second=None, outstanding_max=1)
    aws.proxy.operations.default = Plan(stuck=True)
    center.create()
    with pytest.raises(ClientError) as caught:
        center.create(TargetId="111122223333")
    assert refused(caught) == "ThrottlingException"
    aws.proxy.operations.release()
    center.create(TargetId="111122223333")
