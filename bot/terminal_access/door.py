"""`/terminal/v1` in the web process. What reads and answers is imported and built when somebody comes for the first time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

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
        self._settings = settings
        self._context = context
        self._is_open = is_open
        self._lock = threading.Lock()
        self._built: TerminalApp | None = None

    def routes(self) -> Sequence[Route]:
        challenges, acts, answers = PATHS
        return [
            Route(challenges, self._answering(lambda app: app.challenge), methods=["POST"]),
            Route(acts, self._answering(lambda app: app.act), methods=["POST"]),
            Route(answers, self._answering(lambda app: app.answer), methods=["POST"]),
        ]

    def attention(self) -> list[str]:
        """Why nobody comes through, in words. Not in an event loop."""
        return [_NOT_SET] if self._settings.url is None and self._is_open() else []

    def close(self) -> None:
        if self._built is not None:
            self._built.close()

    def _answering(
        self, which: Callable[[TerminalApp], Callable[[Request], Awaitable[Response]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if self._settings.url is None:
                return JSONResponse({"error": "off", "sentence": "PRODACCESS_URL is not set for web."}, 404)
            app = self._built
            return await which(app if app is not None else await asyncio.to_thread(self._build))(request)

        return answer

    def _build(self) -> TerminalApp:
        from bot.terminal_access.app import TerminalApp  # noqa: PLC0415 - for people at a terminal alone

        with self._lock:
            if self._built is None:
                self._built = TerminalApp(self._context, str(self._settings.url), self._is_open)
            return self._built
