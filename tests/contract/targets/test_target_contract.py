"""What every target promises, on simulated AWS and in memory alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.targets.target_rigs import MARK, OF_PEOPLE, PERSON, UNTIL, AwsRig, MemoryRig
from workflows.core.identity import Address
from workflows.core.records.target import OperationState, Presence, Resource
from workflows.core.refusal import Refused
from workflows.ports import LeaseOver, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.kinds import AwsKind


@pytest.fixture(
    params=[(place, kind) for kind in AwsKind for place in ("aws", "memory")], ids=lambda p: f"{p[0]}-{p[1]}"
)
def rig(request: pytest.FixtureRequest) -> Any:
    place, kind = request.param
    return AwsRig(kind, request.getfixturevalue("aws")) if place == "aws" else MemoryRig(kind)


@pytest.fixture(
    params=[(place, kind) for kind in OF_PEOPLE for place in ("aws", "memory")], ids=lambda p: f"{p[0]}-{p[1]}"
)
def of_people(request: pytest.FixtureRequest) -> Any:
    """What gives to people. A pipeline's role is nobody's."""
    place, kind = request.param
    return AwsRig(kind, request.getfixturevalue("aws")) if place == "aws" else MemoryRig(kind)


def presence(rig: Any, resource: Resource) -> Presence:
    return rig.target.observe(resource).presence


def over() -> None:
    raise LeaseOver


def test_nothing_is_there_before_a_grant(rig: Any) -> None:
    assert presence(rig, rig.resource()) is Presence.ABSENT


def test_what_was_granted_is_observed(rig: Any) -> None:
    assert presence(rig, rig.given()) is Presence.PRESENT


def test_a_second_grant_is_harmless(rig: Any) -> None:
    resource = rig.given()
    assert rig.given() == resource
    assert presence(rig, resource) is Presence.PRESENT
    assert rig.settled(resource, rig.target.revoke(resource, rig.ok)).state is OperationState.SUCCEEDED
    assert presence(rig, resource) is Presence.ABSENT


def test_a_removal_of_what_is_gone_succeeds(rig: Any) -> None:
    resource = rig.resource()
    assert rig.settled(resource, rig.target.revoke(resource, rig.ok)).state is OperationState.SUCCEEDED
    assert presence(rig, resource) is Presence.ABSENT


def test_a_throttled_grant_has_no_effect(rig: Any) -> None:
    resource = rig.resource()
    rig.throttle("grant")
    with pytest.raises(TargetThrottled) as caught:
        rig.target.grant(resource, UNTIL, rig.ok)
    assert 0 < caught.value.after_s <= 60
    assert presence(rig, resource) is Presence.ABSENT


def test_a_throttled_removal_has_no_effect(rig: Any) -> None:
    resource = rig.given()
    rig.throttle("revoke")
    with pytest.raises(TargetThrottled):
        rig.target.revoke(resource, rig.ok)
    assert presence(rig, resource) is Presence.PRESENT


def test_a_throttled_look_says_so(rig: Any) -> None:
    resource = rig.resource()
    rig.throttle("observe")
    with pytest.raises(TargetThrottled):
        rig.target.observe(resource)


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_in_doubt_and_a_later_look_tells(rig: Any, applied: bool) -> None:
    resource = rig.resource()
    rig.lose(applied=applied)
    with pytest.raises(TargetInDoubt):
        rig.target.grant(resource, UNTIL, rig.ok)
    rig.wait()
    assert presence(rig, resource) is (Presence.PRESENT if applied else Presence.ABSENT)


def test_a_lost_answer_is_not_asked_for_again(rig: Any) -> None:
    resource = rig.resource()
    before, asked = rig.changes(), rig.sent
    rig.lose(applied=False)
    with pytest.raises(TargetInDoubt):
        rig.target.grant(resource, UNTIL, rig.ok)
    assert (rig.changes() - before, rig.sent - asked) == (1, 1)


def test_no_changing_call_leaves_after_the_lease(rig: Any) -> None:
    given, before = rig.given(), rig.changes()
    with pytest.raises(LeaseOver):
        rig.target.revoke(given, over)
    with pytest.raises(LeaseOver):
        rig.target.grant(given, UNTIL, over)
    assert rig.changes() == before
    assert presence(rig, given) is Presence.PRESENT


def test_every_changing_call_asks_the_lease_once(rig: Any) -> None:
    resource = rig.given()
    rig.settled(resource, rig.target.revoke(resource, rig.ok))
    assert rig.sent == rig.changes() == 2


@pytest.mark.parametrize("name", ["grant", "revoke"])
def test_a_refusal_says_why_and_changes_nothing(rig: Any, name: str) -> None:
    resource = rig.given() if name == "revoke" else rig.resource()
    before = presence(rig, resource)
    rig.refuse(name)
    with pytest.raises(TargetRefused) as caught:
        rig.target.grant(resource, UNTIL, rig.ok) if name == "grant" else rig.target.revoke(resource, rig.ok)
    assert "let the worker do" in caught.value.words
    assert presence(rig, resource) is before


def test_a_look_that_is_not_allowed_is_unknown_with_words(rig: Any) -> None:
    resource = rig.resource()
    rig.refuse("observe")
    seen = rig.target.observe(resource)
    assert seen.presence is Presence.UNKNOWN
    assert seen.detail is not None
    assert "let the worker do" in seen.detail


def test_a_stale_look_shows_the_past_and_the_next_one_the_truth(rig: Any) -> None:
    resource = rig.given()
    rig.stale()
    assert presence(rig, resource) is Presence.ABSENT


def test_an_unknown_person_is_refused_with_the_address(of_people: Any) -> None:
    wanted, person = of_people.unknown()
    refused = of_people.target.resolve(wanted, person, "PA-7")
    assert isinstance(refused, Refused)
    assert refused.code is of_people.unknown_code
    assert "main" in refused.params["where"]


def test_the_holding_is_the_same_each_time_it_is_resolved(rig: Any) -> None:
    assert rig.resource().holding == rig.resource().holding


def test_a_resource_names_its_user_for_good_and_where_it_is_looked_for(of_people: Any) -> None:
    resource = of_people.resource()
    assert resource.user.endswith(f":{resource.user_id}")
    assert resource.place
    assert resource.carries == (PERSON,)
    assert resource == of_people.resource()


def test_a_user_that_is_theirs_is_found_whatever_address_it_carries(of_people: Any) -> None:
    first, married = of_people.resource("PA-7"), Address("dana.married@example.com")
    of_people.readdress(first, married)
    found = of_people.found_anew(first)
    assert isinstance(found, Resource), found
    assert (found.holding, found.user, found.place) == (first.holding, first.user, first.place)
    assert found.carries == (married,)


def test_a_user_made_anew_is_found_by_the_address_again(of_people: Any) -> None:
    first = of_people.resource()
    of_people.make_anew()
    found = of_people.found_anew(first)
    assert isinstance(found, Resource), found
    assert found.user_id != first.user_id
    assert (found.place, found.carries) == (first.place, (PERSON,))


def test_a_look_at_a_user_that_is_theirs_which_fails_concludes_nothing(of_people: Any) -> None:
    first = of_people.resource()
    of_people.make_anew()
    of_people.throttle("look up")
    with pytest.raises((TargetThrottled, TargetInDoubt)):
        of_people.found_anew(first)


def test_requests_share_a_holding_where_ours_cannot_be_told_apart(rig: Any) -> None:
    same = rig.resource("PA-1").holding == rig.resource("PA-2").holding
    assert same is not rig.target.tells_ours_apart


def test_what_is_there_is_listed_for_drift(rig: Any) -> None:
    resource = rig.given()
    listed = list(rig.target.list_managed(rig.terms()))
    assert [seen.resource.holding for seen in listed if seen.presence is Presence.PRESENT] == [resource.holding]
    rig.settled(resource, rig.target.revoke(resource, rig.ok))
    assert list(rig.target.list_managed(rig.terms())) == []


def test_what_is_listed_says_which_request_and_which_installation_it_is_from(rig: Any) -> None:
    resource = rig.given()
    (seen,) = rig.target.list_managed(rig.terms())
    told = rig.target.tells_ours_apart
    assert (seen.request, seen.mark) == (("PA-1042", MARK) if told else ("", ""))
    looked = rig.target.observe(resource)
    assert (looked.request, looked.mark, looked.detail) == (seen.request, seen.mark, None)


def test_what_another_installation_gave_under_our_name_is_seen_to_be_theirs(rig: Any) -> None:
    """Two installations may share users and count alike."""
    resource = rig.given()
    assert not rig.target.observe(resource).others
    rig.installation("f" * 12)
    seen = rig.target.observe(resource)
    assert (seen.presence, seen.others) == (Presence.PRESENT, rig.target.tells_ours_apart)
    rig.installation("")
    assert not rig.target.observe(resource).others, "whoever does not know how it is called says nothing"


# A page of the list; of IAM's policies the user, their names and each document; of an IAM group its id besides.
LISTED_BY = {
    AwsKind.IDENTITY_CENTER: 1,
    AwsKind.IDENTITY_CENTER_GROUP: 1,
    AwsKind.IAM_POLICY: 3,
    AwsKind.IAM_GROUP: 2,
    AwsKind.IAM_ROLE_POLICY: 3,
}


@pytest.mark.parametrize("kind", list(AwsKind))
def test_a_list_costs_calls_for_what_it_lists_and_for_nothing_else(aws: Any, kind: AwsKind) -> None:
    aws.proxy.pages.tear(None)
    rig = AwsRig(kind, aws)
    rig.given()
    before = rig.calls()
    assert len(list(rig.target.list_managed(rig.terms()))) == 1
    assert rig.calls() - before == LISTED_BY[kind]


def test_a_list_without_an_answer_is_no_empty_list(rig: Any) -> None:
    rig.given()
    rig.throttle("list_managed")
    with pytest.raises((TargetThrottled, TargetInDoubt)):
        list(rig.target.list_managed(rig.terms()))


def test_the_end_that_the_target_enforces_is_seen(rig: Any) -> None:
    resource = rig.given()
    seen = rig.target.observe(resource)
    assert seen.until == (UNTIL.replace(microsecond=0) if resource.enforces_end else None)
    assert PERSON not in resource.ids.values()
