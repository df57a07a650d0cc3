"""The simulated world: what it refuses as AWS does, how it is seeded and read, and its control from other processes."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.sandbox.aws.evaluate import allows, ends_at
from bot.sandbox.aws.spec import EXAMPLE, AssignmentSpec, IamGroupSpec, IamUserSpec, PersonSpec, WorldSpec

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DANA = "dana@example.com"


@pytest.fixture(autouse=True)
def _full_pages(aws: Any) -> None:
    """What is looked at here is told from single pages; `test_aws_pages` has the others."""
    aws.proxy.pages.tear(None)


def until(end: datetime, **rest: Any) -> dict[str, Any]:
    condition = {"DateLessThan": {"aws:CurrentTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    statement = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::state/*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement | rest]}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_identity_store_look_ups(aws: Any, aws_client: Any) -> None:
    ids, store = aws_client("identitystore"), {"IdentityStoreId": aws.spec.identity_store_id}
    for path in ("emails.value", "userName"):
        found = ids.get_user_id(
            **store, AlternateIdentifier={"UniqueAttribute": {"AttributePath": path, "AttributeValue": DANA}}
        )
        assert found["UserId"] == aws.spec.user_id(DANA)
    group = ids.get_group_id(
        **store,
        AlternateIdentifier={
            "UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "payments-developers"}
        },
    )["GroupId"]
    assert group == aws.spec.group_id("payments-developers")
    assert len(ids.list_users(**store)["Users"]) == len(EXAMPLE.people)
    member = {"UserId": aws.spec.user_id(DANA)}
    answer = ids.is_member_in_groups(**store, MemberId=member, GroupIds=[group])["Results"]
    assert [entry["MembershipExists"] for entry in answer] == [True]
    assert len(ids.list_group_memberships_for_member(**store, MemberId=member)["GroupMemberships"]) == 1
    with pytest.raises(ClientError) as caught:
        ids.list_group_memberships_for_member(**store, MemberId={"UserId": "00000000-0000-0000-0000-000000000000"})
    assert code(caught) == "ResourceNotFoundException"


def test_memberships_are_made_once_and_deleted_once(aws: Any, aws_client: Any) -> None:
    ids, store = aws_client("identitystore"), {"IdentityStoreId": aws.spec.identity_store_id}
    wanted = {"GroupId": aws.spec.group_id("payments-readers"), "MemberId": {"UserId": aws.spec.user_id(DANA)}}
    membership = ids.create_group_membership(**store, **wanted)["MembershipId"]
    with pytest.raises(ClientError) as caught:
        ids.create_group_membership(**store, **wanted)
    assert code(caught) == "ConflictException"
    assert ids.get_group_membership_id(**store, **wanted)["MembershipId"] == membership
    ids.delete_group_membership(**store, MembershipId=membership)
    for call in (
        lambda: ids.delete_group_membership(**store, MembershipId=membership),
        lambda: ids.get_group_membership_id(**store, **wanted),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == "ResourceNotFoundException"


def test_iam_refuses_what_is_not_there(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    for call in (
        lambda: iam.delete_user_policy(UserName="dana", PolicyName="none"),
        lambda: iam.get_user_policy(UserName="dana", PolicyName="none"),
        lambda: iam.remove_user_from_group(UserName="dana", GroupName="payments-prod-deployers"),
        lambda: iam.get_user(UserName="nobody"),
        lambda: iam.add_user_to_group(UserName="dana", GroupName="none"),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == "NoSuchEntity"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_iam_groups_and_tags(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    assert {"Key": "prodaccess:person", "Value": DANA} in iam.get_user(UserName="dana")["User"]["Tags"]
    for _ in range(2):
        iam.add_user_to_group(UserName="dana", GroupName="payments-prod-deployers")
    assert aws.world.iam_group_members("payments-prod-deployers") == {"dana"}
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="dana")["Groups"]] == [
        "payments-prod-deployers"
    ]


def test_an_iam_user_has_2048_inline_characters_in_all_white_space_not_counted(aws: Any, aws_client: Any) -> None:
    iam = aws_client("iam")
    document = json.dumps(until(NOW, Sid="x" * 1000))
    iam.put_user_policy(UserName="dana", PolicyName="one", PolicyDocument=document)
    iam.put_user_policy(UserName="dana", PolicyName="one", PolicyDocument=json.dumps(json.loads(document), indent=40))
    with pytest.raises(ClientError, match="2048") as caught:
        iam.put_user_policy(UserName="dana", PolicyName="two", PolicyDocument=document)
    assert code(caught) == "LimitExceeded"
    assert set(aws.world.iam_policies("dana")) == {"one"}


def test_roles_of_other_accounts(aws: Any, aws_client: Any) -> None:
    sts = aws_client("sts")
    given = sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/prodaccess", RoleSessionName="prodaccess")
    keys = {
        "aws_access_key_id": given["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
        "aws_session_token": given["Credentials"]["SessionToken"],
    }
    assert aws_client("sts", **keys).get_caller_identity()["Account"] == "444455556666"
    aws_client("iam", **keys).put_user_policy(UserName="dana", PolicyName="p", PolicyDocument=json.dumps(until(NOW)))
    assert set(aws.world.iam_policies("dana", "444455556666")) == {"p"}
    assert aws.world.iam_policies("dana") == {}
    assert aws_client("sso-admin", **keys).list_instances()["Instances"][0]["InstanceArn"] == aws.spec.instance_arn
    with pytest.raises(ClientError) as caught:
        sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/unknown", RoleSessionName="prodaccess")
    assert code(caught) == "AccessDenied"


def test_object_lock_holds(aws: Any, aws_client: Any) -> None:
    s3 = aws_client("s3")
    version = s3.put_object(
        Bucket="prodaccess-audit",
        Key="seal",
        Body=b"x",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime(2099, 1, 1, tzinfo=UTC),
    )["VersionId"]
    with pytest.raises(ClientError) as caught:
        s3.delete_object(Bucket="prodaccess-audit", Key="seal", VersionId=version)
    assert code(caught) == "AccessDenied"


def test_a_policy_stops_allowing_at_its_end() -> None:
    policy, thing = until(NOW), "arn:aws:s3:::state/prod"
    assert allows(policy, "s3:GetObject", thing, NOW - timedelta(seconds=1))
    assert not allows(policy, "s3:GetObject", thing, NOW)
    assert not allows(policy, "s3:PutObject", thing, NOW - timedelta(seconds=1))
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::other/prod", NOW - timedelta(seconds=1))
    assert ends_at(policy) == NOW


def test_a_second_end_in_the_list_is_an_or_and_widens() -> None:
    widened = until(NOW)
    later = (NOW + timedelta(hours=1)).isoformat()
    times = widened["Statement"][0]["Condition"]["DateLessThan"]
    times["aws:CurrentTime"] = [times["aws:CurrentTime"], later]
    assert allows(widened, "s3:GetObject", "arn:aws:s3:::state/x", NOW)
    assert ends_at(widened) == NOW + timedelta(hours=1)
    endless = until(NOW)
    endless["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    assert ends_at(endless) is None


def test_a_denial_wins_and_an_unknown_operator_is_not_guessed() -> None:
    policy = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    assert allows(policy, "s3:GetObject", "x", NOW)
    assert not allows(policy, "iam:PutUserPolicy", "x", NOW)
    policy["Statement"].append({"Effect": "Deny", "Action": "s3:?etObject", "Resource": "*"})
    assert not allows(policy, "s3:GetObject", "x", NOW)
    odd = until(NOW, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    with pytest.raises(NotImplementedError):
        allows(odd, "s3:GetObject", "arn:aws:s3:::state/x", NOW)


def test_a_seed_survives_json_and_shows_in_the_world(aws: Any) -> None:
    spec = WorldSpec(
        permission_sets=EXAMPLE.permission_sets,
        people=(PersonSpec("amy@example.com"),),
        groups={"readers": ("amy@example.com",)},
        assignments=(AssignmentSpec("readers", "ReadOnlyAccess", "444455556666"),),
        iam_users=(IamUserSpec("amy", "amy@example.com", policies={"old": until(NOW)}),),
        iam_groups=(IamGroupSpec("ops", ("amy",)),),
    )
    assert WorldSpec.from_json(spec.to_json()) == spec
    aws.reset(spec)
    assert aws.world.who_has("ReadOnlyAccess", "444455556666") == {"amy@example.com"}
    assert aws.world.iam_policies("amy")["old"].ends_at == NOW
    truth = aws.world.as_json()
    assert truth["groups"] == {"readers": ["amy@example.com"]}
    assert truth["iam_groups"]["111122223333"] == {"ops": ["amy"]}
    with pytest.raises(ValueError, match="poeple"):
        WorldSpec.from_json('{"poeple": []}')


def test_changes_behind_the_bots_back(aws: Any) -> None:
    aws.world.assign(DANA, "ReadOnlyAccess", "444455556666")
    aws.world.unassign(DANA, "ReadOnlyAccess", "444455556666")
    aws.world.join(DANA, "payments-readers")
    assert aws.world.group_members("payments-readers") == {DANA}
    aws.world.leave(DANA, "payments-readers")
    assert aws.world.group_members("payments-readers") == set()
    assert aws.world.assignments() == set()


def test_a_process_of_its_own_under_remote_control(aws_client: Any, tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(EXAMPLE.to_json())
    command = [sys.executable, "-m", "bot.sandbox.aws", "--seed", str(seed), "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()

        def ask(method: str, path: str, data: Any = None) -> Any:
            body = json.dumps(data).encode() if data is not None else None
            request = urllib.request.Request(f"{url}/_proxy/{path}", body, method=method)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)

        sso = aws_client("sso-admin", endpoint_url=url)
        assert ask("GET", "health") == {"ok": True}
        ask("POST", "operations/plan", {"stuck": True})
        sso.create_account_assignment(
            InstanceArn=EXAMPLE.instance_arn,
            TargetId="444455556666",
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=EXAMPLE.permission_set_arn("ReadOnlyAccess"),
            PrincipalType="USER",
            PrincipalId=EXAMPLE.user_id(DANA),
        )
        assert ask("GET", "world")["assignments"] == []
        assert ask("POST", "operations/release", {}) == {"released": 1}
        assert ask("GET", "world")["assignments"][0]["principal"] == DANA
        ask("POST", "world", {"do": "join", "with": [DANA, "payments-readers"]})
        fault = ask("POST", "faults", {"kind": "error", "code": "throttled", "action": "ListInstances"})["id"]
        with pytest.raises(ClientError, match="ThrottlingException"):
            sso.list_instances()
        assert ask("GET", f"faults/{fault}")["played"] == 1
        held = ask("POST", "faults", {"kind": "hold", "action": "ListInstances", "effect": "late"})["id"]
        ask("POST", f"faults/{held}/release", {})
        sso.list_instances()
        assert ask("GET", f"faults/{held}?wait_s=1")["arrived"] == 1
        ask("POST", "quota", {"calls_per_second": 1000})
        ask("DELETE", "quota")
        log = ask("GET", "log?pattern=sso-admin:*")
        assert log["counts"]["sso-admin:ListInstances"] == 2
        assert log["now_s"] >= log["calls"][-1]["at_s"] > time.monotonic() - 60
        ask("POST", "reset", {})
        assert ask("GET", "world")["assignments"] == []
        process.communicate()
    assert process.returncode == 0


def test_what_is_seeded_again_has_the_ids_that_it_had(aws: Any, aws_client: Callable[..., Any]) -> None:
    iam = aws_client("iam")

    def ids() -> dict[str, str]:
        return {user["UserName"]: user["UserId"] for user in iam.list_users()["Users"]}

    before = ids()
    aws.reset()
    assert ids() == before
    iam.create_user(UserName="another")
    assert len(set(ids().values())) == len(before) + 1
