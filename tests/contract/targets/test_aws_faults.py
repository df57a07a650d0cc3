"""Every fault that the proxy can play, seen from a real boto3 client."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.support.waiting import PATIENCE_S, eventually

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
LOST = (ConnectionClosedError, ConnectionError)


@pytest.fixture(autouse=True)
def _full_pages(aws: Any) -> None:
    """What is looked at here is told from single pages; `test_aws_pages` has the others."""
    aws.proxy.pages.tear(None)


def put(client: Any, name: str = "prodaccess-PA-1") -> None:
    client.put_user_policy(UserName="dana", PolicyName=name, PolicyDocument=POLICY)


def policies(aws: Any) -> set[str]:
    return set(aws.world.iam_policies("dana"))


class Caller(threading.Thread):
    """A call in another thread, with what became of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call, self.error = call, None
        self.start()

    def run(self) -> None:
        try:
            self.call()
        except Exception as error:
            self.error = error

    def done(self) -> Any:
        self.join(PATIENCE_S)
        assert not self.is_alive()
        return self.error


@pytest.mark.parametrize(
    ("name", "iam_code", "sso_code"),
    [
        ("throttled", "Throttling", "ThrottlingException"),
        ("denied", "AccessDenied", "AccessDeniedException"),
        ("expired", "ExpiredToken", "ExpiredTokenException"),
        ("server_error", "ServiceFailure", "InternalServerException"),
        ("unavailable", "ServiceUnavailable", "ServiceUnavailable"),
        ("conflict", "ConcurrentModification", "ConflictException"),
        ("quota", "LimitExceeded", "ServiceQuotaExceededException"),
    ],
)
def test_errors_have_the_codes_of_their_service(
    aws: Any, aws_client: Any, name: str, iam_code: str, sso_code: str
) -> None:
    aws.proxy.error(name, times=2)
    for call, code in (
        (lambda: aws_client("iam").get_user(UserName="dana"), iam_code),
        (lambda: aws_client("sso-admin").list_instances(), sso_code),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
    aws_client("iam").get_user(UserName="dana")  # both are played out


def test_s3_errors_have_their_own_shape(aws: Any, aws_client: Any) -> None:
    s3 = aws_client("s3")
    aws.proxy.error("throttled", "s3:PutObject")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="prodaccess-audit", Key="seals/1", Body=b"x")
    assert caught.value.response["Error"]["Code"] == "SlowDown"
    s3.put_object(Bucket="prodaccess-audit", Key="seals/1", Body=b"x")
    assert s3.get_object(Bucket="prodaccess-audit", Key="seals/1")["Body"].read() == b"x"


def test_any_other_error_by_its_code(aws: Any, aws_client: Any) -> None:
    aws.proxy.error("EntityTemporarilyUnmodifiable", "PutUserPolicy", status=409, message="Not now")
    with pytest.raises(ClientError, match="Not now") as caught:
        put(aws_client("iam"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize("applied", [False, True])
def test_throttled_with_and_without_the_change_applied(aws: Any, aws_client: Any, applied: bool) -> None:
    aws.proxy.throttle("PutUserPolicy", applied=applied)
    with pytest.raises(ClientError, match="Throttling"):
        put(aws_client("iam"))
    assert policies(aws) == ({"prodaccess-PA-1"} if applied else set())


@pytest.mark.parametrize(("effect", "now", "later"), [("never", 0, 0), ("before", 1, 1), ("late", 0, 1)])
def test_a_call_that_hangs(aws: Any, aws_client: Any, effect: str, now: int, later: int) -> None:
    aws.proxy.hang("PutUserPolicy", effect=effect, seconds=1.5)
    with pytest.raises(ReadTimeoutError):
        put(aws_client("iam", read_timeout_s=0.2))
    assert len(policies(aws)) == now
    eventually(lambda: aws.proxy.log.calls("PutUserPolicy")[0].outcome == "dropped", "it has run out")
    assert len(policies(aws)) == later


@pytest.mark.parametrize(("effect", "count"), [("never", 0), ("before", 1)])
def test_a_connection_that_is_reset(aws: Any, aws_client: Any, effect: str, count: int) -> None:
    aws.proxy.reset_connection("PutUserPolicy", effect=effect)
    with pytest.raises(LOST):
        put(aws_client("iam"))
    assert len(policies(aws)) == count


def test_slow_calls(aws: Any, aws_client: Any) -> None:
    fault = aws.proxy.delay(0.1, "iam:*")
    started = time.monotonic()
    put(aws_client("iam"))
    assert time.monotonic() - started >= 0.1
    aws.proxy.faults.remove(fault)


def test_a_held_call_has_not_taken_effect_until_it_is_released(aws: Any, aws_client: Any) -> None:
    hold = aws.proxy.hold("PutUserPolicy")
    caller = Caller(lambda: put(aws_client("iam")))
    hold.wait_held()
    assert policies(aws) == set()
    aws_client("iam").get_user(UserName="dana")  # others go on meanwhile
    hold.release()
    assert caller.done() is None
    assert policies(aws) == {"prodaccess-PA-1"}


def test_a_held_call_lands_even_when_its_caller_is_gone(aws: Any, aws_client: Any) -> None:
    hold = aws.proxy.hold("PutUserPolicy")
    with pytest.raises(ReadTimeoutError):
        put(aws_client("iam", read_timeout_s=0.1))
    hold.wait_held()
    hold.release()
    eventually(lambda: policies(aws) == {"prodaccess-PA-1"}, "it lands")


def test_a_call_can_be_held_after_its_effect_and_dropped(aws: Any, aws_client: Any) -> None:
    hold = aws.proxy.hold("PutUserPolicy", effect="before")
    caller = Caller(lambda: put(aws_client("iam")))
    hold.wait_held()
    assert policies(aws) == {"prodaccess-PA-1"}
    hold.release(drop=True)
    assert isinstance(caller.done(), LOST)


def test_nobody_came_to_be_held(aws: Any) -> None:
    with pytest.raises(TimeoutError, match="PutUserPolicy"):
        aws.proxy.hold("PutUserPolicy").wait_held(0.01)


def test_reads_can_be_some_changes_old(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    put(iam, "one")
    put(iam, "two")
    aws.proxy.stale("ListUserPolicies", behind=1, times=1)
    aws.proxy.stale("ListUserPolicies", behind=2, times=1)
    seen = [iam.list_user_policies(UserName="dana")["PolicyNames"] for _ in range(3)]
    assert [sorted(names) for names in seen] == [["one"], [], ["one", "two"]]
    assert policies(aws) == {"one", "two"}


def test_reads_can_be_some_seconds_old(aws: Any, aws_client: Any) -> None:
    ids = aws_client("identitystore")
    store, group = aws.spec.identity_store_id, aws.spec.group_id("payments-readers")
    aws.proxy.stale("identitystore:*", seconds=1.5)
    ids.create_group_membership(
        IdentityStoreId=store, GroupId=group, MemberId={"UserId": aws.spec.user_id("dana@example.com")}
    )
    assert ids.list_group_memberships(IdentityStoreId=store, GroupId=group)["GroupMemberships"] == []
    assert aws.world.group_members("payments-readers") == {"dana@example.com"}
    eventually(
        lambda: ids.list_group_memberships(IdentityStoreId=store, GroupId=group)["GroupMemberships"], "it is seen"
    )


def test_a_status_can_be_stale_too(aws: Any, aws_client: Any) -> None:
    sso, spec = aws_client("sso-admin"), aws.spec
    operation = sso.create_account_assignment(
        InstanceArn=spec.instance_arn,
        TargetId="444455556666",
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=spec.permission_set_arn("ReadOnlyAccess"),
        PrincipalType="USER",
        PrincipalId=spec.user_id("dana@example.com"),
    )["AccountAssignmentCreationStatus"]["RequestId"]
    aws.proxy.stale(behind=1, times=1)
    look = {"InstanceArn": spec.instance_arn, "AccountAssignmentCreationRequestId": operation}
    statuses = [
        sso.describe_account_assignment_creation_status(**look)["AccountAssignmentCreationStatus"]["Status"]
        for _ in range(2)
    ]
    assert statuses == ["IN_PROGRESS", "SUCCEEDED"]


def test_faults_choose_their_calls(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    aws.proxy.throttle("changes", where={"PolicyName": "two"}, skip=1)
    put(iam, "one")
    put(iam, "two")  # skipped
    iam.list_user_policies(UserName="dana")
    with pytest.raises(ClientError):
        put(iam, "two")
    put(iam, "two")


def test_the_log_tells_what_was_called_and_what_took_effect(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    put(iam)
    since = time.monotonic()
    aws.proxy.throttle("PutUserPolicy", applied=True)
    with pytest.raises(ClientError):
        put(iam)
    with pytest.raises(ClientError):
        iam.get_user(UserName="nobody")
    first, second = aws.proxy.log.calls("iam:PutUserPolicy")
    assert (first.outcome, first.fault, first.arguments["UserName"]) == ("ok", "", "dana")
    assert (second.outcome, second.fault) == ("Throttling", "error")
    assert second.took_effect_at_s is not None
    assert aws.proxy.log.calls("GetUser")[0].outcome == "NoSuchEntity"
    assert aws.proxy.log.count("changes") == 2
    assert aws.proxy.log.counts(since) == {"iam:PutUserPolicy": 1, "iam:GetUser": 1}
