"""A chat that is not set up costs nothing: no process imports anything of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OF_TEAMS = ("bot.teams", "msal", "jwt", "requests", "pymsteams")
# A webhook is built when the first message goes to one.
OF_SLACK = ("bot.slack", "slack_sdk", "slack_bolt", "pymsteams", "bot.teams.webhook")
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "e" * 32}
TEAMS = {
    "TEAMS_APP_ID": "11111111-2222-4333-8444-555555555555",
    "TEAMS_APP_PASSWORD": "s~ecret0",
    "TEAMS_TENANT_ID": "99999999-2222-4333-8444-555555555555",
}
# As each process does at its start, without waiting for a Redis.
STARTS = """
import importlib, json, sys
from bot import settings, wiring
from bot.wiring import common
from bot.providers import know_providers

know_providers()
common.keep_trying = lambda *_: None
for name in ("worker", "web", "clock"):
    process = importlib.import_module(f"bot.{name}")
    found = settings.for_process(name)
    assert not isinstance(found, tuple), found
    parts = getattr(wiring, f"build_{name}")(found)
    if name == "web":
        process.asgi(parts)
    if name == "worker":
        assert not {"slack_bolt", "uvicorn"} & sys.modules.keys(), "only web listens"
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(("given", "never"), [(SLACK, OF_TEAMS), (TEAMS, OF_SLACK)], ids=["Slack alone", "Teams alone"])
def test_nothing_of_a_chat_that_is_not_set_up_is_imported(given: dict[str, str], never: tuple[str, ...]) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **given,
    }
    done = subprocess.run(
        [sys.executable, "-c", STARTS], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in modules if name.startswith(tuple(f"{each}." for each in never)) or name in never] == []
