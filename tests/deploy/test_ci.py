"""What a repository copies so that its pipeline waits at the gate: it can be read, and asks as the command takes it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import typer.main
import yaml

from bot.__main__ import app
from workflows.core.pipelines.allowed import EVENTS
from workflows.core.pipelines.identity import Forge

CI = Path(__file__).resolve().parents[2] / "deploy" / "ci"


def read(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text(encoding="utf-8"))


def takes(line: str) -> None:
    """Whether the command line is one of ours, with these options."""
    program, name, *words = shlex.split(line)
    command: Any = typer.main.get_command(app)
    assert program == "prodaccess"
    command.commands[name].make_context(name, words)


def test_the_workflow_for_github_asks_by_a_token_and_by_events_that_the_policy_takes() -> None:
    workflow = read("github-actions.yml")
    # YAML 1.1 reads the key `on` as true.
    events = workflow.get("on", workflow.get(True))
    job = workflow["jobs"]["deploy"]
    steps = {step["name"]: step for step in job["steps"]}

    assert set(events) <= set(EVENTS[Forge.GITHUB])
    assert "pull_request_target" not in (CI / "github-actions.yml").read_text(encoding="utf-8")
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"id-token": "write"}
    assert not any("uses" in step for step in job["steps"])
    takes(steps["Wait for an owner"]["run"])
    # Nothing that others wrote stands in a line that the shell reads.
    assert not any("${{" in step["run"] for step in job["steps"])
    assert [step["name"] for step in job["steps"]].index("Wait for an owner") < len(job["steps"]) - 1


def test_the_job_for_gitlab_asks_by_a_token_for_us_alone() -> None:
    job = read("gitlab-ci.yml")["deploy"]

    assert job["id_tokens"] == {"PRODACCESS_ID_TOKEN": {"aud": "$PRODACCESS_URL"}}
    assert all("merge_request" not in rule["if"] for rule in job["rules"])
    takes(job["script"][1])
    assert "prodaccess gate" not in job["script"][-1]
