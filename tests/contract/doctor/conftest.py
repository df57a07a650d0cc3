"""One installation for all faults of a pytest worker; each test is given it calm."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.sandbox.installation.people import aws_world, slack_world, teams_world
from bot.sandbox.slack import SlackServer
from bot.sandbox.teams.server import TeamsServer
from tests.contract.doctor.rig import AS_STARTED, Rig


@pytest.fixture
def redis_url(redis_url: str) -> str:
    """In the first database: Redis's users here may change to no other one."""
    return f"{redis_url.rpartition('/')[0]}/0"


@pytest.fixture
def rig(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> Iterator[Rig]:
    """The policy and Redis alone."""
    yield Rig(redis_url, tmp_path / "policy", redis_client)
    for name, value in AS_STARTED.items():
        redis_client.config_set(name, value)
    for user in redis_client.acl_users():
        if user != "default":
            redis_client.acl_deluser(user)


@pytest.fixture(scope="session")
def slack_server() -> Iterator[SlackServer]:
    with SlackServer(slack_world()) as server:
        yield server


@pytest.fixture(scope="session")
def teams_server() -> Iterator[TeamsServer]:
    with TeamsServer(teams_world) as server:
        yield server


@pytest.fixture
def in_slack(rig: Rig, slack_server: SlackServer) -> Iterator[Rig]:
    """With the workspace of the example policy."""
    space, app = slack_server.workspace, slack_server.app
    before = copy.deepcopy((space.users, space.groups, space.channels)), copy.copy(vars(app))
    rig.slack = slack_server
    rig.environ |= {
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACK_API_URL": slack_server.api_url,
    }
    yield rig
    (space.users, space.groups, space.channels), settings = before
    vars(app).update(settings)
    slack_server.faults.clear()


@pytest.fixture
def in_teams(rig: Rig, teams_server: TeamsServer) -> Iterator[Rig]:
    """With the same people in Teams, and the policy's channels in both chats."""
    permissions = set(teams_server.graph.permissions)
    rig.teams = teams_server
    # Addresses on this machine are taken for Microsoft's beside a simulator of AWS alone.
    rig.environ |= {**teams_server.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    yield rig
    teams_server.graph.permissions.clear()
    teams_server.graph.permissions |= permissions
    teams_server.faults.clear()


@pytest.fixture
def on_aws(rig: Rig, aws: Any) -> Rig:
    """With the accounts of the example policy; the worker's credentials are this process's own."""
    aws.reset(aws_world())
    rig.aws = aws
    rig.environ |= aws.environment()
    return rig
