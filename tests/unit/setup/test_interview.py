"""Whatever is typed, the conversation ends with answers that pass the strict check; what cannot be used is asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest

from bot.setup.answers import Answers
from bot.setup.aws import Listed, Seen
from bot.setup.files import policy_files
from bot.setup.questions import roles
from bot.setup.questions.asker import Question
from bot.setup.questions.chat import local_zone
from bot.setup.questions.interview import Interview, interview
from bot.setup.questions.parsers import called, ticket
from bot.setup.questions.picking import pick, pick_several
from bot.setup.reading import read_answers
from tests.unit.setup.answer_data import HOSTILE
from tests.unit.setup.scripted import FIRST, Scripted
from workflows.core.policy import Policy
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import understand

TEAMS_LINK = "https://teams.microsoft.com/l/channel/19%3A0a1b2c%40thread.tacv2/Access?groupId=1&tenantId=2"
Typed = Mapping[str, Sequence[str]]


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "profiles", lambda: ())
    monkeypatch.setattr(roles, "connect", lambda *_: None)


def talk(typed: Typed | None = None) -> tuple[Answers, Scripted, Interview]:
    asker = Scripted(typed)
    found = interview(asker, "here")
    assert found.answers is not None, list(map(str, found.slips))
    return found.answers, asker, found


def policy_of(answers: Answers) -> Policy:
    reading = understand(Snapshot("", policy_files(answers)))
    assert reading.policy is not None
    assert reading.warnings == ()
    return reading.policy


def test_enter_and_a_dozen_answers_make_a_policy() -> None:
    answers, asker, _ = talk()
    policy = policy_of(answers)
    assert asker.slips == []
    production = policy.environments["orders-prod"]
    assert production.title == "Orders"
    assert production.owners == ("platform",)
    assert production.break_glass is not None
    assert policy.panic_group == "security"
    assert policy.timezone == "Europe/Vienna"
    assert "Chosen for you" in asker.text


WAYS = [
    (chats, aws, tier, ("", "sid@example.com, sue@example.com")[number % 2])
    for number, (chats, aws, tier) in enumerate(product(("slack", "teams", "both"), ("identity-center", "iam"), "123"))
]


@pytest.mark.parametrize(("chats", "aws", "tier", "security"), WAYS)
def test_every_way_through_passes_the_strict_check(chats: str, aws: str, tier: str, security: str) -> None:
    channel = TEAMS_LINK if chats == "teams" else "C0RECEIPTS"
    answers, _, _ = talk(
        {
            "Where will your people": [chats],
            "How do people get into AWS": [aws],
            "What kind of environment": [tier],
            "Which permission sets": ["ReadOnlyAccess, PowerUserAccess, AdministratorAccess"],
            "Which IAM groups": ["{environment}-deployers, admins"],
            "holds the receipts": [channel],
            "approval cards": [channel],
            "Who looks after security": [security],
        }
    )
    policy = policy_of(answers)
    (environment,) = policy.environments.values()
    risks = {each.risk for each in environment.roles.values()}
    assert len(risks) == 3
    assert policy.panic_group == ("security" if security else "platform")


def test_a_second_environment_is_offered_what_the_first_one_has() -> None:
    answers, _, _ = talk({"Another": ["y", "n"], "What is it called": ["orders-staging"]})
    first, second = answers.given.environments.values()
    assert second.tier == "staging"
    assert (second.owners, second.requesters, second.on_call) == (first.owners, first.requesters, None)
    assert len(answers.given.groups) == 4


def test_names_by_hand_over_numbers_and_parts() -> None:
    asker = Scripted(
        {"Which": ["2"], "Many": ["shop"], "Two": ["prod", "2"], "Several": ["1, 3"], "New": ["other", "other"]}
    )
    names = Listed(("111122223333 Shop", "222233334444 Prod one", "333344445555 Prod two"))
    assert pick(asker, Question("Which?"), names, str) == "222233334444 Prod one"
    assert pick(asker, Question("Many?"), names, str) == "111122223333 Shop"
    assert pick(asker, Question("Two?"), names, str) == "333344445555 Prod two"
    assert pick_several(asker, Question("Several?"), names, str) == ["111122223333 Shop", "333344445555 Prod two"]
    assert pick(asker, Question("New?"), names, str) == "other"
    assert len(asker.slips) == 2


def test_thousands_are_searched_and_no_wall_of_text() -> None:
    names = Listed(tuple(f"{number:012} Team {number}" for number in range(5000)), whole=False)
    asker = Scripted({"Which": ["team 49", "Team 4999"]})
    assert pick(asker, Question("Which?"), names, str) == "000000004999 Team 4999"
    assert "5000 at least" in asker.text
    assert "and 96 more" in asker.slips[0]
    assert all(len(each.splitlines()) < 25 for each in asker.said)


def test_what_was_read_of_aws_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(
        accounts=Listed(("210987654321 Orders production",)),
        permission_sets=Listed(("BillingReadOnly", "Deploy")),
        groups=Listed(("Developers EU", "On call")),
        portal="https://d-1.awsapps.com/start",
    )
    monkeypatch.setattr(roles, "look", lambda *_, **__: seen)
    answers, asker, _ = talk(
        {
            "Shall I read": ["reader"],
            "In which AWS account": ["orders"],
            "Which permission sets": ["1, Deploy"],
            "Who may ask": ["developers", ""],
        }
    )
    assert answers.given.environments["orders-prod"].account == "210987654321"
    assert answers.given.groups["developers-eu"].identity_center_group == "Developers EU"
    assert "1 account" in asker.text
    assert policy_of(answers).connections["main"].phrase().split()[1:] == [
        "eu-central-1",
        "aws",
        "https://d-1.awsapps.com/start",
    ]


def test_what_cannot_be_read_is_a_sentence_and_names_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "look", lambda *_, **__: Seen(why="AWS does not answer from here."))
    answers, asker, _ = talk({"Shall I read": ["reader", "-"]})
    assert asker.slips == [
        "AWS does not answer from here. Try again, type another profile, or a dash to type names by hand."
    ]
    policy_of(answers)


# ---------------------------------------------------------------- what strict would warn of


def test_one_owner_is_asked_for_the_second() -> None:
    answers, asker, _ = talk({"Who owns it": ["olu@example.com"], "second one": ["OLU@example.com", "pat@example.com"]})
    assert answers.given.groups["platform"].members == ("olu@example.com", "pat@example.com")
    assert asker.slips == ["That is the same person."]


def test_owners_alone_may_not_be_the_only_ones_who_ask() -> None:
    answers, asker, _ = talk(
        {"Who may ask": ["platform", "olu@example.com", "platform, dana@example.com", "dana@example.com"]}
    )
    assert answers.given.environments["orders-prod"].requesters == ("developers",)
    assert len(asker.slips) == 3
    assert set(answers.given.groups) == {"platform", "developers", "security"}


@pytest.mark.parametrize("question", ["Who owns it", "Who is on call", "Who looks after security"])
def test_a_group_that_members_may_edit_decides_nothing(question: str) -> None:
    good = "olu@example.com, pat@example.com"
    answers, asker, _ = talk({question: ["S0ONCALLROTA", good], "administrators alone": ["n"]})
    assert any("Whoever may edit" in each for each in asker.slips)
    policy_of(answers)
    answers, asker, _ = talk({question: ["S0ONCALLROTA"], "administrators alone": ["y"]})
    assert asker.slips == []
    policy_of(answers)


def test_an_entra_group_that_anybody_can_join_is_not_used() -> None:
    entra = "01234567-89ab-cdef-0123-456789abcdef"
    answers, asker, _ = talk(
        {
            "Where will your people": ["teams"],
            "holds the receipts": [TEAMS_LINK],
            "Who may ask": [entra, entra],
            "administrators alone": ["n", "y"],
        }
    )
    assert len(asker.slips) == 1
    assert answers.given.groups["developers"].trusted


def test_people_outside_of_the_domains_are_nobody() -> None:
    _, asker, _ = talk({"Who owns it": ["olu@elsewhere.example, pat@example.com", "olu@example.com, pat@example.com"]})
    assert asker.slips == ["'olu@elsewhere.example' is outside of example.com."]


def test_a_channel_of_a_chat_that_is_not_used() -> None:
    _, asker, _ = talk({"holds the receipts": [TEAMS_LINK, "#general", "https://acme.slack.com/archives/C0RECEIPTS"]})
    assert len(asker.slips) == 2


# ---------------------------------------------------------------- secrets


def test_secrets_are_neither_shown_nor_among_the_answers() -> None:
    answers, asker, found = talk(
        {"Slack's bot token": ["hunter2", "xoxb-hunter2"], "app-level": ["xapp-hunter2"], "your Redis": ["hunter2", ""]}
    )
    assert found.values == {"SLACK_BOT_TOKEN": "xoxb-hunter2", "SLACK_APP_TOKEN": "xapp-hunter2"}
    for text in (asker.text, found.typed, *policy_files(answers).values()):
        assert "hunter2" not in text


def test_a_secret_typed_at_another_question_is_not_kept() -> None:
    answers, asker, _ = talk({"How do people call it": ["xoxb-12345-hunter2", "Orders"]})
    assert any("looks like a Slack token" in each for each in asker.slips)
    assert "hunter2" not in asker.text
    assert answers.given.environments["orders-prod"].title == "Orders"


# ---------------------------------------------------------------- hostile words


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 4))
def test_hostile_words_at_every_question(start: int) -> None:
    """Taken or refused, one after the other; the conversation goes on, and what comes out is in order."""
    hostile = cycle([*HOSTILE[start:], *HOSTILE[:start]])
    typed = {part: [next(hostile), next(hostile), *lines] for part, lines in FIRST.items()}
    others = (
        "How do people call",
        "what does it allow",
        "what is the danger",
        "tickets look like",
        "called in the policy",
    )
    typed |= {part: [next(hostile), ""] for part in others}
    typed |= {"Which permission sets": [next(hostile), "ReadOnlyAccess"], "second one": ["pat@example.com"]}
    answers, _, _ = talk(typed)
    policy_of(answers)


def test_no_at_the_end_keeps_what_was_typed() -> None:
    found = interview(Scripted({"Write it": ["maybe", "no"]}), "here")
    assert found.answers is None
    assert found.slips == ()
    assert isinstance(read_answers("x", found.typed), Answers)


def test_the_answers_as_a_file_are_the_same_answers() -> None:
    answers, _, found = talk({"How do people call it": ["a: b # {c}"]})
    again = read_answers("x", found.typed)
    assert isinstance(again, Answers)
    assert policy_files(again) == policy_files(answers)


# ---------------------------------------------------------------- small things


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("INC-42", r"INC\-[0-9]+"),
        ("INC-42, OPS-7, INC-9", r"(?:INC\-[0-9]+|OPS\-[0-9]+)"),
        ("#12", r"\#[0-9]+"),
        ("A.1/2", r"A\.[0-9]+/[0-9]+"),
    ],
)
def test_patterns_of_tickets_by_example(typed: str, pattern: str) -> None:
    assert ticket(typed) == pattern


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("ReadOnlyAccess", "read-only"),
        ("{environment}-deployers", "deployers"),
        ("Sales Readers (EU)", "sales-readers-eu"),
        ("🔴", ""),
    ],
)
def test_names_made_of_others(name: str, short: str) -> None:
    assert called(name) == short


def test_time_zones_by_their_city() -> None:
    answers, asker, _ = talk({"time zone": ["Wien", "Europe/Wien", "new york"]})
    assert answers.given.timezone == "America/New_York"
    assert asker.slips == [
        "No time zone 'Wien'; write it like Europe/Vienna.",
        "No time zone 'Europe/Wien'; did you mean Europe/Vienna or Europe/Kiev?",
    ]


def test_the_zone_of_the_machine(tmp_path: Path) -> None:
    zones: dict[str, Any] = {"Europe/Vienna": "Europe/Vienna", "posix/Europe/Vienna": "UTC"}
    for number, (zone, found) in enumerate(zones.items()):
        target = tmp_path / "zoneinfo" / zone
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        link = tmp_path / f"localtime{number}"
        link.symlink_to(target)
        assert local_zone(link) == found
    assert local_zone(tmp_path / "none") == "UTC"
