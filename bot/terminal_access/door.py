"""`/terminal/v1` in the web process. What reads and answers is imported and built when somebody comes for the first time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.runtime.late_app import LateApp
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.terminal_access.app import TerminalApp
    from workflows.usecases.shared.context import Context

PREFIX = "/terminal/v1/"
PATHS = tuple(f"{PREFIX}{name}" for name in ("challenges", "acts", "answers"))
_NOT_SET = (
    "The policy names identity_accounts, and PRODACCESS_URL is not set for web: nobody can act from a terminal. Set it to the "
    "address at which people reach web."
)


class TerminalDoor:
    """`is_open`: whether the policy in force names accounts that vouch. It may wait for the record."""

    def __init__(self, settings: Settings, context: Context, is_open: Callable[[], bool]) -> None:
        self._context = context
        self._is_open = is_open
        self._app = LateApp(settings.url, self._build)

    def routes(self) -> Sequence[Route]:
        (challenges, acts, answers), answering = PATHS, self._app.answering
        return [
            Route(challenges, answering(lambda app: app.challenge), methods=["POST"]),
            Route(acts, answering(lambda app: app.act), methods=["POST"]),
            Route(answers, answering(lambda app: app.answer), methods=["POST"]),
        ]

    def attention(self) -> list[str]:
        """Why nobody comes through, in words. Not in an event loop."""
        return [_NOT_SET] if self._app.is_off and self._is_open() else []

    def close(self) -> None:
        self._app.close()

    def _build(self, url: str) -> TerminalApp:
        from bot.terminal_access.app import TerminalApp  # noqa: PLC0415 - for people at a terminal alone

        return TerminalApp(self._context, url, self._is_open)
