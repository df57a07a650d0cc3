"""The web process: one ASGI app with Slack's events, health, readiness and metrics. In Socket Mode, too, it answers on PORT."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.observability.log import log_failure
from bot.observability.metrics import LedgerMetrics
from bot.observability.readiness import REDIS_ANSWERS, ledger_words
from bot.runtime.connection_guard import GuardedProtocol
from bot.runtime.heartbeat import beat_while_running
from bot.runtime.listening import listen
from bot.runtime.periodic import TELL_EVERY_S, keep_doing, keep_reading_the_policy
from bot.settings import Settings
from bot.slack.app import build_app, socket_mode
from bot.slack.signature import is_signed
from bot.slack.socket_mode import Line
from bot.wiring import WebParts, build_web
from workflows.ledger.redis_ledger import UnfitServer
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()
T = TypeVar("T")

# All interfaces: a platform's router and its health checks come from outside. Without a signature nothing is done for them.
HOST = "0.0.0.0"  # noqa: S104 - meant, as the line above says
# Slack's largest payloads (a view with its state) are far below; more is not read.
BODY_BYTES_MAX = 1_000_000
# Listeners wait for Redis, and some for Slack; acknowledgements must not queue behind the latter.
LISTENER_THREADS = 24
# Redis and the bot token are looked at this often, in seconds, whether or not anybody asks.
CHECK_EVERY_S = 10.0


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    parts = build_web(settings)
    REGISTRY.register(LedgerMetrics(parts.context, parts.redis, parts.faults))
    bolt = build_app(settings, parts.dispatcher, parts.client, parts.refresher)
    app = asgi(parts, bolt)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=GuardedProtocol,
        ws="none",  # nothing here speaks it
        lifespan="on",
    )
    stop = threading.Event()
    beat_while_running(parts.beats, "web", stop, lambda: True, parts.beside_older)
    keep_reading_the_policy(parts.context, parts.policy, stop)
    keep_doing(parts.context, "unreadable", parts.tell_unreadable, TELL_EVERY_S, stop)
    # First of all, so that /readyz can say what is wrong with the rest.
    opened = listen(settings.host, settings.port, parts.obstacles)
    log.info("web listens", mode="socket" if settings.socket_mode else "http", port=opened.getsockname()[1])
    threading.Thread(target=keep_saying_what_is_missing, args=(parts, stop), name="obstacles", daemon=True).start()
    line = Line(socket_mode(settings, bolt).client, parts.obstacles) if settings.socket_mode else None
    try:
        if line is not None:
            line.start()
        uvicorn.Server(config).run(sockets=[opened])
    finally:
        stop.set()
        if line is not None:
            line.close()
        parts.close()


def keep_saying_what_is_missing(parts: WebParts, stop: threading.Event) -> None:
    """Until `stop`. None of it is a trouble of the ledger's, which may be what is missing."""
    while True:
        try:
            say_what_is_missing(parts)
        except Exception as problem:
            log_failure("a look at what is missing failed", problem)
        if stop.wait(CHECK_EVERY_S):
            return


def say_what_is_missing(parts: WebParts) -> None:
    """In the log, whether or not anybody looks at /readyz."""
    try:
        parts.ledger.check_server()
    except (LedgerUnreachable, UnfitServer) as problem:
        parts.obstacles.stands("redis", ledger_words(problem))
    else:
        parts.obstacles.gone("redis", REDIS_ANSWERS)
    if problems := parts.slack.problems():
        parts.obstacles.stands("bot token", " ".join(problems))
    else:
        parts.obstacles.gone("bot token", "Slack takes SLACK_BOT_TOKEN.")


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


def asgi(parts: WebParts, bolt: App) -> Starlette:
    """The routes. `/slack/events` takes commands, interactivity and events alike, as Slack's own handlers do."""
    secret = parts.settings.slack_signing_secret
    verifier = SignatureVerifier(secret.get_secret_value()) if secret else None
    pool = ThreadPoolExecutor(LISTENER_THREADS, thread_name_prefix="slack")
    # With threads of their own: whether we work is told also while all listeners are busy.
    look = OneAtATime("ready", lambda: (parts.missing(), parts.attention()))
    scrape = OneAtATime("metrics", generate_latest)

    async def slack(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        if not is_signed(verifier, body, request.headers):
            return PlainTextResponse("not signed by Slack", 401)
        try:
            bolt_request = BoltRequest(body=body, query=request.url.query, headers=dict(request.headers))
            loop = asyncio.get_running_loop()
            # Bolt is synchronous; in the event loop it would hold up every other request.
            return _answer(await loop.run_in_executor(pool, bolt.dispatch, bolt_request))
        except Exception as problem:
            # What leaves a route is written down once more by the server, at full length.
            return await _went_wrong(request, problem)

    async def ready(_request: Request) -> Response:
        missing, attention = await look()
        found = {"ready": not missing, "missing": missing, "attention": attention}
        return JSONResponse(found, 200 if not missing else 503)

    async def metrics(_request: Request) -> Response:
        return Response(await scrape(), media_type=CONTENT_TYPE_LATEST)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        for each in (pool, look.pool, scrape.pool):
            each.shutdown(wait=False, cancel_futures=True)

    # In Socket Mode nothing comes in over HTTP, and without a signing secret nothing could be believed.
    events = [] if parts.settings.socket_mode else [Route("/slack/events", slack, methods=["POST"])]
    routes = [
        *events,
        Route("/healthz", _healthy),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _went_wrong})


async def _went_wrong(_request: Request, problem: Exception) -> Response:
    number = log_failure("a request failed", problem)
    return PlainTextResponse(f"Something went wrong here: error {number} in the log.", 500)


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"healthy": True})


async def _body(request: Request) -> str | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            return None
        chunks.append(chunk)
    return b"".join(chunks).decode("utf-8", "replace")


def _answer(response: BoltResponse) -> Response:
    answer = Response(response.body, response.status)
    for name, values in response.headers.items():
        for value in values:
            answer.headers.append(name, value)
    return answer
