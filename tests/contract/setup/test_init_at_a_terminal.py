"""The whole conversation as a person has it: a process at a terminal of its own, from an empty folder to a policy in order."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bot.providers import know_providers
from tests.support.at_terminal import AtTerminal
from workflows.policy_file import read_policy

SECRET = "xoxb-hunter2-not-to-be-shown"


def everything(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


def up_to_the_owners(at: AtTerminal) -> None:
    at.answer("Where will your people ask", "")
    at.answer("How does Slack reach the bot?", "1")
    at.answer("behind the @", "exmple")
    at.wait_for("! 'exmple' is not an e-mail domain")
    at.answer("", "example.com")
    at.answer("time zone", "Europe/Vienna")
    at.answer("How do people get into AWS?", "")
    at.answer("In which region?", "eu-central-1")
    at.answer("With which AWS profile?", "-")
    at.answer("access portal", "-")
    at.answer("Which permission sets", "ReadOnlyAccess, AdministratorAccess")
    at.answer("ReadOnlyAccess: how much", "")
    at.answer("ReadOnlyAccess: what does it allow", "See logs: all # of them")
    at.answer("AdministratorAccess: how much", "3")
    at.answer("AdministratorAccess: what does it allow", "")
    at.answer("what is the danger", "")
    at.answer("first environment", "orders-prod")
    at.answer("How do people call it?", "Örders 🔴")
    at.answer("What kind of environment", "")
    at.answer("In which AWS account", "210987654321")


def test_from_an_empty_folder_to_a_policy_in_order(tmp_path: Path) -> None:
    with AtTerminal(tmp_path, ["init"]) as at:
        up_to_the_owners(at)
        at.answer("Who owns it?", "olu@example.com")
        at.answer("Who is the second one", "pat@example.com")
        at.answer("called in the policy?", "")
        at.answer("Who may ask?", "dana@example.com")
        at.answer("called in the policy?", "")
        at.answer("Who is on call?", "S0ONCALLROTA")
        at.answer("administrators alone", "y")
        at.answer("called in the policy?", "")
        at.answer("approval cards", "https://acme.slack.com/archives/C0ORDERSOPS")
        at.answer("Which roles", "")
        at.answer("Another environment?", "n")
        at.answer("Who looks after security?", "")
        at.answer("tickets look like", "INC-42, OPS-7")
        at.answer("holds the receipts?", "C0RECEIPTS")
        at.answer("bot token", SECRET)
        at.answer("app-level token", "")
        at.answer("your Redis", "")
        assert everything(tmp_path) == []
        at.answer("Write it?", "")
        assert at.end() == 0
    assert SECRET not in at.screen
    for step in ("prodaccess slack manifest", "SLACK_APP_TOKEN", "prodaccess config render", "prodaccess up"):
        assert step in at.screen
    assert SECRET in (tmp_path / ".env").read_text()
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    know_providers()
    reading = read_policy(tmp_path / "config")
    assert (reading.problems, reading.warnings) == ((), ())
    assert reading.policy is not None
    environment = reading.policy.environments["orders-prod"]
    assert environment.title == "Örders 🔴"
    assert environment.roles["administrator"].approve == {"owners": 2}
    assert (
        yaml.safe_load((tmp_path / "config" / "roles.yaml").read_text())["roles"]["read-only"]["allows"]
        == "See logs: all # of them"
    )
    assert SECRET not in "".join(each.read_text() for each in (tmp_path / "config").rglob("*") if each.is_file())


def up_to_the_mode(at: AtTerminal) -> None:
    at.answer("Where will your people ask", "")


@pytest.mark.parametrize(
    ("way", "so_far", "then"),
    [("\x03", up_to_the_owners, "Who owns it?"), ("\x04", up_to_the_mode, "How does Slack reach the bot?")],
    ids=["ctrl-c", "ctrl-d"],
)
def test_stopped_in_the_middle_it_leaves_nothing(
    tmp_path: Path, way: str, so_far: Callable[[AtTerminal], None], then: str
) -> None:
    with AtTerminal(tmp_path, ["init", "new"]) as at:
        so_far(at)
        at.wait_for(then)
        at.wait_for("> ")
        at.press(way)
        at.wait_for("Stopped. Nothing was written.")
        assert at.end() == 130
    assert "Traceback" not in at.screen
    assert everything(tmp_path) == []


def test_what_stands_there_is_said_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    with AtTerminal(tmp_path, ["init"]) as at:
        assert at.end() == 1
    assert "These are here already: .env." in at.screen
    assert "?" not in at.screen
    assert os.listdir(tmp_path) == [".env"]
