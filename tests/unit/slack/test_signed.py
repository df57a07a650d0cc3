"""What Slack has not signed reaches nothing: nobody is told, nothing fails, nothing is counted, and the log stays short."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.runtime.operations import app_of
from bot.settings import Secret
from bot.slack.front import Events

SECRET, OLD = "e" * 32, "f" * 32
VERIFIER = SignatureVerifier(SECRET)
FORM = "application/x-www-form-urlencoded"
PRESS = {
    "type": "block_actions",
    "user": {"id": "U0SUE"},
    "response_url": "http://169.254.169.254/latest",
    "actions": [{"action_id": "approve"}],
}
COMMAND = urlencode({"command": "/prodaccess", "user_id": "U0OLU", "team_id": "T1", "text": "list"})


class Web:
    """The routes of ours before a Bolt app that notes whatever comes through to it, and whatever fails in it."""

    def __init__(self) -> None:
        self.came: list[str] = []
        app = App(
            signing_secret=SECRET, authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None, bot_token="x")
        )
        app.command("/prodaccess")(self.take)
        app.error(self.fail)
        self.app = app_of(Events(app, Secret("SLACK_SIGNING_SECRET", (SECRET, OLD))).routes(), None)

    def take(self, ack: Any) -> None:
        self.came.append("taken")
        ack("yes")

    def fail(self) -> BoltResponse:
        self.came.append("failed")
        return BoltResponse(status=200)

    def sends(self, body: str | bytes, headers: dict[str, Any], kind: str = FORM) -> tuple[int, str]:
        """The status and the words of the answer. What the app raises is raised."""
        said: list[dict[str, Any]] = []
        coming = [{"type": "http.request", "body": body.encode() if isinstance(body, str) else body}]

        async def receive() -> dict[str, Any]:
            return coming.pop()

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        sent = {"content-type": kind, **headers}
        pairs = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in sent.items()]
        where = {"type": "http", "method": "POST", "path": "/slack/events", "query_string": b"", "headers": pairs}
        asyncio.run(self.app(where, receive, send))  # type: ignore[arg-type]  # plain mappings, as ASGI has them
        return said[0]["status"], said[1]["body"].decode()


@pytest.fixture(scope="module")
def made() -> Web:
    return Web()


@pytest.fixture
def web(made: Web) -> Web:
    made.came.clear()
    return made


def signed(body: str, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = VERIFIER.generate_signature(timestamp=stamp, body=body)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": signature or ""}


SIGNATURES: list[Any] = ["", "v0=1", "v0=" + "0" * 64, "v1=" + "0" * 64, b"v0=" + b"\xc3\xa9" * 32, b"\xff"]
STAMPS: list[Any] = ["now", "", "x", "1.5", "-1", "nan", "9" * 400, "9" * 5000, b"\xd9\xa1", " ", None]


@pytest.mark.parametrize(("stamp", "signature"), list(product(STAMPS, SIGNATURES)), ids=lambda part: repr(part)[:20])
def test_what_slack_has_not_signed_is_turned_away_before_it_is_read(web: Web, stamp: Any, signature: Any):
    headers = {"x-slack-signature": signature}
    if stamp is not None:
        headers["x-slack-request-timestamp"] = str(int(time.time())) if stamp == "now" else stamp
    assert web.sends(COMMAND, headers)[0] == 401
    assert web.sends(urlencode({"payload": json.dumps(PRESS)}), headers)[0] == 401
    assert web.came == []


@pytest.mark.parametrize("body", ["7", "[]", '{"team": 7}', "[" * 50_000, "null", "payload=7", "payload={", "\x00", ""])
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_a_body_of_any_shape_is_not_read_for_a_stranger(web: Web, body: str, kind: str):
    assert web.sends(body, {}, kind)[0] == 401
    assert web.sends(body.encode() + b"\xff", {"x-slack-signature": "v0=" + "0" * 64}, kind)[0] == 401
    assert web.came == []


def test_what_was_signed_for_another_body_or_long_ago_is_turned_away(web: Web):
    assert web.sends(COMMAND + "x", signed(COMMAND))[0] == 401
    assert web.sends(COMMAND, signed(COMMAND, time.time() - 3600))[0] == 401
    assert web.sends(COMMAND, signed(COMMAND))[0] == 200
    assert web.came == ["taken"]


@pytest.mark.parametrize("body", ["7", '{"team": 7}', "[" * 50_000])
def test_what_slack_signs_and_nobody_can_read_is_turned_away_without_an_alarm(web: Web, body: str):
    """Bolt fails on it. Nothing leaves the route: uvicorn would write all of it into the log once more."""
    status, words = web.sends(body, signed(body), "application/json")
    assert (status, words) == (400, "of another shape than Slack documents")
    assert web.came == []
