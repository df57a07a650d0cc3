"""Slack's Web API with a token that may be rotated while we run."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.settings import Secret
from bot.slack.answers import word_of
from bot.slack.refused import error_word
from workflows.core.calls import timed

# What Slack says of a token that it does not take, whatever was asked for.
_OF_THE_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "invalid_token"}
)


class CountedClient(WebClient):
    """Each call is told of to whoever counts."""

    def api_call(self, api_method: str, **more: Any) -> SlackResponse:
        with timed("slack", api_method) as call:
            try:
                return super().api_call(api_method, **more)
            except SlackApiError as problem:
                call.error = word_of(problem)
                raise


class RotatingClient(CountedClient):
    """Each call goes out with the newest token that Slack takes. One that is refused for its token has done nothing."""

    def __init__(self, secret: Secret, **options: Any) -> None:
        self._secret = secret
        super().__init__(token=secret.best(), **options)

    def api_call(self, api_method: str, **options: Any) -> SlackResponse:
        call = super().api_call
        return self._secret.presented(lambda token: call(api_method, **_with_token(options, token)), _of_the_token)


def _of_the_token(problem: Exception) -> bool:
    return isinstance(problem, SlackApiError) and error_word(problem) in _OF_THE_TOKEN


def _with_token(options: dict[str, Any], token: str) -> dict[str, Any]:
    """The SDK's own place for another token than the client's. It changes what it is given, so each call gets its own."""
    copied = {name: dict(each) if isinstance(each, dict) else each for name, each in options.items()}
    body = copied.get("json")
    if isinstance(body, dict):
        body["token"] = token
    else:
        copied["params"] = {**(copied.get("params") or {}), "token": token}
    return copied
