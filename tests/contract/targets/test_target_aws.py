"""What only some kinds have, on simulated AWS: slow operations, other people's access, quotas, credentials, call counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader

from bot.sandbox.aws.evaluate import ends_at
from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.spec import EXAMPLE, PersonSpec
from tests.contract.targets.target_rigs import DOCUMENT, PERSON, UNTIL, AwsRig, terms
from workflows.core.people import person_id
from workflows.core.records.target import Operation, OperationKind, OperationState, Presence, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import LeaseOver, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import Place, session_for
from workflows.targets.aws.errors import Throttled, translate
from workflows.targets.aws.iam_policy import CHANGED
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection

ACCOUNT = "111122223333"
MAIN = AwsConnection("main", "aws", "eu-central-1")


@pytest.fixture
def center(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IDENTITY_CENTER, aws)


@pytest.fixture
def group(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IDENTITY_CENTER_GROUP, aws)


@pytest.fixture
def policy(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IAM_POLICY, aws)


@pytest.fixture
def iam_group(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IAM_GROUP, aws)


def refusal(rig: AwsRig, person: str = PERSON, **changed: Any) -> Refused:
    found = rig.target.resolve(terms(rig.kind, **changed), person_id(person), "PA-1")
    assert isinstance(found, Refused)
    return found


def test_what_the_log_of_aws_calls_person_and_permission_set_is_kept_with_the_ids(
    center: AwsRig, group: AwsRig
) -> None:
    assert center.resource().names == {"user_name": PERSON, "permission_set": "ReadOnlyAccess"}
    assert group.resource().names == {"user_name": PERSON}


# ---------------------------------------------------------------- asynchronous operations


def test_an_assignment_is_in_progress_then_succeeded(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.operations.plan(Plan(polls=2))
    started = center.target.grant(resource, UNTIL, center.ok)
    assert started.state is OperationState.IN_PROGRESS
    assert started.id
    assert center.target.observe(resource).presence is Presence.ABSENT
    assert center.target.poll(resource, started).state is OperationState.IN_PROGRESS
    assert center.settled(resource, started) == Operation(OperationKind.GRANT, OperationState.SUCCEEDED, started.id)
    assert center.target.observe(resource).presence is Presence.PRESENT


def test_an_assignment_that_fails_says_why(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.operations.plan(Plan(status="FAILED", reason="Cannot exceed quota for RolesPerAccount: 1000"))
    ended = center.settled(resource, center.target.grant(resource, UNTIL, center.ok))
    assert ended.state is OperationState.FAILED
    assert ended.error == "Cannot exceed quota for RolesPerAccount: 1000"
    assert center.target.observe(resource).presence is Presence.ABSENT


def test_a_removal_that_fails_is_not_taken_for_done(center: AwsRig, aws: Any) -> None:
    resource = center.given()
    aws.proxy.operations.plan(Plan(status="FAILED", reason="Received a 500 status error: internal error"))
    ended = center.settled(resource, center.target.revoke(resource, center.ok))
    assert ended.state is OperationState.FAILED
    assert center.target.observe(resource).presence is Presence.PRESENT


@pytest.mark.parametrize("how", ["failed", "succeeded", "not_found"])
def test_a_removal_of_nothing_succeeds_however_aws_says_it(center: AwsRig, aws: Any, how: Any) -> None:
    resource = center.resource()
    aws.proxy.operations.missing_delete = how
    ended = center.settled(resource, center.target.revoke(resource, center.ok))
    assert ended.state is OperationState.SUCCEEDED


def test_two_operations_about_one_thing_are_a_matter_of_waiting(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.operations.plan(Plan(stuck=True))
    center.target.grant(resource, UNTIL, center.ok)
    with pytest.raises(TargetThrottled):
        center.target.grant(resource, UNTIL, center.ok)


def test_the_quota_of_outstanding_operations_is_a_matter_of_waiting(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.quota.set(outstanding_max=0)
    with pytest.raises(TargetThrottled):
        center.target.grant(resource, UNTIL, center.ok)
    aws.proxy.quota.off()
    message = "The maximum of 10 outstanding operations is reached"
    aws.proxy.error("ServiceQuotaExceededException", "changes", status=402, message=message)
    with pytest.raises(TargetThrottled):
        center.target.grant(resource, UNTIL, center.ok)


def test_an_operation_that_aws_has_forgotten_has_failed(center: AwsRig) -> None:
    resource = center.resource()
    lost = Operation(OperationKind.GRANT, OperationState.IN_PROGRESS, "00000000-0000-0000-0000-000000000000")
    assert center.target.poll(resource, lost).state is OperationState.FAILED


# ---------------------------------------------------------------- access that is not ours


def test_access_through_a_group_is_told_but_not_taken_for_ours(center: AwsRig, aws: Any) -> None:
    aws.world.assign("payments-developers", "ReadOnlyAccess", ACCOUNT)
    resource = center.resource()
    seen = center.target.observe(resource)
    assert seen.presence is Presence.ABSENT
    assert seen.through == "group " + aws.spec.group_id("payments-developers")
    aws.world.assign(PERSON, "ReadOnlyAccess", ACCOUNT)
    both = center.target.observe(resource)
    assert both.presence is Presence.PRESENT
    assert both.through == seen.through


@pytest.mark.parametrize("through", [True, False])
def test_a_delegated_administrator_sees_the_same(aws: Any, through: bool) -> None:
    aws.reset(replace(EXAMPLE, delegated_admin=True))
    center = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    aws.world.assign("payments-developers" if through else "payments-readers", "ReadOnlyAccess", ACCOUNT)
    resource = center.resource()
    seen = center.target.observe(resource)
    assert seen.presence is Presence.ABSENT
    assert (seen.through is not None) is through
    center.given()
    assert center.target.observe(resource).presence is Presence.PRESENT
    assert aws.proxy.log.count("ListAccountAssignmentsForPrincipal") == 1


def test_the_last_holder_is_warned_of_the_role_that_goes(center: AwsRig, aws: Any) -> None:
    warned = center.resource().warning
    assert warned is not None
    assert "ReadOnlyAccess" in warned
    aws.world.assign("olu@example.com", "AdministratorAccess", ACCOUNT)
    assert center.resource(permission_set="AdministratorAccess").warning is None


def test_the_session_may_outlive_the_end_as_long_as_the_permission_set_says(center: AwsRig) -> None:
    assert center.resource().session_s == 3600
    assert center.resource(permission_set="AdministratorAccess").session_s == 4 * 3600


def test_a_policy_that_somebody_changed_is_there_with_a_note(policy: AwsRig, aws_client: Any) -> None:
    resource = policy.given()
    wider = DOCUMENT.replace("s3:ListBucket", "s3:*")
    aws_client("iam").put_user_policy(UserName="dana", PolicyName="prodaccess-PA-1042", PolicyDocument=wider)
    seen = policy.target.observe(resource)
    assert (seen.presence, seen.until, seen.detail) == (Presence.PRESENT, None, CHANGED)


# ---------------------------------------------------------------- the target's own end


def test_each_statement_ends_by_itself_and_not_late(policy: AwsRig, aws: Any) -> None:
    policy.given()
    written = aws.world.iam_policies("dana")["prodaccess-PA-1042"]
    assert written.ends_at == UNTIL.replace(microsecond=0)
    for statement in written.document["Statement"]:
        alone = {"Version": "2012-10-17", "Statement": [statement]}
        assert ends_at(alone) == UNTIL.replace(microsecond=0)
    assert written.document["Statement"][1]["Condition"]["StringEquals"] == {"aws:RequestedRegion": "eu-central-1"}


def test_an_extension_moves_the_end_in_place(policy: AwsRig, aws: Any) -> None:
    resource, later = policy.given(), UNTIL + timedelta(hours=1)
    policy.target.grant(resource, later, policy.ok)
    assert list(aws.world.iam_policies("dana")) == ["prodaccess-PA-1042"]
    assert policy.target.observe(resource).until == later.replace(microsecond=0)


def test_overlapping_grants_are_policies_of_their_own(policy: AwsRig, aws: Any) -> None:
    one, two = policy.resource("PA-1"), policy.resource("PA-2")
    for resource in (one, two):
        policy.target.grant(resource, UNTIL, policy.ok)
    policy.target.revoke(one, policy.ok)
    assert list(aws.world.iam_policies("dana")) == ["prodaccess-PA-2"]


def test_no_room_is_said_with_the_numbers_before_anybody_is_asked(policy: AwsRig, aws_client: Any) -> None:
    big = DOCUMENT.replace("arn:aws:s3:::state/*", "arn:aws:s3:::" + "x" * 1600)
    aws_client("iam").put_user_policy(UserName="dana", PolicyName="standing", PolicyDocument=big)
    refused = refusal(policy)
    assert refused.code is Code.TARGET_NO_ROOM
    assert int(refused.params["needed"]) > int(refused.params["left"]) >= 0
    assert refused.params["limit"] == "2048"


def test_blanks_of_other_policies_take_no_room(policy: AwsRig, aws_client: Any) -> None:
    padded = DOCUMENT.replace('"Statement"', " " * 1800 + '"Statement"')
    aws_client("iam").put_user_policy(UserName="dana", PolicyName="standing", PolicyDocument=padded)
    assert policy.given().ids["policy"] == "prodaccess-PA-1042"


# ---------------------------------------------------------------- people and things


def test_two_people_with_one_address_are_refused(aws: Any) -> None:
    twins = (PersonSpec("Ana@example.com", user_name="ana1"), PersonSpec("ANA@example.com", user_name="ana2"))
    aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, *twins)))
    refused = refusal(AwsRig(AwsKind.IDENTITY_CENTER, aws), "ana@example.com")
    assert refused.code is Code.TARGET_PERSON_AMBIGUOUS


def test_a_person_is_found_whatever_capitals_the_directory_has(aws: Any) -> None:
    aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, PersonSpec("Ana@Example.com"))))
    center = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    found = center.target.resolve(terms(center.kind), person_id("ana@example.com"), "PA-1")
    assert isinstance(found, Resource)
    assert found.ids["user"] == aws.spec.user_id("Ana@Example.com")


@pytest.mark.parametrize("kind", [AwsKind.IAM_POLICY, AwsKind.IAM_GROUP])
def test_an_iam_user_of_somebody_else_is_refused(aws: Any, kind: AwsKind) -> None:
    refused = refusal(AwsRig(kind, aws), "olu@example.com")
    assert refused.code is Code.TARGET_PERSON_NOT_TAGGED
    assert refused.params["user"] == "dana"


@pytest.mark.parametrize("kind", [AwsKind.IAM_POLICY, AwsKind.IAM_GROUP])
def test_a_user_made_anew_under_the_name_gets_nothing(aws: Any, aws_client: Any, kind: AwsKind) -> None:
    rig, iam = AwsRig(kind, aws), aws_client("iam")
    resource = rig.resource()
    iam.delete_user(UserName="dana")
    iam.create_user(UserName="dana", Tags=[{"Key": "prodaccess:person", "Value": PERSON}])
    before = rig.changes()
    with pytest.raises(TargetRefused, match="not the one that was approved"):
        rig.target.grant(resource, UNTIL, rig.ok)
    assert rig.changes() == before


def test_a_user_whose_tag_was_taken_away_gets_nothing(policy: AwsRig, aws_client: Any) -> None:
    resource = policy.resource()
    aws_client("iam").untag_user(UserName="dana", TagKeys=["prodaccess:person"])
    with pytest.raises(TargetRefused, match="no longer carries the tag"):
        policy.target.grant(resource, UNTIL, policy.ok)


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (AwsKind.IDENTITY_CENTER, {"permission_set": "Nothing"}),
        (AwsKind.IDENTITY_CENTER, {"instance_arn": "arn:aws:sso:::instance/ssoins-0000000000000000"}),
        (AwsKind.IDENTITY_CENTER, {"region": "us-east-1"}),
        (AwsKind.IDENTITY_CENTER_GROUP, {"group": "nobodies"}),
        (AwsKind.IAM_GROUP, {"group": "nobodies"}),
    ],
)
def test_what_the_policy_names_and_aws_has_not_is_refused(aws: Any, kind: AwsKind, changed: dict[str, str]) -> None:
    assert refusal(AwsRig(kind, aws), **changed).code is Code.TARGET_THING_MISSING


def test_a_permission_set_may_be_given_by_arn(center: AwsRig, aws: Any) -> None:
    arn = aws.spec.permission_set_arn("ReadOnlyAccess")
    assert center.resource(permission_set=arn).holding == center.resource().holding


def test_a_person_who_left_fails_with_a_reason(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.world.remove_person(PERSON)
    ended = center.settled(resource, center.target.grant(resource, UNTIL, center.ok))
    assert ended.state is OperationState.FAILED
    assert "not found" in (ended.error or "")


# ---------------------------------------------------------------- calls


COUNTS = {
    # observe, grant, revoke
    AwsKind.IDENTITY_CENTER: (1, 1, 1),
    AwsKind.IDENTITY_CENTER_GROUP: (1, 1, 2),
    AwsKind.IAM_POLICY: (1, 2, 1),
    AwsKind.IAM_GROUP: (1, 3, 1),
    AwsKind.IAM_ROLE_POLICY: (1, 2, 1),
}


@pytest.mark.parametrize("kind", list(AwsKind))
def test_calls_do_not_grow_with_what_else_is_there(aws: Any, aws_client: Any, kind: AwsKind) -> None:
    crowd = tuple(PersonSpec(f"p{number}@example.com") for number in range(30))
    aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, *crowd)))
    iam = aws_client("iam")
    for number, person in enumerate(crowd):
        aws.world.assign(person.email, "ReadOnlyAccess", ACCOUNT)
        aws.world.join(person.email, "payments-readers")
        aws.world.assign(PERSON, "AdministratorAccess", f"{number:012}")
        iam.create_user(UserName=f"p{number}")
        iam.add_user_to_group(UserName=f"p{number}", GroupName="payments-prod-deployers")
    rig = AwsRig(kind, aws)
    resource, counts = rig.resource(), []
    for call in (
        rig.target.observe,
        lambda r: rig.target.grant(r, UNTIL, rig.ok),
        lambda r: rig.target.revoke(r, rig.ok),
    ):
        before = rig.calls()
        call(resource)
        counts.append(rig.calls() - before)
    assert tuple(counts) == COUNTS[kind]


def test_a_later_life_on_identity_center_costs_no_look_ups(center: AwsRig) -> None:
    center.resource()
    before = center.calls()
    center.resource("PA-2")
    assert center.calls() == before


def test_every_call_is_taken_from_the_connections_bucket(center: AwsRig) -> None:
    center.given()
    assert center.buckets.taken == {"aws:sso:main": center.aws.proxy.log.count()}


def test_nothing_is_called_while_the_bucket_says_wait(center: AwsRig) -> None:
    resource, before = center.resource(), center.calls()
    center.buckets.wait_s = 0.7
    for call in (center.target.observe, lambda r: center.target.grant(r, UNTIL, center.ok)):
        with pytest.raises(TargetThrottled) as caught:
            call(resource)
        assert caught.value.after_s == 0.7
    assert center.calls() == before


def test_throttling_holds_up_everybody_who_shares_the_quota(center: AwsRig) -> None:
    resource = center.resource()
    center.throttle("observe")
    with pytest.raises(TargetThrottled) as caught:
        center.target.observe(resource)
    assert caught.value.after_s == 1.0
    assert center.buckets.blocked == {"aws:sso:main": 0.25}, "AWS named no time, and others may have more luck"
    assert center.buckets.spent == {"aws:sso:main"}


def test_a_time_that_aws_names_holds_up_everybody_for_as_long() -> None:
    def answer(headers: dict[str, str]) -> TargetThrottled:
        metadata = {"HTTPStatusCode": 400, "HTTPHeaders": headers}
        error = ClientError({"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": metadata}, "ListInstances")
        found = translate(error, "sso-admin ListInstances")
        assert isinstance(found, TargetThrottled)
        return found

    named = answer({"retry-after": "7"})
    assert (named.after_s, isinstance(named, Throttled)) == (7.0, False)
    for odd in ({}, {"retry-after": "soon"}, {"retry-after": "nan"}):
        unnamed = answer(odd)
        assert (unnamed.after_s, isinstance(unnamed, Throttled)) == (1.0, True)


# ---------------------------------------------------------------- the lease


def test_a_changing_call_without_a_lease_is_not_sent(center: AwsRig) -> None:
    resource = center.resource()
    client = center.targets.links.to(Place.of_terms(resource.target)).store.open()
    before = center.calls()
    with pytest.raises(LeaseOver):
        client.create_group(IdentityStoreId="d-9967012345", DisplayName="x")
    assert center.calls() == before


def test_leases_of_threads_that_share_a_client_stay_apart(policy: AwsRig) -> None:
    resource, together = policy.given(), threading.Barrier(8)

    def one(number: int) -> bool:
        def before_send() -> None:
            together.wait(10)
            if number % 2:
                raise LeaseOver

        try:
            policy.target.grant(resource, UNTIL, before_send)
        except LeaseOver:
            return False
        return True

    before = policy.changes()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [number % 2 == 0 for number in range(8)]
    assert policy.changes() - before == 4


# ---------------------------------------------------------------- credentials and words


def test_a_connection_with_a_role_works_in_the_roles_account(aws: Any) -> None:
    rig = AwsRig(AwsKind.IAM_POLICY, aws)
    other = {"role_arn": "arn:aws:iam::444455556666:role/prodaccess", "external_id": "e-77", "connection": "staging"}
    resource = rig.resource(**other)
    rig.target.grant(resource, UNTIL, rig.ok)
    assert resource.ids["account"] == "444455556666"
    assert "prodaccess-PA-1042" in aws.world.iam_policies("dana", "444455556666")
    assert aws.world.iam_policies("dana") == {}
    assert aws.proxy.log.calls("AssumeRole")[0].arguments["ExternalId"] == "e-77"
    assert aws.proxy.log.count("AssumeRole") == 1


def test_a_role_that_may_not_be_assumed_is_refused_in_words(aws: Any) -> None:
    refused = refusal(AwsRig(AwsKind.IAM_POLICY, aws), role_arn="arn:aws:iam::444455556666:role/nobody")
    assert refused.code is Code.TARGET_REFUSED
    assert "AssumeRole" in refused.params["words"]


def test_a_profile_that_is_not_there_is_refused_in_words(aws: Any) -> None:
    rig = AwsRig(AwsKind.IAM_POLICY, aws)
    assert "credentials" in refusal(rig, profile="nobody").params["words"]
    assert len(rig.targets.warm([MAIN, replace(MAIN, name="other", profile="nobody")])) == 1


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "ExpiredTokenException", "ValidationException"])
def test_words_for_people_hold_no_secret(center: AwsRig, aws: Any, code: str) -> None:
    resource, token = center.resource(), "IQoJb3JpZ2luX2VjEJr" + "A1b2" * 40
    leak = f"Canonical String:\nx-amz-security-token:{token}\nAKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    aws.proxy.error(code, "changes", status=403, message=leak)
    with pytest.raises(TargetRefused) as caught:
        center.target.grant(resource, UNTIL, center.ok)
    assert token not in caught.value.words
    assert "AKIAIOSFODNN7EXAMPLE" not in caught.value.words
    assert "wJalrXUtnFEMI" not in caught.value.words
    assert "By hand: " in caught.value.words
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", list(AwsKind))
@pytest.mark.parametrize("fault", ["server_error", "unavailable"])
def test_an_error_of_aws_itself_is_in_doubt(aws: Any, kind: AwsKind, fault: str) -> None:
    rig = AwsRig(kind, aws)
    resource = rig.resource()
    aws.proxy.error(fault, "changes", applied=True)
    with pytest.raises(TargetInDoubt):
        rig.target.grant(resource, UNTIL, rig.ok)


def test_a_limit_of_aws_is_a_refusal_with_its_words(iam_group: AwsRig, aws_client: Any) -> None:
    iam, resource = aws_client("iam"), iam_group.resource()
    for number in range(10):
        iam.create_group(GroupName=f"g{number}")
        iam.add_user_to_group(GroupName=f"g{number}", UserName="dana")
    with pytest.raises(TargetRefused, match="GroupsPerUser"):
        iam_group.target.grant(resource, UNTIL, iam_group.ok)


def test_a_membership_that_is_being_changed_is_a_matter_of_waiting(group: AwsRig, aws: Any) -> None:
    resource = group.resource()
    aws.proxy.error("conflict", "changes")
    with pytest.raises(TargetThrottled):
        group.target.grant(resource, UNTIL, group.ok)


def test_a_kept_connection_that_was_closed_is_opened_again_for_reads(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.reset_connection("reads")
    assert center.target.observe(resource).presence is Presence.ABSENT


def test_credentials_of_a_role_are_fetched_only_when_needed(aws: Any) -> None:
    session_for(Place("main", "eu-central-1", role_arn="arn:aws:iam::444455556666:role/prodaccess")).client("iam")
    assert aws.proxy.log.count("AssumeRole") == 0


# ---------------------------------------------------------------- groups of the policy


def test_members_of_a_policy_group_are_addresses(center: AwsRig, aws: Any) -> None:
    members = center.targets.groups.members(MAIN, "payments-developers").addresses
    assert members == {"dana@example.com", "dev@example.com"}
    before = center.calls()
    center.targets.groups.members(MAIN, "payments-developers")
    assert center.calls() - before == 1


def test_a_large_group_is_read_in_few_calls(aws: Any) -> None:
    crowd = tuple(PersonSpec(f"p{number}@example.com") for number in range(120))
    groups = {"everybody": tuple(person.email for person in crowd)}
    aws.reset(replace(EXAMPLE, people=crowd, groups=groups, iam_users=(), iam_groups=()))
    rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    assert len(rig.targets.groups.members(MAIN, "everybody").addresses) == 120
    assert rig.calls() <= 6


def test_a_group_that_is_not_there_is_an_error_and_not_nobody(center: AwsRig) -> None:
    with pytest.raises(TargetRefused, match="nobodies"):
        center.targets.groups.members(MAIN, "nobodies")


def test_an_end_in_any_time_zone_is_written_in_utc(policy: AwsRig) -> None:
    resource = policy.given(until=datetime.fromisoformat("2030-01-01T14:00:00+02:00"))
    assert policy.target.observe(resource).until == datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_what_services_there_are_is_read_once_for_all_connections(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session_for(Place("main", "eu-central-1")).client("iam").close()
    reads: list[str] = []
    original = JSONFileLoader.load_file

    def counted(loader: JSONFileLoader, path: str) -> Any:
        reads.append(path)
        return original(loader, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    role = "arn:aws:iam::444455556666:role/prodaccess"
    session_for(Place("other", "eu-west-1", role_arn=role)).client("iam").close()
    assert reads == []


def test_every_call_says_that_it_is_ours(aws: Any) -> None:
    """Operators look for it in CloudTrail."""
    rig, said = AwsRig(AwsKind.IDENTITY_CENTER, aws), []
    resource = rig.given()
    events = rig.target.link(resource.target).sso.open().meta.events
    events.register_first("before-send", lambda request, **_: said.append(request.headers["User-Agent"]))
    rig.target.observe(resource)
    assert said == [f"Boto3/{boto3.__version__} prodaccess Botocore/{botocore.__version__}".encode()]
