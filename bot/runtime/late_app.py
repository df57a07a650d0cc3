"""An app behind some paths of web that is imported and built when somebody comes for the first time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class _Closes(Protocol):
    def close(self) -> None: ...


App = TypeVar("App", bound=_Closes)


class LateApp(Generic[App]):
    """`url`: PRODACCESS_URL, under which people and pipelines know this installation; without it nothing is built or answered."""

    def __init__(self, url: str | None, build: Callable[[str], App]) -> None:
        self._url, self._build = url, build
        self._lock = threading.Lock()
        self.built: App | None = None

    @property
    def is_off(self) -> bool:
        return self._url is None

    def answering(
        self, which: Callable[[App], Callable[[Request], Awaitable[Response]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """For a route: what the app's own method answers."""

        async def answer(request: Request) -> Response:
            if self._url is None:
                return JSONResponse({"error": "off", "sentence": "PRODACCESS_URL is not set for web."}, 404)
            # Imports take longer than anybody else should wait.
            app = self.built
            return await which(app if app is not None else await asyncio.to_thread(self._made, self._url))(request)

        return answer

    def close(self) -> None:
        if self.built is not None:
            self.built.close()

    def _made(self, url: str) -> App:
        with self._lock:
            if self.built is None:
                self.built = self._build(url)
            return self.built
