"""`/gate/v1` in the web process. What proves and answers is imported and built when a pipeline asks for the first time."""

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
    from bot.gate.app import GateApp
    from bot.gate.asks import Asks

PREFIX = "/gate/v1/"
_ASKS = f"{PREFIX}asks"
_NOT_SET = (
    "The policy names pipelines, and PRODACCESS_URL is not set for web: no pipeline can ask for a gate. Set it to the address "
    "at which they reach web."
)


class Door:
    """`names_pipelines`: whether the policy in force does. `asks`: builds what the record is asked by. Both may wait for it."""

    def __init__(self, settings: Settings, names_pipelines: Callable[[], bool], asks: Callable[[], Asks]) -> None:
        self._settings = settings
        self._names_pipelines = names_pipelines
        self._asks = asks
        self._lock = threading.Lock()
        self._built: GateApp | None = None

    def routes(self) -> Sequence[Route]:
        one = f"{_ASKS}/{{id}}"
        return [
            Route(_ASKS, self._answering(lambda app: app.ask), methods=["POST"]),
            Route(one, self._answering(lambda app: app.look), methods=["GET"]),
            Route(f"{one}/redeem", self._answering(lambda app: app.redeem), methods=["POST"]),
            Route(f"{one}/withdraw", self._answering(lambda app: app.withdraw), methods=["POST"]),
        ]

    def attention(self) -> list[str]:
        """Why a pipeline of the policy cannot ask, in words. Not in an event loop."""
        if self._settings.url is None:
            return [_NOT_SET] if self._names_pipelines() else []
        return self._built.attention() if self._built is not None else []

    def close(self) -> None:
        if self._built is not None:
            self._built.close()

    def _answering(
        self, which: Callable[[GateApp], Callable[[Request], Awaitable[Response]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if self._settings.url is None:
                return JSONResponse({"error": "off", "sentence": "PRODACCESS_URL is not set for web."}, 404)
            # Imports take longer than anybody else should wait.
            app = self._built
            return await which(app if app is not None else await asyncio.to_thread(self._build))(request)

        return answer

    def _build(self) -> GateApp:
        from bot.gate import issuers  # noqa: PLC0415 - for pipelines alone
        from bot.gate.app import GateApp  # noqa: PLC0415 - as above
        from bot.gate.proof import Prover  # noqa: PLC0415 - as above
        from bot.monotonic import monotonic_s  # noqa: PLC0415 - as above

        with self._lock:
            if self._built is None:
                found = issuers.Issuers(monotonic_s, issuers.fetch)
                prover = Prover(found, str(self._settings.url), aws_is_real=self._settings.aws_is_real)
                self._built = GateApp(self._asks(), prover)
            return self._built
