"""An ASGI application on loopback, in a background thread: what each stand-in is served with. It knows none of them."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_S_MAX = 5.0


class Serving:
    """One port, one thread. `name`: of the thread. Raise RuntimeError where it does not start within five seconds."""

    def __init__(self, app: ASGIApp, listener: socket.socket, name: str) -> None:
        config = uvicorn.Config(
            app,
            http=_Droppable,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name=name, daemon=True)
        self._thread.start()

    def wait_until_started(self) -> None:
        pause = threading.Event()
        for _ in range(int(_START_S_MAX / 0.005)):
            if self._server.started:
                return
            pause.wait(0.005)
        raise RuntimeError(f"{self._thread.name} did not start")

    def stop(self) -> None:
        self._server.end()
        self._thread.join(timeout=_START_S_MAX)


def listener(port: int = 0) -> socket.socket:
    """On loopback; 0: a free port. Raise OSError."""
    return socket.create_server(("127.0.0.1", port), backlog=512)


class _Server(uvicorn.Server):
    """uvicorn, except that it ends when it is told to and not up to a tenth of a second later: tests start many."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._over.wait()

    def end(self) -> None:
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)


class _Droppable(H11Protocol):
    """HTTP whose requests can hang up on the caller: `scope["extensions"]["drop"]`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows what asyncio declares
        self.app = _with_drop(self.app, self.transport)


def _with_drop(app: Any, transport: asyncio.Transport) -> ASGIApp:
    async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})["drop"] = transport.abort
        await app(scope, receive, send)

    return droppable


class Dropped(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["extensions"]["drop"]()
        await asyncio.sleep(0)  # lets the server notice, so that it does not try to answer itself
