"""The policy has a forge hold deployments back, and a worker has no way to it: whoever runs this hears of it before one waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.health import troubles
from bot.settings import Settings
from bot.wiring.forges import looks
from tests.support import forge, github, gitlab
from tests.support.chat import RECEIPTS
from tests.support.http_stand_in import Fails
from tests.support.outside import Outside, no_jobs_left
from tests.unit.forge.test_gitlab import ruled
from workflows.core.policy import Policy
from workflows.usecases.shared.troubles import standing

LAB = "https://gitlab.example.com"
POLICIES: Mapping[str, Callable[[], Policy]] = {"gitlab": lambda: ruled(LAB), "github": forge.ruled}
ASKS = {
    "gitlab": "asking GitLab which deployments wait: GITLAB_TOKEN is not set for a worker",
    "github": "asking GitHub what it said in vain: GITHUB_APP_ID and GITHUB_APP_KEY are not set for a worker",
}


def look_on(world: Outside, settings: Settings, times: int) -> None:
    """As often as a worker does, with all that then has to be shown."""
    every = looks(settings, world.ctx)
    for _ in range(times):
        for one in every:
            one.look()
        world.tick(max(one.every_s for one in every))
        world.show()


@pytest.mark.parametrize("name", POLICIES)
def test_a_worker_without_the_key_says_so_where_people_look_and_once_in_the_receipts_channel(name: str) -> None:
    with no_jobs_left():
        world = Outside(POLICIES[name]())
        look_on(world, Settings(), 2)
        assert (world.slack.told(RECEIPTS), troubles(world.ctx)) == ([], [])
        look_on(world, Settings(), 8)
        (missing,) = troubles(world.ctx)
        assert ASKS[name] in missing
        (alarm,) = world.slack.told(RECEIPTS)
        assert ASKS[name].partition(": ")[2] in alarm
        assert [one.item for one in standing(world.ctx)] == [f"process:{name}"]


@pytest.mark.parametrize("name", POLICIES)
def test_where_nothing_waits_for_us_nobody_asks_for_a_key(name: str) -> None:
    with no_jobs_left():
        world = Outside(POLICIES[name]())
        policy = world.policy.current()
        world.policy.policy = replace(policy, pipelines=tuple(replace(one, rule="") for one in policy.pipelines))
        look_on(world, Settings(), 5)
        assert list(standing(world.ctx)) == []


def test_an_app_that_github_does_not_believe_is_told_before_a_deployment_waits(tmp_path: Path) -> None:
    with no_jobs_left():
        world = Outside(forge.ruled())
        with github.running(lambda: world.clock.now().timestamp()) as there:
            key = github.write_app_key(tmp_path / "app.pem", "another one")
            given = Settings(github_app_id=github.APP_ID, github_app_key=str(key), github_api_url=there.url)
            look_on(world, given, 4)
        (missing,) = troubles(world.ctx)
        assert "asking GitHub what it said in vain: GitHub refuses the App" in missing


def test_what_is_given_is_used_and_a_moment_of_silence_calls_nobody() -> None:
    with no_jobs_left(), gitlab.running() as there:
        world = Outside(ruled(there.url))
        given = Settings(gitlab_token=gitlab.TOKEN, gitlab_api_url=f"{there.url}/api/v4")
        there.fails = [Fails("deployments", 502)]
        look_on(world, given, 5)
        assert len(there.asked) > 1
        assert (world.slack.told(RECEIPTS), troubles(world.ctx)) == ([], [])
