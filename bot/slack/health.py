"""Whether Slack takes the token, and what it may do."""

from __future__ import annotations

from slack_sdk import WebClient

from bot.monotonic import monotonic_s
from bot.slack.refused import slack_words
from bot.slack.scopes import BETTER, NEEDED, granted, left_out

BOT_TOKEN = "the bot token of this app (OAuth & Permissions), xoxb-..."  # noqa: S105 - no token, where to find one


class SlackCheck:
    """Whether Slack takes the bot token, and what it may do: asked twice a minute at most while it does."""

    EVERY_S = 30.0
    # Whoever puts something right wants to see it.
    EVERY_S_IN_TROUBLE = 2.0

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._asked_at_s: float | None = None
        self._problems: list[str] = []
        self._attention: list[str] = []

    def problems(self) -> list[str]:
        self._look()
        return self._problems

    def attention(self) -> list[str]:
        self._look()
        return self._attention

    def _look(self) -> None:
        every_s = self.EVERY_S_IN_TROUBLE if self._problems else self.EVERY_S
        if self._asked_at_s is None or monotonic_s() - self._asked_at_s > every_s:
            self._problems, self._attention = self._ask()
            self._asked_at_s = monotonic_s()

    def _ask(self) -> tuple[list[str], list[str]]:
        try:
            scopes = self._scopes()
        except Exception as problem:
            return [slack_words("SLACK_BOT_TOKEN", BOT_TOKEN, problem)], []
        # A token of a kind for which Slack lists none is judged by what it can do.
        return ([], []) if scopes is None else (left_out(scopes, NEEDED), left_out(scopes, BETTER))

    def _scopes(self) -> frozenset[str] | None:
        return granted(self._client.auth_test().headers)
