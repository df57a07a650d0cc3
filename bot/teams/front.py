"""Teams in the web process: `/api/messages`, and whether Microsoft takes us."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import Route

from bot.settings import Settings
from bot.teams.health import TeamsCheck
from bot.teams.incoming.app import TeamsApp, routes

_UNUSUAL = (
    "{} not Microsoft's usual {}: whoever answers there can speak for everybody in Teams. That is right for a national "
    "cloud and for tests alone"
)


class TeamsFront:
    """A `Front`."""

    what, well, mode = "teams", "Microsoft takes TEAMS_APP_PASSWORD, and its keys are there.", "teams"

    def __init__(self, settings: Settings, app: TeamsApp, check: TeamsCheck) -> None:
        self._unusual = settings.unusual_addresses()
        self._app = app
        self._check = check

    def routes(self) -> Sequence[Route]:
        return routes(self._app)

    def start(self) -> None:
        self._app.warm()

    def close(self) -> None:
        self._app.close()

    def problems(self) -> list[str]:
        return [*self._app.problems(), *self._check.problems()]

    def attention(self) -> list[str]:
        return [*_told_of(self._unusual), *self._app.attention()]


def _told_of(names: Sequence[str]) -> list[str]:
    *others, last = names or ("",)
    if not last:
        return []
    which = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return [_UNUSUAL.format(which, "addresses" if others else "address")]
