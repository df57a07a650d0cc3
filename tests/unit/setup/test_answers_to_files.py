"""Whatever is answered, what is written passes the strict check, and means what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from bot.setup.answers import Answers
from bot.setup.example import EXAMPLE
from bot.setup.files import policy_files
from bot.setup.judge import slips
from bot.setup.make import make
from bot.setup.next_steps import rights
from bot.setup.reading import read_answers
from bot.setup.scalars import flow, scalar
from bot.shipped import files
from tests.unit.setup.answer_data import GROUP, HOSTILE, IAM_GROUP, POLICY, SET, TEMPLATE, data, text, with_environment
from workflows.core.policy import Policy
from workflows.policy_file import read_policy
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import understand

Made = Callable[[dict[str, Any]], Answers]

TEAMS_CHANNEL = "teams:19:0a1b2c3d4e5f@thread.tacv2"
CHATS = {"slack": "C0RECEIPTS", "teams": TEAMS_CHANNEL, "both": ["C0RECEIPTS", TEAMS_CHANNEL]}
TIERS = ("production", "staging", "development")
TARGETS = {"sets": SET, "groups": GROUP, "iam-groups": IAM_GROUP, "iam-policies": POLICY}


def policy_of(answers: Answers) -> Policy:
    """As `prodaccess check --strict` lets it through."""
    reading = understand(Snapshot("", policy_files(answers)))
    assert reading.policy is not None, list(map(str, reading.problems))
    assert reading.warnings == ()
    return reading.policy


WAYS = [
    (chat, target, tier, ("security", "platform", None)[number % 3 - number // 9 % 3])
    for number, (chat, target, tier) in enumerate(product(CHATS, TARGETS, TIERS))
]


@pytest.mark.parametrize(("chat", "target", "tier", "security"), WAYS)
def test_every_kind_of_installation_passes_the_strict_check(
    answers: Made, chat: str, target: str, tier: str, security: str | None
) -> None:
    given = data(
        chats=["slack", "teams"] if chat == "both" else [chat],
        receipts_channel=CHATS[chat],
        roles={
            risk: {"risk": risk, "allows": f"What {risk} means", "target": TARGETS[target]}
            for risk in ("read", "change", "admin")
        },
        templates={"policies/logs.json": TEMPLATE} if target == "iam-policies" else {},
        security=security,
    )
    given["environments"]["orders-prod"].update(tier=tier, on_call=["developers"], approvals_channel=CHATS[chat])
    if security is None:
        del given["security"]
    policy = policy_of(answers(given))
    admin = policy.environments["orders-prod"].roles["admin"]
    if tier == "production":
        assert sum(admin.approve.values()) == 2
        assert admin.ticket is not None
    assert policy.panic_group == security


def test_the_rights_of_the_worker_are_named_by_files_that_come_along(answers: Made) -> None:
    given = data(templates={"policies/logs.json": TEMPLATE})
    given["groups"]["platform"] = {"identity_center_group": "Platform"}
    given["roles"] = {name: {"risk": "read", "allows": "Look", "target": target} for name, target in TARGETS.items()}
    found = list(rights(answers(given)))
    assert {f"deploy/aws/{name}" for name in found} <= files().keys()
    assert len(found) == 6
    assert list(rights(answers(data()))) == ["README.md", "worker-policy.identity-center.json"]


@pytest.mark.parametrize("count", [1, 16])
def test_sizes(answers: Made, count: int) -> None:
    given = data()
    one = given["environments"].pop("orders-prod")
    given["environments"] = {f"team-{number}-prod": {**one, "title": f"Team {number}"} for number in range(count)}
    given["groups"]["developers"] = {"members": [f"dana{number}@example.com" for number in range(count * 10)]}
    given["roles"] = {f"role-{n}": {"risk": "read", "allows": "Look", "target": SET} for n in range(1 + count // 8)}
    policy = policy_of(answers(given))
    assert len(policy.environments) == count
    assert len(policy.groups["developers"].members or ()) == count * 10


@pytest.mark.parametrize(
    "group",
    [
        {"identity_center_group": 'dev "ops": # all'},
        {"slack_usergroup": "S0ONCALL", "trusted": True},
        {"entra_group": "01234567-89ab-cdef-0123-456789abcdef", "trusted": True},
        {"pagerduty_schedule": "PABC123", "token": {"env": "PAGERDUTY_TOKEN"}},
        {"https": "https://people.example.com/a?b={c}", "token": {"env": "PEOPLE_TOKEN"}},
    ],
)
def test_groups_are_what_they_can_be_in_the_policy(answers: Made, group: dict[str, Any]) -> None:
    given = data()
    given["groups"]["platform"] = group
    (found,) = (each for each in policy_of(answers(given)).groups.values() if each.name == "platform")
    assert found.source is not None
    assert next(iter(group.values())) in found.source


def test_the_example_works_as_it_is(tmp_path: Path) -> None:
    found = read_answers("example", EXAMPLE)
    assert isinstance(found, Answers), list(map(str, found))
    make(found, {}, tmp_path)
    reading = read_policy(tmp_path / "config")
    assert (reading.problems, reading.warnings) == ((), ())


# ---------------------------------------------------------------- hostile words


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(answers: Made, words: str) -> None:
    given = with_environment(title=words)
    given["roles"]["read-only"] |= {"allows": words, "how_to": words, "danger": words}
    found = policy_of(answers(given))
    environment = found.environments["orders-prod"]
    assert environment.title == words.strip()
    assert environment.owners == ("platform",)
    assert environment.roles["read-only"].allows == words.strip()
    assert set(found.environments) == {"orders-prod"}
    for written in policy_files(answers(given)).values():
        assert all(char.isprintable() or char == "\n" for char in written)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@runs(max_examples=30)
def test_any_text_is_read_back_as_it_was(words: str) -> None:
    assert yaml.safe_load(scalar(words)) == words
    assert yaml.safe_load(flow({words: [words, {"a": words}]})) == {words: [words, {"a": words}]}
    assert "\n" not in flow([words])


@pytest.mark.parametrize("name", ["no", "on", "y", "null", "1e3", "007"])
def test_names_that_yaml_reads_as_something_else_stay_names(answers: Made, name: str) -> None:
    given = with_environment(owners=[name])
    given["groups"][name] = given["groups"].pop("platform")
    assert policy_of(answers(given)).environments["orders-prod"].owners == (name,)


# ---------------------------------------------------------------- slips


def said(given: dict[str, Any]) -> list[str]:
    found = read_answers("a.yaml", text(given))
    return [] if isinstance(found, Answers) else [str(problem) for problem in found]


def test_every_slip_is_said_with_its_line() -> None:
    given = with_environment(owners=["platfrm"], account=210987654321, tier="prod")
    given["timezone"] = "Europe/Wien"
    given["colour"] = "red"
    found = said(given)
    assert len(found) == 4
    assert any("tier: 'prod' is not possible here; did you mean 'production'?" in each for each in found)
    assert any("no time zone 'Europe/Wien'" in each for each in found)
    assert any("no key 'colour' here" in each for each in found)
    assert all(each.startswith("a.yaml:") for each in found)


@pytest.mark.parametrize(
    ("change", "words", "line"),
    [
        ({"owners": ["platfrm"]}, "no group 'platfrm'; did you mean 'platform'?", "- platfrm"),
        ({"roles": ["reed-only"]}, "no role 'reed-only'", "roles:"),
        (
            {"owners": ["developers"], "requesters": ["platform"]},
            "dana@example.com is the only owner of orders-prod",
            "owners:",
        ),
        ({"requesters": ["platform"]}, "only owners may ask for orders-prod", "requesters:"),
        ({"on_call": ["nobody"]}, "no group 'nobody'", "on_call:"),
    ],
)
def test_what_the_strict_check_would_say_is_said_of_the_answers(change: dict[str, Any], words: str, line: str) -> None:
    given = with_environment(**change)
    lines = text(given).splitlines()
    (found,) = said(given)
    assert words in found
    at = int(found.split(":")[1]) - 1
    assert any(line in each for each in lines[at - 1 : at + 2]), (found, lines[at])


def test_a_lonely_security_group_is_refused() -> None:
    given = data()
    given["groups"]["security"] = {"members": ["sid@example.com"]}
    (found,) = said(given)
    assert "security must agree to requests and is one person" in found


def test_groups_that_anybody_can_join_decide_nothing_in_production() -> None:
    given = with_environment(on_call=["oncall"])
    given["groups"]["oncall"] = {"slack_usergroup": "S0ONCALL"}
    (found,) = said(given)
    assert "'oncall' may break glass in orders-prod" in found


@pytest.mark.parametrize("secret", ["xoxb-12345-abcdef", "AKIAABCDEFGHIJKLMNOP", "ghp_abcdefghijkl"])
def test_a_secret_among_the_answers_is_refused_and_not_repeated(secret: str) -> None:
    found = said(with_environment(title=secret))
    assert found
    assert "this looks like" in found[0]
    assert secret not in "".join(found)


def test_a_template_that_outlives_its_end_is_refused_in_production() -> None:
    given = data(templates={"policies/logs.json": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]})})  # fmt: skip
    given["roles"]["keys"] = {"risk": "change", "allows": "Make users", "target": POLICY}
    assert any("can outlive its end" in each for each in said(given))


def test_a_file_that_is_no_yaml_is_one_sentence() -> None:
    for words in ("", "a: [", "\x00", "- 1", "a: &b c", "version: 1"):
        found = read_answers("a.yaml", words)
        assert not isinstance(found, Answers)
        assert found
        assert all("\n" not in str(problem) for problem in found)


def test_answers_in_order_have_no_slips(answers: Made) -> None:
    assert list(slips(answers(data()))) == []
