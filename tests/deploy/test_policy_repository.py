"""The steps of the workflow for a policy repository, played in one: with a good change, and with a bad one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "deploy" / "policy-repository" / ".github" / "workflows" / "policy.yaml"


class Runner:
    """What a runner does: each step's lines in one shell, which stops at the first that fails."""

    def __init__(self, folder: Path) -> None:
        self.remote, self.work, self.temp = folder / "example" / "policy", folder / "work", folder / "temp"
        for place in (self.remote, self.work, self.temp, folder / "bin"):
            place.mkdir(parents=True)
        program = folder / "bin" / "prodaccess"
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bot "$@"\n')
        program.chmod(0o755)
        self.steps = {
            step["name"]: step["run"] for step in yaml.safe_load(WORKFLOW.read_text())["jobs"]["policy"]["steps"]
        }
        self.environ = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GITHUB_SERVER_URL": f"file://{folder}",
            "GITHUB_REPOSITORY": "example/policy",
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_RUN_ID": "1",
            "RUNNER_TEMP": str(self.temp),
            "TOKEN": "not-a-token",
        }

    def git(self, *words: str) -> str:
        who = {
            f"GIT_{role}_{what}": "dana@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["git", *words], cwd=self.remote, env={**self.environ, **who}, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def run(self, step: str, before: str, after: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.steps[step]],
            cwd=self.work,
            env={**self.environ, "BEFORE": before, "GITHUB_SHA": after},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    found = Runner(tmp_path)
    shutil.copytree(ROOT / "config", found.remote / "config")
    shutil.copytree(ROOT / "tests" / "policy", found.remote / "tests")
    found.git("init", "-q", "-b", "main")
    return found


def test_a_change_is_checked_tried_and_told(runner: Runner) -> None:
    before = runner.commit()
    rules = runner.remote / "config" / "prodaccess.yaml"
    rules.write_text(rules.read_text().replace("{owners: 1, security: 1}", "{owners: 1}"))
    after = runner.commit()
    assert runner.run("fetch", before, after) == (0, "")
    assert runner.run("check", before, after)[0] == 0
    code, text = runner.run("test", before, after)
    assert code == 1
    assert "::error file=tests/orders.yaml,line=" in text
    assert "approvals: expected 1 of owners, 1 of security, got 1 of owners" in text
    assert runner.run("changes", before, after)[0] == 0
    told = (runner.temp / "summary").read_text()
    assert "**Looser in production: 1**" in told
    assert "- `orders-prod admin: approve 1 of owners, 1 of security -> 1 of owners`" in told
    output = (runner.temp / "output").read_text()
    assert output.startswith("text<<END-OF-1\n### What this changes")
    assert output.endswith("\nEND-OF-1\n")


def test_a_comment_that_would_be_too_long_ends_with_a_whole_line_that_says_so(runner: Runner) -> None:
    before = runner.commit()
    program = runner.temp.parent / "bin" / "prodaccess"
    program.write_text(
        '#!/bin/sh\nfor each in $(seq 1000); do echo "- \\`environment door-$each: $(printf %060d 0)\\`"; done\n'
    )
    (runner.remote / "config" / "roles.yaml").write_text("roles: {}\n")
    after = runner.commit()
    assert runner.run("fetch", before, after) == (0, "")
    assert runner.run("changes", before, after)[0] == 0
    lines = (runner.temp / "output").read_text().splitlines()
    assert 50_000 < sum(len(line) + 1 for line in lines) < 61_000
    assert lines[-4:-2] == ["", "This is not all of it: the rest stands in the summary of the run."]
    assert all(line.endswith("`") for line in lines if line.startswith("- "))


def test_a_policy_that_is_not_in_order_stops_the_change_and_is_said(runner: Runner) -> None:
    before = runner.commit()
    (runner.remote / "config" / "roles.yaml").write_text("roles: {}\n")
    after = runner.commit()
    assert runner.run("fetch", before, after)[0] == 0
    code, text = runner.run("check", before, after)
    assert code == 1
    assert "::error file=config/roles.yaml" in text
    assert runner.run("changes", before, after)[0] == 0
    assert "one of the two policies is not in order" in (runner.temp / "summary").read_text()


def test_the_first_policy_has_nothing_before_it(runner: Runner) -> None:
    first = runner.commit()
    assert runner.run("fetch", "0" * 40, first)[0] == 0
    assert runner.run("changes", "0" * 40, first)[0] == 0
    assert "no policy to compare" in (runner.temp / "summary").read_text()
