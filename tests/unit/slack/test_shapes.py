"""What Slack documents is taken; what is of another shape is left alone, without a failure and without an alarm."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.shapes import is_usual
from tests.fuzz.test_payloads import TYPED, pressed, sent

# As documented at docs.slack.dev/reference/interaction-payloads, with what we do not read.
PRESS: dict[str, Any] = {
    "type": "block_actions", "team": None, "is_enterprise_install": False, "enterprise": {"id": "E1", "name": "Acme"},
    "user": {"id": "U1", "username": "dana", "team_id": "T1"}, "api_app_id": "A1", "token": "x", "trigger_id": "1.2.x",
    "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1", "is_ephemeral": True},
    "channel": {"id": "C1", "name": "ops"}, "state": {"values": {}}, "response_url": "https://hooks.slack.com/actions/x",
    "actions": [{"type": "overflow", "action_id": "more", "block_id": "b", "action_ts": "1.1",
                 "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": "why PA-1"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        PRESS,
        PRESS
        | {"channel": None, "view": {"type": "home", "id": "V1", "callback_id": "", "external_id": "", "blocks": []}},
        TYPED,
        pressed("approve", "PA-1"),
        sent("deny_form", "PA-1"),
        {"ssl_check": "1", "token": "x"},
        {"type": "url_verification", "challenge": "x"},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "user_change", "user": {"id": "U1"}}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}},
        {"type": "of tomorrow"},
    ],
)
def test_what_slack_documents_is_usual(body: dict[str, Any]) -> None:
    assert is_usual(body)


@pytest.mark.parametrize(
    "body",
    [
        PRESS | {"actions": []},
        PRESS | {"actions": ["approve"]},
        PRESS | {"user": "U1"},
        PRESS | {"user": {"id": "\ud83d"}},
        PRESS | {"trigger_id": ""},
        {name: value for name, value in PRESS.items() if name != "user"},
        PRESS | {"channel": ["C1"]},
        PRESS | {"container": "message"},
        {name: value for name, value in TYPED.items() if name != "trigger_id"},
        sent("deny_form", "PA-1") | {"view": {"id": "V1"}},
        {"type": "event_callback", "event": None},
        {"type": ["block_actions"]},
        {"type": None, "event": None},
        {"type": None, "event": True},
        {"type": "of tomorrow", "view": "x"},
    ],
)
def test_anything_else_is_not(body: dict[str, Any]) -> None:
    assert not is_usual(body)
