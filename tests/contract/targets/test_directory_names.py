"""From an address to a user of Identity Center: made a moment ago, made anew, without e-mail, twice; and what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.spec import EXAMPLE, PersonSpec
from tests.contract.targets.target_rigs import PERSON, UNTIL, AwsRig, terms
from workflows.core.identity import Address
from workflows.core.people import Listed
from workflows.core.records.target import OperationState, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import Place
from workflows.targets.aws.identity_store import _store_user
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection

BOTH = ("email", "user_name")
ANA = Address("ana@example.com")


@pytest.fixture
def center(aws: Any) -> AwsRig:
    return AwsRig(AwsKind.IDENTITY_CENTER, aws)


def found(rig: AwsRig, person: Address = ANA, **changed: Any) -> Resource | Refused:
    return rig.target.resolve(terms(rig.kind, **changed), person, "PA-1")


def user(rig: AwsRig, person: Address = ANA, **changed: Any) -> str:
    resource = found(rig, person, **changed)
    assert isinstance(resource, Resource), resource
    return resource.ids["user"]


def code(rig: AwsRig, person: Address = ANA, **changed: Any) -> Code:
    refused = found(rig, person, **changed)
    assert isinstance(refused, Refused), refused
    return refused.code


# ---------------------------------------------------------------- news of the directory


@pytest.mark.parametrize("spec", [PersonSpec(ANA), PersonSpec("Ana@Example.com")], ids=["as typed", "other capitals"])
def test_somebody_who_is_added_after_a_miss_is_there_at_the_next_ask(
    center: AwsRig, aws: Any, spec: PersonSpec
) -> None:
    assert code(center) is Code.TARGET_PERSON_MISSING
    aws.world.add_person(spec)
    assert user(center) == spec.id


def test_a_failed_operation_makes_a_user_who_was_made_anew_known(center: AwsRig, aws: Any) -> None:
    old = center.resource()
    aws.world.remove_person(PERSON)
    aws.world.add_person(PersonSpec(PERSON), "00000000-0000-0000-0000-00000000000a")
    ended = center.settled(old, center.target.grant(old, UNTIL, center.ok))
    assert ended.state is OperationState.FAILED
    assert center.resource().ids["user"] == "00000000-0000-0000-0000-00000000000a"


def test_whatever_an_operation_failed_of_names_are_looked_up_anew(center: AwsRig, aws: Any) -> None:
    resource = center.resource()
    aws.proxy.operations.plan(Plan(status="FAILED", reason="Something about the assignee"))
    center.settled(resource, center.target.grant(resource, UNTIL, center.ok))
    before = center.calls()
    assert center.resource() == resource
    assert center.calls() > before


def test_a_group_made_anew_is_found_by_its_next_id(aws: Any, aws_client: Any) -> None:
    rig, store = AwsRig(AwsKind.IDENTITY_CENTER_GROUP, aws), aws_client("identitystore")
    old = rig.resource()
    store.delete_group(IdentityStoreId=aws.spec.identity_store_id, GroupId=old.ids["group"])
    made = store.create_group(IdentityStoreId=aws.spec.identity_store_id, DisplayName="payments-readers")["GroupId"]
    with pytest.raises(TargetRefused, match="Ask again"):
        rig.target.grant(old, UNTIL, rig.ok)
    assert rig.resource().ids["group"] == made


def test_a_permission_set_made_anew_is_found_by_its_next_id(center: AwsRig, aws: Any) -> None:
    old = center.resource()
    (entry,) = [each for each in aws.proxy.state.sso.permission_sets if each.name == "ReadOnlyAccess"]
    entry.permission_set_arn = entry.permission_set_arn[:-4] + "0000"
    with pytest.raises(TargetRefused, match="Ask again"):
        center.target.grant(old, UNTIL, center.ok)
    assert center.resource().ids["permission_set"] == entry.permission_set_arn


# ---------------------------------------------------------------- a user that is somebody's already


def test_a_user_that_is_known_costs_one_look_and_lists_nobody(center: AwsRig, aws: Any) -> None:
    first = center.resource()
    before = aws.proxy.log.counts()
    assert isinstance(center.found_anew(first), Resource)
    after = aws.proxy.log.counts()
    looked = {name: count - before.get(name, 0) for name, count in after.items() if name.startswith("identitystore:")}
    assert {name: count for name, count in looked.items() if count} == {"identitystore:DescribeUser": 1}


def test_a_user_that_is_known_costs_nothing_in_a_later_life(center: AwsRig) -> None:
    first = center.resource()
    before = center.calls()
    again = center.target.resolve(terms(center.kind), PERSON, "PA-2", {first.place: first.user_id})
    assert (again, center.calls()) == (first, before)


@pytest.mark.parametrize("fault", ["throttle", "reset_connection", "denied"])
def test_a_look_by_id_that_fails_is_no_reason_to_look_by_address(center: AwsRig, aws: Any, fault: str) -> None:
    first = center.resource()
    center.make_anew()
    before = aws.proxy.log.counts()
    if fault == "denied":
        aws.proxy.error("denied", "DescribeUser", times=9)
        assert isinstance(center.found_anew(first), Refused)
    else:
        getattr(aws.proxy, fault)("DescribeUser", times=9)
        with pytest.raises((TargetThrottled, TargetInDoubt)):
            center.found_anew(first)
    after = aws.proxy.log.counts()
    for name in ("identitystore:ListUsers", "identitystore:GetUserId"):
        assert after.get(name, 0) == before.get(name, 0)


def test_a_user_that_is_gone_is_forgotten_by_its_address_too(center: AwsRig) -> None:
    """Whoever was found by the address within the last minutes is the very one that is gone."""
    first = center.resource()
    names = center.targets.links.to(Place.of_terms(first.target)).names
    names.drop(("names", first.place.rpartition(":")[2], first.user_id))
    center.make_anew()
    found = center.target.resolve(terms(center.kind), PERSON, "PA-2", {first.place: first.user_id})
    assert isinstance(found, Resource)
    assert found.user_id != first.user_id


def test_a_user_that_is_disabled_is_there_and_not_to_be_used(center: AwsRig, aws: Any) -> None:
    first = center.resource()
    names, store = center.targets.links.to(Place.of_terms(first.target)).names, first.place.rpartition(":")[2]
    off = _store_user({"UserId": first.user_id, "UserName": PERSON, "UserStatus": "DISABLED"})
    names.put(("names", store, first.user_id), off, 600.0)
    aws.world.add_person(PersonSpec(PERSON, user_name="dana2"), "00000000-0000-0000-0000-00000000000c")
    refused = center.target.resolve(terms(center.kind), PERSON, "PA-2", {first.place: first.user_id})
    assert isinstance(refused, Refused)
    assert (refused.code, refused.params["disabled"]) == (Code.TARGET_PERSON_MISSING, first.user_id)


# ---------------------------------------------------------------- which name is an address


def with_people(aws: Any, *people: PersonSpec) -> AwsRig:
    aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, *people)))
    return AwsRig(AwsKind.IDENTITY_CENTER, aws)


SCIM = PersonSpec(ANA, mail=False)


def test_a_user_without_e_mail_is_found_where_the_user_name_counts(aws: Any) -> None:
    rig = with_people(aws, SCIM)
    assert user(rig, match=BOTH) == user(rig, match=("user_name",)) == SCIM.id
    refused = found(rig)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.params["setting"]) == (Code.TARGET_PERSON_MISSING, "match: [email, user_name]")


def test_a_user_without_e_mail_who_is_added_after_a_miss_is_found(center: AwsRig, aws: Any) -> None:
    assert code(center, match=BOTH) is Code.TARGET_PERSON_MISSING
    aws.world.add_person(SCIM)
    assert user(center, match=BOTH) == SCIM.id


def test_the_user_name_of_somebody_says_nothing_where_the_e_mail_alone_counts(aws: Any) -> None:
    rig = with_people(aws, PersonSpec("other@example.com", user_name=ANA))
    assert code(rig) is Code.TARGET_PERSON_MISSING
    assert user(rig, Address("other@example.com")) == aws.spec.user_id("other@example.com")


@pytest.mark.parametrize(
    "twins",
    [
        (PersonSpec(ANA, user_name="ana1"), PersonSpec("Ana@example.com", user_name="ana2")),
        (PersonSpec(ANA, user_name="ana1"), PersonSpec("other@example.com", user_name="ANA@example.com")),
        (PersonSpec(ANA, user_name="ana1"), PersonSpec("Ana@Example.com", user_name="x@example.com", mail=False)),
    ],
    ids=["two e-mails", "an e-mail and a user name", "one of them has no e-mail"],
)
def test_an_address_of_two_users_is_refused_and_never_the_first_one_taken(
    aws: Any, twins: tuple[PersonSpec, PersonSpec]
) -> None:
    first, second = (with_people(aws, *order) for order in (twins, twins[::-1]))
    carried = sum((twin.email.lower() if twin.mail else "") == ANA or twin.user_name.lower() == ANA for twin in twins)
    for rig in (first, second):
        if carried == 2:
            assert code(rig, match=BOTH) is Code.TARGET_PERSON_AMBIGUOUS
        else:
            assert user(rig, match=BOTH) == twins[0].id


def test_members_of_a_policys_group_go_by_the_names_that_count(aws: Any) -> None:
    groups = {"all": (ANA, PERSON)}
    aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, SCIM), groups=groups))
    rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    main = AwsConnection("main", "aws", "eu-central-1")
    found = rig.targets.groups.members(main, "all")
    assert (found.addresses, found.nameless) == ({PERSON}, 1), "whom nobody can know is counted"
    assert rig.targets.groups.members(replace(main, match=BOTH), "all") == Listed(frozenset({PERSON, ANA}))


def test_a_name_in_letters_that_look_alike_is_nobodys(aws: Any) -> None:
    rig = with_people(aws, PersonSpec("\u017fid2@example.com"))
    assert code(rig, Address("sid2@example.com")) is Code.TARGET_PERSON_MISSING


# ---------------------------------------------------------------- calls


def test_asks_for_nobody_do_not_list_a_long_directory_again_and_again(aws: Any) -> None:
    rig = with_people(aws, *(PersonSpec(f"p{number}@example.com") for number in range(250)))
    aws.proxy.pages.tear(None)
    for number in range(5):
        assert code(rig, Address(f"nobody{number}@example.com")) is Code.TARGET_PERSON_MISSING
    assert aws.proxy.log.count("ListUsers") == 3


def test_somebody_new_in_a_long_directory_is_found_all_the_same(aws: Any) -> None:
    rig = with_people(aws, *(PersonSpec(f"p{number}@example.com") for number in range(250)))
    assert code(rig) is Code.TARGET_PERSON_MISSING
    aws.world.add_person(PersonSpec(ANA))
    assert user(rig) == aws.spec.user_id(ANA)


def test_the_first_ask_of_a_process_lists_the_directory_and_later_ones_ask_nothing(center: AwsRig, aws: Any) -> None:
    aws.proxy.pages.tear(None)
    user(center, PERSON)
    counts = aws.proxy.log.counts()
    assert counts["identitystore:ListUsers"] == 1
    assert "identitystore:GetUserId" not in counts
    before = center.calls()
    user(center, PERSON)
    user(center, Address("olu@example.com"))
    assert center.calls() == before


def test_a_permission_set_without_a_session_duration_has_an_hour(center: AwsRig, aws: Any, aws_client: Any) -> None:
    made = aws_client("sso-admin").create_permission_set(Name="Plain", InstanceArn=aws.spec.instance_arn)[
        "PermissionSet"
    ]
    assert center.resource(permission_set=made["PermissionSetArn"]).session_s == 3600
