"""The repository for a policy that we hand out: it gives nobody a right that it does not need, and says our commands rightly."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.__main__ import app

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "deploy" / "policy-repository"
WORKFLOW = HERE / ".github" / "workflows" / "policy.yaml"
TEXT = WORKFLOW.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(TEXT)
    return found


def steps(workflow: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def test_it_runs_with_no_rights_on_what_strangers_wrote(workflow: dict[Any, Any]) -> None:
    # YAML reads `on` as true.
    assert set(workflow[True]) == {"pull_request", "push"}
    assert workflow[True]["push"] == {"branches": ["main"]}
    assert not re.search(r"^[^#]*pull_request_target", TEXT, re.MULTILINE)


def test_each_job_has_the_least_rights(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    assert rights == {"policy": None, "comment": {"pull-requests": "write"}}
    assert "secrets." not in TEXT


def test_what_may_write_sees_nothing_of_the_change_but_text(workflow: dict[Any, Any]) -> None:
    job = workflow["jobs"]["comment"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert all("git fetch" not in step["run"] and "prodaccess" not in step["run"] for step in job["steps"])


def test_nothing_of_others_runs_and_nothing_is_put_into_a_command_line(workflow: dict[Any, Any]) -> None:
    found = list(steps(workflow))
    assert len(found) == 6
    for step in found:
        assert "uses" not in step
        assert "${{" not in step["run"]


def test_python_looks_for_nothing_in_the_change(workflow: dict[Any, Any]) -> None:
    """It does so by `-m`: the folder that it is started in comes first."""
    lines = [line for step in steps(workflow) for line in step["run"].splitlines() if "python3" in line]
    assert [line.strip() for line in lines] == ['python3 -I -m venv "$RUNNER_TEMP/prodaccess"']


def commands(text: str) -> Iterator[list[str]]:
    for line in re.findall(r"^[^#\n]*?(?:run: |- |^ +)(prodaccess [^\n|>]+)", text, re.MULTILINE):
        yield shlex.split(line.strip())[1:]


OURS = [*commands(TEXT), *commands((HERE / "gitlab-ci.yml").read_text(encoding="utf-8"))]


def test_all_of_our_commands_are_looked_at() -> None:
    assert [words[: 2 if words[0] == "policy" else 1] for words in OURS] == [
        ["check"],
        ["policy", "test"],
        ["policy", "diff"],
    ] * 2


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_each_command_is_one_of_ours_with_options_that_exist(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("prodaccess", list(words), resilient_parsing=True)
    while hasattr(command, "commands"):
        name, command, words = command.resolve_command(context, list(words))
        context = command.make_context(name, list(words), parent=context, resilient_parsing=True)
    # Parsed in earnest: an option that does not exist raises.
    parser = command.make_parser(context)
    _, left, _ = parser.parse_args(list(words))
    assert left == []


def test_production_belongs_to_its_owners_and_the_checks_to_security() -> None:
    owners = dict(
        line.split(None, 1)
        for line in (HERE / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    for path in (
        "/config/prodaccess.yaml",
        "/config/roles.yaml",
        "/config/environments/",
        "/config/environments/orders-prod.yaml",
        "/tests/",
        "/.github/",
    ):
        assert "@example/security" in owners[path]
    assert "@example/orders-owners" in owners["/config/environments/orders-prod.yaml"]
