"""Whether Teams takes the app's secret, in words for whoever runs this."""

from __future__ import annotations

from bot.chat.surface import Means
from bot.monotonic import monotonic_s
from bot.teams.tokens import Tokens, TokensUnavailable

# Looked at no more often than this; a token that is there is asked for anew when it is nearly over.
EVERY_S = 10.0


class TeamsCheck:
    """Whether there is a token for the connector."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._found: list[str] = []
        self._at_s: float | None = None

    def problems(self) -> list[str]:
        now_s = monotonic_s()
        if self._at_s is None or now_s - self._at_s >= EVERY_S:
            self._found, self._at_s = self._look(), now_s
        return self._found

    def _look(self) -> list[str]:
        try:
            self._tokens.bot()
        except TokensUnavailable as problem:
            return [_words(problem)]
        return []


def _words(problem: TokensUnavailable) -> str:
    if problem.means is Means.ALL:
        return (
            f"Microsoft's login refuses TEAMS_APP_PASSWORD ({problem.word}): it may have run out. Make a new secret for the app, "
            "set it, and start again."
        )
    return f"Microsoft's login for Teams does not answer ({problem.word}). It is tried again automatically."
