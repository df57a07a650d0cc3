"""CloudTrail over HTTP: the stand-in is as strict as AWS, and what a worker reads there is this person's alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.sandbox.aws.spec import EXAMPLE, IamRoleSpec
from tests.contract.targets.target_rigs import PERSON, AwsRig
from tests.unit.targets.events import session
from workflows.core.activity import Deed, LogPage, Window
from workflows.core.provider import Sought
from workflows.ports import TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import TRAIL_BURST, TRAIL_RATE
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsConnection

HOME, OTHER = "111122223333", "444455556666"
MAIN = AwsConnection("main", "aws", "eu-central-1")
REGION = "eu-central-1"


class Clock:
    """Of the stand-in, in seconds; it goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(aws: Any) -> Clock:
    found = Clock()
    aws.proxy.trail.now_s = aws.proxy.trail.monotonic_s = found
    return found


class Person(AwsRig):
    """Dana's session of ReadOnlyAccess, an hour long, which was over half an hour ago; and who else was there."""

    def __init__(self, aws: Any, clock: Clock, kind: AwsKind = AwsKind.IDENTITY_CENTER) -> None:
        super().__init__(kind, aws)
        self.clock = clock
        self.end = datetime.fromtimestamp(clock.now_s, UTC).replace(microsecond=0) - timedelta(minutes=30)
        self.window = Window(self.end - timedelta(hours=1), self.end, self.end)
        found = self.resource()
        self.asked = Sought(found.target, found.ids, found.names, MAIN)

    def did(self, name: str, minutes: float = 30, who: Any = None, **about: Any) -> None:
        """So long before the end."""
        about = {"account": HOME, "region": REGION, **about}
        self.aws.proxy.trail.tell(
            who or session(PERSON, "ReadOnlyAccess"), name, self.end - timedelta(minutes=minutes), **about
        )

    def page(self, more: str = "", **changes: Any) -> LogPage:
        found = self.target.activity(replace(self.asked, **changes), REGION, self.window, more)
        self.clock.now_s += 1
        return found

    def all(self, **changes: Any) -> list[Deed]:
        found, more = [], None
        while more != "":
            page = self.page(more or "", **changes)
            more, found = page.more, [*found, *page.deeds]
        return found


@pytest.fixture
def dana(aws: Any, clock: Clock) -> Person:
    return Person(aws, clock)


def names(found: list[Deed]) -> list[str]:
    return sorted(one.name for one in found)


# ---------------------------------------------------------------- the stand-in


@pytest.fixture
def lookup(aws: Any, clock: Clock, aws_client: Callable[..., Any]) -> Callable[..., Any]:
    client = aws_client("cloudtrail")

    def call(**arguments: Any) -> Any:
        clock.now_s += 1
        return client.lookup_events(**arguments)

    return call


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as problem:
        call(**arguments)
    return str(problem.value.response["Error"]["Code"])


def test_an_event_is_as_boto3_has_it(dana: Person, lookup: Callable[..., Any]) -> None:
    dana.aws.proxy.trail.tear(None)
    dana.did("PutBucketPolicy", read_only=False)
    (found,) = lookup()["Events"]
    assert (found["EventName"], found["EventSource"], found["ReadOnly"]) == (
        "PutBucketPolicy",
        "s3.amazonaws.com",
        "false",
    )
    assert (found["Username"], found["EventTime"]) == (PERSON, dana.end - timedelta(minutes=30))
    assert json.loads(found["CloudTrailEvent"])["userIdentity"]["type"] == "AssumedRole"


def test_another_process_tells_what_was_done_over_http(dana: Person, lookup: Callable[..., Any]) -> None:
    dana.aws.proxy.trail.tear(None)
    told = {
        "who": session(PERSON, "ReadOnlyAccess"),
        "name": "ListBuckets",
        "at": dana.end.isoformat(),
        "account": HOME,
    }
    request = urllib.request.Request(f"{dana.aws.url}/_proxy/trail", json.dumps(told).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        id_ = json.load(answer)["id"]
    assert [one["EventId"] for one in lookup()["Events"]] == [id_]


def test_whatever_aws_refuses_is_refused(dana: Person, lookup: Callable[..., Any]) -> None:
    two = [{"AttributeKey": "Username", "AttributeValue": name} for name in ("a", "b")]
    assert refused(lookup, LookupAttributes=two) == "InvalidLookupAttributesException"
    assert refused(lookup, MaxResults=51) == "InvalidMaxResultsException"
    assert refused(lookup, StartTime=dana.end, EndTime=dana.end - timedelta(days=1)) == "InvalidTimeRangeException"
    assert refused(lookup, NextToken="another") == "InvalidNextTokenException"


def test_a_token_goes_with_its_own_question_and_once(dana: Person, lookup: Callable[..., Any]) -> None:
    dana.aws.proxy.trail.tear(None)
    for number in range(3):
        dana.did(f"List{number}", number)
    first = lookup(MaxResults=2)
    assert [one["EventName"] for one in first["Events"]] == ["List0", "List1"]
    assert refused(lookup, MaxResults=1, NextToken=first["NextToken"]) == "InvalidNextTokenException"
    first = lookup(MaxResults=2)
    last = lookup(MaxResults=2, NextToken=first["NextToken"])
    assert ([one["EventName"] for one in last["Events"]], "NextToken" in last) == (["List2"], False)
    assert refused(lookup, MaxResults=2, NextToken=first["NextToken"]) == "InvalidNextTokenException"


def test_two_calls_a_second_for_each_account_and_region(dana: Person, aws_client: Callable[..., Any]) -> None:
    client, elsewhere = aws_client("cloudtrail"), aws_client("cloudtrail", region_name="us-east-1")
    client.lookup_events()
    client.lookup_events()
    assert refused(client.lookup_events) == "ThrottlingException"
    elsewhere.lookup_events()
    dana.clock.now_s += 0.5
    client.lookup_events()
    assert refused(client.lookup_events) == "ThrottlingException"


def test_an_event_is_there_some_minutes_later_and_for_ninety_days(dana: Person, lookup: Callable[..., Any]) -> None:
    dana.aws.proxy.trail.tear(None)
    dana.did("ListBuckets", 0, late_s=45 * 60)
    assert lookup()["Events"] == []
    dana.clock.now_s += 15 * 60
    assert len(lookup()["Events"]) == 1
    dana.clock.now_s += 91 * 24 * 3600
    assert lookup()["Events"] == []


def test_torn_pages_are_short_and_empty_and_hold_all_there_is(dana: Person, lookup: Callable[..., Any]) -> None:
    for number in range(30):
        dana.did(f"List{number}", number)
    sizes = set()
    for seed in range(8):
        dana.aws.proxy.trail.tear(seed)
        seen, page = [], lookup(MaxResults=10)
        while True:
            sizes.add(len(page["Events"]))
            seen += page["Events"]
            if "NextToken" not in page:
                break
            page = lookup(MaxResults=10, NextToken=page["NextToken"])
        assert [one["EventName"] for one in seen] == [f"List{number}" for number in range(30)]
    assert {0, 10} < sizes


# ---------------------------------------------------------------- what a worker reads there


def test_only_this_persons_session_of_this_role_in_this_window_counts(dana: Person) -> None:
    dana.did("ListBuckets")
    dana.did("PutBucketPolicy", read_only=False)
    dana.did("DeleteBucket", read_only=False, error_code="AccessDenied")
    dana.did("OfNia", who=session("nia@example.com", "ReadOnlyAccess"))
    dana.did("AsAdmin", who=session(PERSON, "AdministratorAccess"))
    dana.did("Before", minutes=61)
    dana.did("After", minutes=-1)
    dana.did("Elsewhere", region="us-east-1")
    dana.did("InAnotherAccount", account=OTHER)
    found = dana.all()
    assert names(found) == ["s3 DeleteBucket", "s3 ListBuckets", "s3 PutBucketPolicy"]
    assert {one.name: (one.changes, one.refused) for one in found} == {
        "s3 ListBuckets": (False, False),
        "s3 PutBucketPolicy": (True, False),
        "s3 DeleteBucket": (True, True),
    }


@pytest.mark.parametrize("seed", range(4))
def test_all_of_a_hundred_and_thirty_are_counted_however_the_pages_fall(dana: Person, seed: int) -> None:
    dana.aws.proxy.trail.tear(seed)
    for number in range(130):
        dana.did(f"List{number:03}", number / 3)
    assert names(dana.all()) == [f"s3 List{number:03}" for number in range(130)]


def test_what_does_not_say_whether_it_changes_anything_is_not_taken_for_either(dana: Person) -> None:
    dana.did("Something", read_only=None)
    assert [one.changes for one in dana.all()] == [None]


def test_an_iam_user_is_looked_for_by_name_and_told_by_id(aws: Any, clock: Clock) -> None:
    user = Person(aws, clock, AwsKind.IAM_POLICY)
    id_ = user.asked.ids["user_id"]
    user.did("ListBuckets", who={"type": "IAMUser", "principalId": id_, "userName": "dana"})
    user.did("MadeAnew", who={"type": "IAMUser", "principalId": "AIDAANOTHER", "userName": "dana"})
    assert names(user.all()) == ["s3 ListBuckets"]


def test_it_takes_little_more_than_a_call_a_page_from_a_bucket_of_its_own(dana: Person) -> None:
    dana.aws.proxy.trail.tear(None)
    dana.all()
    before = dana.calls()
    dana.all()
    assert dana.calls() == before + 1
    assert dana.buckets.taken[f"aws:trail:main:{REGION}"] == 2
    assert (TRAIL_RATE, TRAIL_BURST) <= (2.0, 2.0)


# ---------------------------------------------------------------- what is not known


def test_an_account_in_which_the_worker_does_not_look_is_not_known_and_how_to_mend_it(dana: Person) -> None:
    asked = replace(dana.asked, ids={**dana.asked.ids, "account": OTHER})
    with pytest.raises(
        TargetRefused, match=f"looks in account {HOME}, and the access was in account {OTHER}: .*activity_role"
    ):
        dana.target.activity(asked, REGION, dana.window)


def test_a_role_of_the_account_is_taken_on_where_the_connection_names_one(aws: Any, clock: Clock) -> None:
    aws.reset(replace(EXAMPLE, iam_roles=(IamRoleSpec("prodaccess-activity", OTHER),)))
    found = Person(aws, clock)
    asked = replace(
        found.asked,
        ids={**found.asked.ids, "account": OTHER},
        connection=replace(MAIN, activity_role="prodaccess-activity"),
    )
    there = session(PERSON, "ReadOnlyAccess", OTHER)
    found.did("ListBuckets", account=OTHER, who=there)
    found.did("InTheOtherAccount")
    found.asked = asked
    assert names(found.all()) == ["s3 ListBuckets"]
    found.asked = replace(asked, connection=replace(MAIN, activity_role="nobody-has-it"))
    with pytest.raises(TargetRefused, match="AssumeRole"):
        found.page()


def test_errors_of_aws_are_no_answer(dana: Person) -> None:
    dana.page()
    for code, raised in (("denied", TargetRefused), ("throttled", TargetThrottled), ("unavailable", TargetInDoubt)):
        dana.aws.proxy.error(code, "cloudtrail:LookupEvents")
        with pytest.raises(raised):
            dana.page()
        dana.clock.now_s += 1
    with pytest.raises(TargetRefused, match="InvalidNextTokenException"):
        dana.page("a-token-of-yesterday")


def test_an_event_that_cannot_be_read_is_in_doubt(dana: Person) -> None:
    dana.did("ListBuckets", who={**session(PERSON, "ReadOnlyAccess"), "arn": "odd"})
    dana.aws.proxy.trail.tear(None)
    with pytest.raises(TargetInDoubt):
        dana.page()


def test_a_user_who_has_another_name_by_now_is_not_known(dana: Person) -> None:
    renamed = replace(dana.asked, names={**dana.asked.names, "user_name": "dana.maiden@example.com"})
    with pytest.raises(
        TargetRefused, match=r"is called dana@example.com in Identity Center by now, and was dana.maiden"
    ):
        dana.target.activity(renamed, REGION, dana.window)


def test_a_name_that_the_record_lacks_is_asked_for_and_that_of_a_user_who_is_gone_is_the_records(dana: Person) -> None:
    dana.did("ListBuckets")
    assert names(dana.all(names={})) == ["s3 ListBuckets"]
    dana.aws.world.remove_person(PERSON)
    dana.targets = AwsTargets(dana.buckets, monotonic=lambda: 0.0)
    dana.target = dana.targets.for_terms(dana.asked.terms)
    assert names(dana.all()) == ["s3 ListBuckets"]
    with pytest.raises(TargetRefused, match="Identity Center has no such user"):
        dana.page(names={})


def test_links_to_many_accounts_are_not_kept(dana: Person) -> None:
    links = dana.targets.links
    made = [links.passing(replace_place(number)) for number in range(12)]
    assert links.passing(replace_place(11)) is made[11]
    assert links.passing(replace_place(0)) is not made[0]


def replace_place(number: int) -> Any:
    from workflows.targets.aws.connections import Place

    return Place("main", REGION, role_arn=f"arn:aws:iam::{number:012}:role/x")
