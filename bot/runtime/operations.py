"""What whoever runs a web process asks it: `/healthz`, `/readyz`, `/metrics`; and a port of its own for that."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.observability.obstacles import Obstacles
from bot.runtime.front import went_wrong
from bot.runtime.listening import listen

log = structlog.get_logger()
T = TypeVar("T")

OPS_PORT = "PRODACCESS_OPS_PORT"
CLOSES_WITHIN_S = 3.0
# /readyz is answered within this, in seconds, whatever hangs: a load balancer or a person has gone after five.
READY_WITHIN_S = 2.5
NOT_LOOKED = (
    f"What is looked at has not answered within {READY_WITHIN_S:g} s: Redis hangs, or a chat. Ask again in a moment."
)


class OneAtATime(Generic[T]):
    """Looks in a thread of its own; whoever asks while it looks gets the same answer, so that asking often costs nothing more."""

    def __init__(self, name: str, look: Callable[[], T]) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._look = look
        self._under_way: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.get_running_loop().run_in_executor(self.pool, self._look)
        # One who hangs up takes the answer from nobody else.
        return await asyncio.shield(self._under_way)


class Operations:
    """`look`: what is missing, and what needs attention. With threads of their own: whether we work is told also while
    everything else is busy. `known`: what stands in the way as it was seen last, told without a look.
    """

    def __init__(
        self, look: Callable[[], tuple[list[str], list[str]]], known: Callable[[], list[str]] = lambda: []
    ) -> None:
        self._look = OneAtATime("ready", look)
        self._known = known
        self._scrape = OneAtATime("metrics", generate_latest)

    def routes(self) -> Sequence[Route]:
        return [Route("/readyz", self._ready), Route("/metrics", self._metrics)]

    def close(self) -> None:
        for each in (self._look.pool, self._scrape.pool):
            each.shutdown(wait=False, cancel_futures=True)

    async def _ready(self, _request: Request) -> Response:
        try:
            missing, attention = await asyncio.wait_for(self._look(), READY_WITHIN_S)
        except TimeoutError:
            # It goes on, and whoever asks next is told.
            missing, attention = [NOT_LOOKED, *self._known()], []
        found = {"ready": not missing, "missing": missing, "attention": attention}
        return JSONResponse(found, 200 if not missing else 503)

    async def _metrics(self, _request: Request) -> Response:
        return Response(await self._scrape(), media_type=CONTENT_TYPE_LATEST)


def app_of(routes: Sequence[Route], operations: Operations | None) -> Starlette:
    """`/healthz` is everywhere: a load balancer asks the port that it sends others to."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        if operations is not None:
            operations.close()

    more = operations.routes() if operations is not None else ()
    all_ = [*routes, Route("/healthz", _healthy), *more]
    return Starlette(routes=all_, lifespan=lifespan, exception_handlers={Exception: went_wrong})


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"healthy": True})


class OpsServer:
    """In a thread of its own, so that neither port waits for the other to be free."""

    def __init__(self, server: uvicorn.Server, host: str, port: int, obstacles: Obstacles) -> None:
        self._server = server
        self._where = host, port
        self._obstacles = obstacles
        self._thread = threading.Thread(target=self._serve, name="ops-port", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(CLOSES_WITHIN_S)

    def _serve(self) -> None:
        opened = listen(*self._where, self._obstacles, variable=OPS_PORT)
        log.info("web answers those who run it", port=opened.getsockname()[1])
        self._server.run(sockets=[opened])
