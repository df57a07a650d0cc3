"""Policy templates: what is refused, how they are filled, and that the end holds in each statement."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.targets.aws.templates import (
    TemplateRefused,
    check_template,
    end_of,
    fill,
    fill_words,
    inline_size,
    mark_of,
    placeholder_values,
    same_but_for_end,
    with_end,
)

UNTIL = datetime(2026, 11, 3, 12, 0, 0, tzinfo=UTC)
VALUES = {"environment": "payments-prod", "account": "111122223333", "partition": "aws", "local_part": "ana.b"}
ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:{partition}:s3:::state/*"}


def document(*statements: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements or [ALLOW]), **more})


def changed(**more: Any) -> str:
    return document({key: value for key, value in {**ALLOW, **more}.items() if value is not None})


def test_a_plain_template_has_no_problems() -> None:
    assert check_template(document()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(Effect="Deny"), "only allows"),
        (changed(Effect="allow"), "only allows"),
        (changed(Effect=None), "only allows"),
        (changed(NotAction="s3:*"), "`NotAction` is not allowed"),
        (changed(NotResource="*"), "`NotResource` is not allowed"),
        (changed(NotPrincipal="*"), "`NotPrincipal` is not allowed"),
        (changed(Principal="*"), "`Principal` is not allowed"),
        (changed(Action=None), "`Action` must be"),
        (changed(Resource=[]), "`Resource` must be"),
        (changed(Resource={"a": 1}), "`Resource` must be"),
        (changed(Action="s3:{environment}"), "`Action` must have no placeholder"),
        (changed(Resource="arn:{nothing}"), "{nothing} is no placeholder"),
        (changed(Resource="arn:${account}"), "write {account}"),
        (changed(Resource="arn:{"), "a brace stands alone"),
        (changed(Resource="arn:{{account}}"), "a brace stands alone"),
        (changed(Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}), "the end is added"),
        (changed(Condition={"NumericLessThan": {"AWS:epochtime": 1}}), "the end is added"),
        (changed(Condition={"Null": {"aws:TokenIssueTime": "true"}}), "the end is added"),
        (changed(Condition={"datelessthan": {"s3:x": "2030-01-01"}}), "no condition operator"),
        (changed(Condition={"StringEquals": "x"}), "must hold condition keys"),
        (changed(Condition={"StringEquals": {"aws:{account}": "x"}}), "must have no placeholder"),
        (changed(Condition={"StringEquals": {"aws:x": {"y": 1}}}), "must hold a string"),
        (changed(Condition=[]), "`Condition` must be"),
        (changed(Resource="arn:aws:s3:::" + "x" * 2048), "2048"),
        (document(Extra=1), "`Extra` is not allowed"),
        (document().replace("2012-10-17", "2008-10-17"), "`Version` must be"),
        ('{"Version":"2012-10-17","Statement":[]}', "missing or empty"),
        ('{"Version":"2012-10-17","Statement":["x"]}', "must be a JSON object"),
        ('{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow"}}', "stands twice"),
        ('{"Version": NaN}', "is no JSON"),
        ("{", "line 1"),
        ("[]", "must be a JSON object"),
        ("[" * 5000, "nested too deeply"),
        ('{"Sid": "\u2028"}', "does not accept"),
    ],
)
def test_what_widens_hides_or_confuses_is_refused(text: str, said: str) -> None:
    problems = check_template(text)
    assert any(said in problem for problem in problems), problems
    with pytest.raises(TemplateRefused):
        fill(text, VALUES)


def test_all_problems_are_told_at_once_with_their_statement() -> None:
    problems = check_template(document({**ALLOW, "Effect": "Deny"}, {**ALLOW, "NotAction": "s3:*"}))
    assert [problem[:11] for problem in problems] == ["Statement 1", "Statement 2"]


def test_placeholders_are_filled_and_policy_variables_are_left() -> None:
    text = changed(Resource="arn:{partition}:s3:::{environment}/${aws:username}/{local_part}")
    assert (
        json.loads(fill(text, VALUES))["Statement"][0]["Resource"] == "arn:aws:s3:::payments-prod/${aws:username}/ana.b"
    )


def test_a_condition_value_is_filled() -> None:
    text = changed(Condition={"StringEquals": {"aws:PrincipalAccount": ["{account}"]}})
    assert json.loads(fill(text, VALUES))["Statement"][0]["Condition"]["StringEquals"] == {
        "aws:PrincipalAccount": ["111122223333"]
    }


@pytest.mark.parametrize(
    "value", ['x","Effect":"Allow', "*", "a/b", "", "a" * 65, "ana\n", "ä", "a b", "${aws:username}"]
)
def test_a_value_that_could_mean_more_is_refused(value: str) -> None:
    with pytest.raises(TemplateRefused):
        fill(changed(Resource="arn:{local_part}"), {"local_part": value})
    with pytest.raises(TemplateRefused):
        fill_words("{local_part}", {"local_part": value})


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(TemplateRefused, match=r"no value for \{account\}"):
        fill(changed(Resource="arn:{account}"), {"partition": "aws"})


def test_names_are_filled() -> None:
    assert fill_words("{environment}-deployers", VALUES) == "payments-prod-deployers"
    assert fill_words("plain", VALUES) == "plain"


@pytest.mark.parametrize("word", ["{nothing}", "{", "${account}", "${aws:username}", "a}b"])
def test_a_name_with_something_else_in_braces_is_refused(word: str) -> None:
    with pytest.raises(TemplateRefused):
        fill_words(word, VALUES)


def test_values_come_from_the_environment_and_the_holders_address() -> None:
    found = placeholder_values(
        environment="e", account=None, region="eu-central-1", partition="aws", holder="ana.b@example.com"
    )
    assert found == {"environment": "e", "region": "eu-central-1", "partition": "aws", "local_part": "ana.b"}


def test_the_end_stands_in_each_statement_and_touches_no_other_condition() -> None:
    conditions = {
        "StringEquals": {"aws:RequestedRegion": "eu-central-1"},
        "DateLessThan": {"aws:ResourceTag/until": "2031-01-01T00:00:00Z"},
    }
    text = fill(document(ALLOW, {**ALLOW, "Condition": conditions}), VALUES)
    first, second = json.loads(with_end(text, UNTIL))["Statement"]
    assert first["Condition"] == {"DateLessThan": {"aws:CurrentTime": "2026-11-03T12:00:00Z"}}
    assert second["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": "eu-central-1"},
        "DateLessThan": {"aws:ResourceTag/until": "2031-01-01T00:00:00Z", "aws:CurrentTime": "2026-11-03T12:00:00Z"},
    }


def test_a_second_end_is_refused_because_it_would_mean_or() -> None:
    ended = with_end(fill(document(), VALUES), UNTIL)
    with pytest.raises(TemplateRefused):
        with_end(ended, UNTIL + timedelta(hours=1))


def test_a_single_statement_may_stand_without_a_list() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW, "Resource": "*"}})
    assert end_of(with_end(text, UNTIL)) == UNTIL


def test_the_end_of_a_document_is_its_last_statements() -> None:
    filled = fill(document(ALLOW, ALLOW), VALUES)
    parsed = json.loads(with_end(filled, UNTIL))
    later = "2026-11-03T13:00:00Z"
    parsed["Statement"][0]["Condition"]["DateLessThan"]["aws:CurrentTime"] = ["2026-11-03T11:00:00Z", later]
    assert end_of(parsed) == UNTIL + timedelta(hours=1)
    del parsed["Statement"][1]["Condition"]
    assert end_of(parsed) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"Statement": "x"}', '{"Statement": [{"Condition": 1}]}'])
def test_a_document_that_cannot_be_read_has_no_end(text: str) -> None:
    assert end_of(text) is None
    assert same_but_for_end(text, fill(document(), VALUES)) is False


def test_documents_are_compared_without_their_end() -> None:
    filled = fill(document(), VALUES)
    assert same_but_for_end(with_end(filled, UNTIL), filled)
    assert same_but_for_end(json.loads(with_end(filled, UNTIL + timedelta(hours=5))), filled)
    assert not same_but_for_end(filled, filled)
    assert not same_but_for_end(with_end(filled.replace("s3:GetObject", "s3:*"), UNTIL), filled)


def test_blanks_between_words_are_not_counted() -> None:
    assert inline_size('{ "a" :  [ 1,  2 ] }') == len('{"a":[1,2]}')


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis wants naive bounds
def test_the_end_is_never_late_and_less_than_a_second_early(until: datetime) -> None:
    written = end_of(with_end(fill(document(), VALUES), until))
    assert written is not None
    assert timedelta(0) <= until - written < timedelta(seconds=1)


@given(st.text(max_size=300))
def test_no_text_makes_the_check_fail(text: str) -> None:
    assert check_template(text)


@given(st.dictionaries(st.sampled_from(["Version", "Statement"]), st.recursive(st.text() | st.integers(), st.lists)))
def test_no_json_makes_the_check_fail(value: dict[str, Any]) -> None:
    assert check_template(json.dumps(value))


MARK = "3f9a1c0b2d4e"


def test_a_document_says_which_installation_wrote_it() -> None:
    filled = fill(document(), VALUES)
    marked = with_end(filled, UNTIL, MARK)
    assert json.loads(marked)["Id"] == mark_of(marked) == MARK
    assert end_of(marked) == UNTIL
    # Those of a version before carry none, and are the same document all the same.
    assert mark_of(with_end(filled, UNTIL)) == ""
    assert same_but_for_end(marked, filled)
    assert same_but_for_end(with_end(filled, UNTIL), filled)


def test_an_id_of_the_template_gives_way_and_is_no_mark() -> None:
    own = fill(json.dumps({**json.loads(document()), "Id": "written-by-ops"}), VALUES)
    assert mark_of(with_end(own, UNTIL)) == ""
    assert same_but_for_end(with_end(own, UNTIL), own)
    assert mark_of(with_end(own, UNTIL, MARK)) == MARK
    assert same_but_for_end(with_end(own, UNTIL, MARK), own)
    assert not same_but_for_end({**json.loads(with_end(own, UNTIL)), "Id": "somebody-else"}, own)


@pytest.mark.parametrize("odd", [None, 7, ["3f9a1c0b2d4e"], "3F9A1C0B2D4E", "3f9a1c0b2d4e0", ""])
def test_what_is_no_mark_says_nothing(odd: object) -> None:
    assert mark_of({"Version": "2012-10-17", "Id": odd, "Statement": []}) == ""
