"""Two tokens while one is exchanged: each call goes out with the newest that Slack takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackServer
from bot.settings import Secret
from bot.slack.client import RotatingClient

NEW = "xoxb-not-known-to-slack-yet"


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer({"users": [{"id": "U0A", "name": "a"}], "channels": [{"id": "C0A", "name": "a"}]}) as server:
        yield server


def test_a_call_that_is_refused_for_its_token_is_made_with_the_other_one(slack: SlackServer) -> None:
    secret = Secret("SLACK_BOT_TOKEN", (NEW, slack.app.bot_token))
    client = RotatingClient(secret, base_url=slack.api_url, retry_handlers=[])
    # By JSON and by form.
    assert client.chat_postMessage(channel="C0A", text="said once")["ok"]
    assert client.users_info(user="U0A")["ok"]
    assert secret.newest_is_refused()
    assert len(slack.workspace.channels["C0A"].messages) == 1
    slack.app.bot_token = NEW
    secret.change((NEW,))
    assert client.auth_test()["ok"]


def test_what_is_refused_for_another_reason_is_asked_once(slack: SlackServer) -> None:
    secret = Secret("SLACK_BOT_TOKEN", (slack.app.bot_token, NEW))
    client = RotatingClient(secret, base_url=slack.api_url, retry_handlers=[])
    with pytest.raises(SlackApiError, match="user_not_found"):
        client.users_info(user="U0NOBODY")
    assert not secret.newest_is_refused()


def test_where_all_are_refused_slack_is_asked_once_with_each(slack: SlackServer) -> None:
    secret = Secret("SLACK_BOT_TOKEN", (NEW, "xoxb-nor-this"))
    mark = slack.calls.mark()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        RotatingClient(secret, base_url=slack.api_url, retry_handlers=[]).auth_test()
    assert slack.calls.counts(mark)["auth.test"] == 2


def test_socket_mode_is_opened_with_the_token_that_is_valid_now(slack: SlackServer) -> None:
    """The SDK's client hands over the one that it was made with."""
    secret = Secret("SLACK_APP_TOKEN", ("xapp-not-known-yet", slack.app.app_token))
    client = RotatingClient(secret, base_url=slack.api_url, retry_handlers=[])
    assert client.apps_connections_open(app_token="xapp-of-the-start")["url"].startswith("ws")
    assert secret.newest_is_refused()
