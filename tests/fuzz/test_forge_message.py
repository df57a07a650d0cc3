"""What GitHub could say of a deployment that waits, by message and by API, nearly right: nothing odd is believed."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given

from bot.forge.github import _run
from bot.forge.message import Odd, wait_of
from tests.support import github
from tests.support.fuzz import as_json, few, nearly, quickly
from workflows.core.rules.forge_run import RunSeen
from workflows.ports import ForgeSilent

THERE = github.GitHub(lambda: 0.0)
RUN = THERE.waits()
MESSAGE = THERE.message(RUN)
SAID = THERE._run(str(RUN.id))[1]


@few(30)
@given(nearly(MESSAGE))
@example(MESSAGE | {"environment": "\ud83d"})
def test_any_message_that_is_signed(message: Any) -> None:
    with quickly():
        try:
            found = wait_of(as_json(message).encode(), THERE.url)
        except Odd as odd:
            str(odd).encode()
            return
        if found is not None:
            assert message["deployment_callback_url"] == (
                f"{THERE.url}/repos/{found.repository}/actions/runs/{found.run}/deployment_protection_rule"
            )
            assert found.environment.isprintable()


@few(30)
@given(nearly(SAID))
def test_any_run_that_the_api_tells_of(said: Any) -> None:
    with quickly():
        try:
            assert isinstance(_run(said if isinstance(said, dict) else {}), RunSeen)
        except ForgeSilent as silent:
            str(silent).encode()
