"""Calls to GitLab as the user of our token. While the token is exchanged the other value is tried where one is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.forge.calls import Answer, Call
from bot.settings.secret import Secret

Ask = Callable[[str, str, Mapping[str, Any] | None, str], Answer]
"""Method, path, body, and what is asked, as it is counted. Raises ForgeSilent."""


class TokenLogin:
    """An `Ask`. What is refused with 401 has done nothing."""

    def __init__(self, call: Call, token: Secret) -> None:
        self._call, self._token = call, token

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None, called: str) -> Answer:
        first: Answer | None = None
        for value in self._token.in_turn():
            answer = self._call(method, path, f"Bearer {value}", body, called)
            if answer.status != 401:
                self._token.taken(value)
                return answer
            self._token.refused(value)
            first = first or answer
        assert first is not None  # noqa: S101 - there is at least one value
        return first
