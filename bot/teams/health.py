"""Whether Teams takes the app's secret, and Graph its questions, in words for whoever runs this."""

from __future__ import annotations

from http import HTTPStatus

from bot.chat.surface import Means
from bot.directory.http_json import NotFetched, fetch_json
from bot.monotonic import monotonic_s
from bot.teams.client.tokens import Tokens, TokensUnavailable

# Looked at no more often than this; a token that is there is asked for anew when it is nearly over.
EVERY_S = 10.0
# A look at Graph is a question to Microsoft.
GRAPH_EVERY_S = 60.0
GRAPH_TIMEOUT_S = 4.0
NO_PERMISSION = (
    "Microsoft Graph does not let the app read people (403), so nobody in Teams is known and nobody can do anything there. Give "
    "the app the application permission User.Read.All, grant admin consent, and start again."
)


class TeamsCheck:
    """Whether there is a token for the connector, and whether people can be looked up. `graph_url`: with its version."""

    def __init__(self, tokens: Tokens, graph_url: str) -> None:
        self._tokens = tokens
        self._graph_url = graph_url.rstrip("/")
        self._graph: list[str] = []
        self._graph_at_s: float | None = None
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
            return [token_words(problem)]
        now_s = monotonic_s()
        if self._graph_at_s is None or now_s - self._graph_at_s >= GRAPH_EVERY_S:
            self._graph, self._graph_at_s = self._look_at_graph(), now_s
        return self._graph

    def _look_at_graph(self) -> list[str]:
        """One person's id is enough: whoever may not read people is refused that, too."""
        try:
            headers = {"Authorization": f"Bearer {self._tokens.graph()}"}
            fetch_json(
                f"{self._graph_url}/users?$select=id&$top=1",
                headers,
                timeout_s=GRAPH_TIMEOUT_S,
                called=("graph", "users"),
            )
        except TokensUnavailable as problem:
            return [token_words(problem)]
        except NotFetched as problem:
            # What passes by itself, whoever acts is told of; this does not.
            return [NO_PERMISSION] if problem.status == HTTPStatus.FORBIDDEN else []
        return []


def token_words(problem: TokensUnavailable) -> str:
    """Why there is no token, and what to do, in one sentence or two."""
    if problem.means is Means.ALL:
        return (
            f"Microsoft's login refuses TEAMS_APP_PASSWORD ({problem.word}): it may have run out. Make a new secret for the app, "
            "set it, and start again."
        )
    return f"Microsoft's login for Teams does not answer ({problem.word}). It is tried again automatically."
