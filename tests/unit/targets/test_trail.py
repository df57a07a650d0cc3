"""The question to CloudTrail that each grant carries: what it asks, and that it means this person's session and nobody else's."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jmespath
import pytest

from tests.support import views
from tests.unit.targets.events import event, session
from workflows.core.activity import Trail, Window
from workflows.core.provider import Sought
from workflows.core.records.target import Resource
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, own_terms
from workflows.targets.aws.trail import trail
from workflows.targets.aws.who import Who, who_of

SINCE = datetime(2026, 11, 27, 3, 20, 0, 900_000, tzinfo=UTC)
WINDOW = Window(SINCE, SINCE + timedelta(hours=2))
NAMES = {"user_name": "dana@example.com", "permission_set": "ReadOnlyAccess"}
MAIN = AwsConnection("main", "aws", "eu-central-1")


def sought(kind: AwsKind = AwsKind.IDENTITY_CENTER, names: dict[str, str] | None = None, **changes: Any) -> Sought:
    found: Resource = views.resource(kind)
    asked = Sought(found.target, found.ids, NAMES if names is None else names, MAIN)
    return replace(asked, **changes)


def query(found: Trail, tool: str) -> str:
    (text,) = [one.text for one in found.queries if one.tool == tool]
    return text


def words(found: Trail, tool: str) -> dict[str, str]:
    """Options of the line for a shell -> what they get."""
    typed = shlex.split(query(found, tool))
    assert typed[:3] == ["aws", "cloudtrail", "lookup-events"]
    return dict(zip(typed[3::2], typed[4::2], strict=True))


def test_the_line_for_a_shell_names_user_region_and_whole_window():
    found = trail(sought(), WINDOW)
    options = words(found, "the AWS CLI in eu-central-1")
    assert options["--lookup-attributes"] == "AttributeKey=Username,AttributeValue=dana@example.com"
    assert (options["--start-time"], options["--end-time"]) == ("2026-11-27T03:20:00Z", "2026-11-27T05:20:01Z")
    assert words(found, "the AWS CLI in us-east-1")["--region"] == "us-east-1"
    assert found.places == ("eu-central-1", "us-east-1")


def test_the_line_for_a_shell_picks_sessions_of_this_permission_set():
    picked = jmespath.compile(words(trail(sought(), WINDOW), "the AWS CLI in eu-central-1")["--query"])
    said = {
        "mine": event(session("dana@example.com", "ReadOnlyAccess")),
        "another set": event(session("dana@example.com", "ReadOnlyAccessToo")),
    }
    rows = [{"EventName": name, "CloudTrailEvent": json.dumps(found)} for name, found in said.items()]
    assert [row[2] for row in picked.search({"Events": rows})] == ["mine"]


@pytest.mark.parametrize("tool", ["Athena", "CloudTrail Lake"])
def test_the_sql_asks_for_account_role_session_and_window(tool: str):
    text = query(trail(sought(), WINDOW), tool)
    assert "recipientaccountid = '111122223333'" in text
    assert "split_part(useridentity.principalid, ':', 2) = 'dana@example.com'" in text
    pattern = re.search(r"sessionissuer\.username, '(.+)'\)", text)
    assert pattern is not None
    assert re.fullmatch(pattern[1], "AWSReservedSSO_ReadOnlyAccess_0123456789abcdef")
    assert not re.fullmatch(pattern[1], "AWSReservedSSO_ReadOnlyAccess_more_0123456789abcdef")
    begin, end = ("2026-11-27T03:20:00Z", "2026-11-27T05:20:01Z")
    if tool == "CloudTrail Lake":
        begin, end = (moment.replace("T", " ").rstrip("Z") for moment in (begin, end))
    assert f"'{begin}'" in text
    assert f"'{end}'" in text


def test_an_odd_name_stays_one_word_of_the_shell_and_one_text_of_the_sql():
    """Identity Center takes nearly any character in a user name."""
    name = 'o\'brien, $(id) "x"'
    found = trail(sought(names={**NAMES, "user_name": name}), WINDOW)
    asked = json.loads(words(found, "the AWS CLI in eu-central-1")["--lookup-attributes"])
    assert asked == [{"AttributeKey": "Username", "AttributeValue": name}]
    assert "= 'o''brien, $(id) \"x\"'" in query(found, "Athena")
    assert "is no name that a session can have" in found.unknown


@pytest.mark.parametrize("kind", [AwsKind.IAM_POLICY, AwsKind.IAM_GROUP])
def test_an_iam_user_is_asked_for_by_name_and_told_by_id(kind: AwsKind):
    found = trail(sought(kind), WINDOW)
    assert words(found, "the AWS CLI in us-east-1")["--lookup-attributes"].endswith("AttributeValue=dana")
    assert "useridentity.principalid = 'AIDA1'" in query(found, "Athena")
    assert "by other rights of theirs counts, too" in " ".join(found.notes)
    assert found.unknown == ""


def test_what_the_record_does_not_know_is_said_and_how_to_find_it():
    """Of a grant of an earlier version, or one that was put back from the archive."""
    found = trail(sought(names={}), WINDOW)
    assert "AttributeValue=USER_NAME_OF_906-dana" in query(found, "the AWS CLI in eu-central-1")
    assert (
        "describe-user --region eu-central-1 --identity-store-id IDENTITY_STORE_ID --user-id 906-dana" in found.notes[0]
    )


def test_a_group_may_open_other_accounts():
    found = trail(sought(AwsKind.IDENTITY_CENTER_GROUP), WINDOW)
    assert "The group may open other accounts, too: ask in each of them." in found.notes
    nowhere = replace(own_terms(views.target(AwsKind.IDENTITY_CENTER_GROUP)), account=None)
    lost = trail(sought(AwsKind.IDENTITY_CENTER_GROUP, terms=nowhere), WINDOW)
    assert "recipientaccountid" not in query(lost, "Athena")
    assert lost.unknown == "The access opens accounts that are not written here."


def test_the_policy_says_where_to_look():
    asked = sought(connection=replace(MAIN, activity_regions=("eu-west-1", "us-east-1")))
    assert trail(asked, WINDOW).places == ("eu-west-1", "us-east-1")
    china = replace(views.target(), region="cn-northwest-1", partition="aws-cn")
    assert trail(sought(terms=china, connection=None), WINDOW).places == ("cn-northwest-1", "cn-north-1")


# ---------------------------------------------------------------- whose an event is


ME = Who("111122223333", "dana@example.com", "906-dana", in_center=True, permission_set="ReadOnlyAccess")


def test_only_a_session_of_this_role_name_and_account_is_theirs():
    mine = session("dana@example.com", "ReadOnlyAccess")
    assert ME.did(event(mine))
    assert not ME.did(event(session("nia@example.com", "ReadOnlyAccess")))
    assert not ME.did(event(session("dana@example.com", "AdministratorAccess")))
    assert not ME.did(event(session("dana@example.com", "ReadOnlyAccess_2")))
    assert not ME.did(event(mine, account="444455556666"))
    assert not ME.did(event({"type": "IAMUser", "principalId": "AIDA1", "userName": "dana@example.com"}))
    assert not ME.did(event({"type": "AWSService", "invokedBy": "sso.amazonaws.com"}))


def test_a_name_that_was_given_again_is_told_by_the_id_where_aws_says_it():
    mine = session("dana@example.com", "ReadOnlyAccess")
    assert ME.did(event({**mine, "onBehalfOf": {"userId": "906-dana"}}))
    assert not ME.did(event({**mine, "onBehalfOf": {"userId": "906-another"}}))


def test_an_iam_user_made_anew_under_the_name_is_another_one():
    user = who_of(sought(AwsKind.IAM_POLICY))
    assert user.did(event({"type": "IAMUser", "principalId": "AIDA1", "userName": "dana"}))
    assert not user.did(event({"type": "IAMUser", "principalId": "AIDA2", "userName": "dana"}))
    assert not user.did(event({"type": "Root", "principalId": "111122223333"}))


def test_a_permission_set_named_by_its_arn_is_known_by_the_name_that_was_resolved():
    by_arn = replace(views.target(), permission_set="arn:aws:sso:::permissionSet/ssoins-1/ps-1")
    assert who_of(sought(terms=by_arn)).permission_set == "ReadOnlyAccess"
    assert who_of(sought(terms=by_arn, names={})).permission_set == ""
