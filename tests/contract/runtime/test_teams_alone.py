"""With Teams alone: three processes without a variable of Slack, and somebody in Teams who is answered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.runtime.embedded_redis import EmbeddedValkey
from bot.sandbox.teams import cards
from bot.sandbox.teams.people import DANA, channel_id
from bot.sandbox.teams.server import TeamsServer
from tests.support import warm
from tests.support.installation import eventually, free_port
from tests.support.readyz import read, status

POLICY = f"""
version: 1
timezone: Europe/Berlin
email_domains: [example.com]
connections:
  main: {{kind: aws, region: eu-central-1, portal: "https://acme.awsapps.com/start"}}
receipts_channel: "teams:{channel_id("Orders ops")}"
groups:
  platform: {{members: [olu@example.com, pat@example.com]}}
  developers: {{members: [dana@example.com]}}
rules:
  production:
    any: {{approve: {{owners: 1}}, durations: [30m], default_duration: 30m, max_duration: 8h}}
"""
PLACE = """
environment: shop-prod
tier: production
connection: main
account: "200000000001"
owners: [platform]
requesters: [developers]
roles: {read-only: {}}
"""
ROLES = """
roles:
  read-only: {risk: read, allows: Read, target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}}
"""


@contextmanager
def running(folder: Path, **given: str) -> Iterator[None]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_", "PRODACCESS_"))}
    with ExitStack() as stack:
        start = warm.forked if warm.CAN_FORK else warm.started
        for name in ("web", "worker", "clock"):
            process = start([name], env | given, folder / f"{name}.log")
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield


def test_an_installation_without_slack_starts_and_answers(tmp_path: Path, durable_redis: EmbeddedValkey) -> None:
    config, port = tmp_path / "config", str(free_port())
    (config / "environments").mkdir(parents=True)
    (config / "prodaccess.yaml").write_text(POLICY)
    (config / "roles.yaml").write_text(ROLES)
    (config / "environments" / "shop-prod.yaml").write_text(PLACE)
    with TeamsServer() as teams:
        teams.courier.request_url = f"http://127.0.0.1:{port}/api/messages"
        given = {
            "REDIS_URL": durable_redis.url,
            "PRODACCESS_CONFIG": str(config),
            "PORT": port,
            "PRODACCESS_HOST": "127.0.0.1",
            # Nothing of AWS is asked for here; loopback addresses of Teams need it to be no real one.
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        with running(tmp_path, **given, **teams.environment()):
            eventually(lambda: status(port, "/readyz") == 200, lambda: f"it is ready: {read(port)}")
            found = read(port)
            assert found["missing"] == []
            unsealed, unusual = found["attention"]
            assert "PRODACCESS_AUDIT_KEY" in unsealed
            assert unusual.startswith("TEAMS_OPENID_URL, TEAMS_LOGIN_URL, TEAMS_SERVICE_URL and GRAPH_API_URL are not")
            assert status(port, "/slack/events") == 404
            teams.client.type(DANA, "envs")
            chat = teams.world.personal(DANA)

            def said() -> str:
                own = [one for one in chat.standing() if one.sender == teams.world.bot_id]
                return " ".join(str(cards.words(one.card or {})) for one in own)

            eventually(lambda: "shop-prod" in said(), lambda: f"she is answered: {said()}")
    logs = "".join((tmp_path / f"{name}.log").read_text() for name in ("web", "worker", "clock"))
    assert "Traceback" not in logs
    assert "Bearer" not in logs
    assert teams.login.password not in logs
