"""Lists of AWS are read to their end: with short and empty pages, with many rows, and where they never end."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from bot.sandbox.aws.spec import EXAMPLE, PermissionSetSpec, PersonSpec
from tests.contract.targets.target_rigs import PERSON, UNTIL, AwsRig, terms
from workflows.core.records.target import Presence
from workflows.ports import TargetInDoubt, TargetThrottled
from workflows.targets.aws.connections import Door, Links, Listing, Place
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.odd import OddAnswer
from workflows.targets.aws.terms import AwsConnection

ACCOUNT = "111122223333"
MAIN = AwsConnection("main", "aws", "eu-central-1")
TARGETS = Path(__file__).parents[3] / "workflows" / "targets" / "aws"


# ---------------------------------------------------------------- the stand-in


def test_torn_lists_hold_what_whole_ones_do(aws: Any, aws_client: Any) -> None:
    iam, store = aws_client("iam"), aws_client("identitystore")
    for number in range(12):
        iam.put_user_policy(UserName="dana", PolicyName=f"p{number:02}", PolicyDocument=POLICY)
    calls = {
        "PolicyNames": (iam, "list_user_policies", {"UserName": "dana"}),
        "Users": (store, "list_users", {"IdentityStoreId": aws.spec.identity_store_id}),
        "PermissionSets": (aws_client("sso-admin"), "list_permission_sets", {"InstanceArn": aws.spec.instance_arn}),
    }
    for key, (client, name, arguments) in calls.items():
        aws.proxy.pages.tear(None)
        (whole,) = list(client.get_paginator(name).paginate(**arguments))
        aws.proxy.pages.tear(3)
        torn = list(client.get_paginator(name).paginate(**arguments))
        assert [row for page in torn for row in page[key]] == whole[key]


def test_torn_pages_are_short_empty_and_full(aws: Any, aws_client: Any) -> None:
    store, sizes = aws_client("identitystore"), set()
    for seed in range(20):
        aws.proxy.pages.tear(seed)
        sizes.add(len(store.list_users(IdentityStoreId=aws.spec.identity_store_id)["Users"]))
    assert {0, len(EXAMPLE.people)} < sizes


POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


# ---------------------------------------------------------------- absent only from a whole list


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", list(AwsKind))
def test_what_is_held_is_seen_however_the_pages_fall(aws: Any, kind: AwsKind, seed: int) -> None:
    rig = AwsRig(kind, aws)
    resource = rig.given()
    aws.proxy.pages.tear(seed)
    assert rig.target.observe(resource).presence is Presence.PRESENT
    assert resource.holding in {seen.resource.holding for seen in rig.target.list_managed(terms(kind))}


@pytest.mark.parametrize("delegated", [False, True])
def test_the_last_of_a_hundred_and_thirty_is_seen(aws: Any, delegated: bool) -> None:
    sets = tuple(PermissionSetSpec(f"Set{number:03}") for number in range(130))
    aws.reset(replace(EXAMPLE, permission_sets=(*sets, *EXAMPLE.permission_sets), delegated_admin=delegated))
    aws.proxy.pages.tear(None)
    for each in sets:
        aws.world.assign(PERSON, each.name, ACCOUNT)
    rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    assert rig.target.observe(rig.given()).presence is Presence.PRESENT
    assert rig.target.observe(rig.resource(permission_set="Set000")).presence is Presence.PRESENT


def test_names_are_found_on_any_page(aws: Any) -> None:
    sets = tuple(PermissionSetSpec(f"Set{number:03}") for number in range(30))
    crowd = tuple(PersonSpec(f"p{number}@example.com") for number in range(30))
    groups = {"all": tuple(person.email for person in crowd)}
    for seed in range(4):
        aws.reset(
            replace(
                EXAMPLE,
                permission_sets=(*sets, *EXAMPLE.permission_sets),
                people=(*crowd, *EXAMPLE.people),
                groups=groups,
            )
        )
        aws.proxy.pages.tear(seed)
        rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
        assert rig.resource().ids["user"] == aws.spec.user_id(PERSON)
        assert len(rig.targets.groups.members(MAIN, "all").addresses) == 30


# ---------------------------------------------------------------- the one pager


class Service:
    """A client of nothing: pages are made up, and the bucket has `left` tokens."""

    def __init__(self, *pages: Any, left: int = 1000) -> None:
        self.pages, self.left, self.read, self.blocked = list(pages), left, 0, 0.0

    def take(self, name: str, **_: Any) -> float:  # as of `Buckets`
        self.left -= 1
        return 0.5 if self.left < 0 else 0.0

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:  # as of `Buckets`
        self.blocked += seconds

    def list_rows(self, NextToken: str = "0") -> Any:  # noqa: N803  # AWS's name
        self.read += 1
        page = self.pages[int(NextToken) % len(self.pages)]
        return page(int(NextToken)) if callable(page) else page

    def door(self) -> Door[Service]:
        return Door(lambda: self, self, "b", 10.0, 10.0)  # type: ignore[arg-type]  # a bucket is a client here

    def rows(self, pages_max: int = 200) -> list[Any]:
        return self.door().every(
            "x ListRows", "Rows", lambda client, more: client.list_rows(**more), pages_max=pages_max
        )


def test_a_list_that_never_ends_is_in_doubt() -> None:
    for endless in (
        Service(lambda number: {"Rows": [], "NextToken": str(number + 1)}),
        Service({"Rows": [1], "NextToken": "0"}),
    ):
        with pytest.raises(OddAnswer, match="does not end"):
            endless.rows(pages_max=7)
        assert endless.read <= 7


def test_a_list_that_was_begun_is_read_on_and_the_quota_is_paid_afterwards() -> None:
    service = Service(*({"Rows": [number], "NextToken": str(number + 1)} for number in range(9)), {"Rows": [9]}, left=4)
    assert service.rows() == list(range(10))
    assert service.blocked == pytest.approx(0.6)
    with pytest.raises(TargetThrottled):
        service.rows()


def test_a_long_listing_stops_for_the_quota_and_goes_on_where_it_stopped() -> None:
    service = Service(*({"Rows": [number], "NextToken": str(number + 1)} for number in range(9)), {"Rows": [9]}, left=4)
    listing, door = Listing(), service.door()

    def some() -> list[Any]:
        return door.some("x ListRows", "Rows", listing, lambda client, more: client.list_rows(**more), pages_max=99)

    with pytest.raises(TargetThrottled):
        some()
    service.left = 99
    assert some() == list(range(10))
    assert service.read == 10


def test_a_page_without_its_rows_is_in_doubt() -> None:
    with pytest.raises(OddAnswer, match="it lacks Rows"):
        Service({"NextToken": ""}).rows()


def test_a_kept_connection_that_was_closed_does_not_break_a_list(aws: Any) -> None:
    rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    resource = rig.given()
    aws.proxy.reset_connection("reads", skip=1)
    aws.proxy.pages.tear(1)
    assert rig.target.observe(resource).presence is Presence.PRESENT


def test_no_list_is_read_outside_the_pager() -> None:
    """A one-page read of a list proves no absence. GetGroup without its users is the group alone; of removals only what the page
    says counts.
    """
    found = {place for path in TARGETS.glob("*.py") for place in one_page_reads(ast.parse(path.read_text("utf-8")))}
    assert found == {"group_id: get_group", "_first_page: list_account_assignment_deletion_status"}


def one_page_reads(tree: ast.Module) -> set[str]:
    inside = {
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("every", "some")
        for argument in call.args
        for node in ast.walk(argument)
    }
    return {
        f"{function.name}: {call.func.attr}"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in LISTS and id(call) not in inside
    }


def _lists() -> frozenset[str]:
    loader = botocore.session.Session().get_component("data_loader")
    services = ("iam", "sso-admin", "identitystore")
    models = [loader.load_service_model(service, "paginators-1")["pagination"] for service in services]
    return frozenset(xform_name(name) for model in models for name in model)


LISTS = _lists()


def test_the_look_for_one_page_reads_finds_them() -> None:
    wrong = "def f(self):\n    return self.link.sso.read('x', lambda client: client.list_users(A=1))['Users']\n"
    right = (
        "def f(self):\n    return self.link.sso.every('x', 'Users', lambda client, more: client.list_users(**more))\n"
    )
    assert one_page_reads(ast.parse(wrong)) == {"f: list_users"}
    assert one_page_reads(ast.parse(right)) == set()


def test_an_instance_that_is_not_there_proves_no_absence(aws: Any) -> None:
    """Other credentials see another organisation, in which nobody holds anything of ours."""
    rig = AwsRig(AwsKind.IDENTITY_CENTER, aws)
    resource = rig.given()
    other = replace(resource, ids={**resource.ids, "instance": "arn:aws:sso:::instance/ssoins-0000000000000000"})
    assert rig.target.observe(other).presence is Presence.UNKNOWN


@pytest.mark.parametrize("kind", [AwsKind.IAM_POLICY, AwsKind.IAM_GROUP])
def test_another_account_proves_no_absence(aws: Any, kind: AwsKind) -> None:
    """The worker was given other credentials: the access is in the account where it always was."""
    given = AwsRig(kind, aws).given()
    role = {"role_arn": "arn:aws:iam::444455556666:role/prodaccess", "external_id": "e-77"}
    for user in ("dana", "nobody"):  # one of that name is in both
        there = replace(given, target=replace(given.target, **role), ids={**given.ids, "user": user})
        seen = AwsRig(kind, aws).target.observe(there)
        assert seen.presence is Presence.UNKNOWN
        assert "asked in account 444455556666, and the access is in 111122223333" in (seen.detail or "")


@pytest.mark.parametrize("kind", [AwsKind.IAM_POLICY, AwsKind.IAM_GROUP])
def test_who_is_gone_from_the_right_account_holds_nothing(aws: Any, kind: AwsKind) -> None:
    rig = AwsRig(kind, aws)
    resource = replace(rig.resource(), ids={**rig.resource().ids, "user": "nobody"})
    later = AwsRig(kind, aws)  # a process that has seen nothing of the account yet
    for _ in range(2):
        assert later.target.observe(resource).presence is Presence.ABSENT
    assert aws.proxy.log.count("GetCallerIdentity") == 1


def test_the_links_of_a_place_are_watched(aws: Any) -> None:  # an endpoint
    link = Links(AwsRig(AwsKind.IAM_GROUP, aws).buckets, lambda: 0.0).to(Place("main", "eu-central-1"))
    with pytest.raises(TargetInDoubt):
        link.iam.read("iam GetUser", lambda client: client.get_user(UserName="dana")["Nothing"])


def test_a_grant_is_made_on_what_a_whole_list_says(aws: Any) -> None:
    rig = AwsRig(AwsKind.IAM_POLICY, aws)
    aws.proxy.pages.tear(5)
    assert rig.given(until=UNTIL).ids["policy"] == "prodaccess-PA-1042"
