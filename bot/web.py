"""The web process: one ASGI app with what comes in from each chat, health, readiness and metrics; the latter two on a port of
their own where there is one. In Slack's Socket Mode, too, it answers on PORT.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import structlog
import uvicorn
from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from bot.chat.behind import Behind
from bot.gate.door import PREFIX
from bot.observability.figures import Figures
from bot.observability.log import log_failure
from bot.observability.metrics import LedgerMetrics
from bot.observability.readiness import REDIS_ANSWERS, ledger_words
from bot.runtime.connection_guard import GuardedProtocol
from bot.runtime.heartbeat import beat_while_running
from bot.runtime.life_sign import LifeSign
from bot.runtime.listening import listen
from bot.runtime.operations import Operations, OpsServer, app_of
from bot.runtime.peer_limits import PeerLimits
from bot.runtime.periodic import TELL_EVERY_S, keep_doing, keep_reading_the_policy, keep_watching_the_record
from bot.runtime.stopping import patiently, stop_when_asked
from bot.settings import Settings, process_environ
from bot.terminal_access.door import PATHS
from bot.wiring import WebParts, build_web
from bot.wiring.common import keep_counting_calls
from workflows.ledger.redis_ledger import UnfitServer
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

# Redis and the tokens of the chats are looked at this often, in seconds, whether or not anybody asks.
CHECK_EVERY_S = 10.0
# Requests that were taken are answered for so long after nothing more is taken; Slack and Teams have given up before.
FINISHES_WITHIN_S = 3


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    life, asked = LifeSign("web"), stop_when_asked()
    parts = build_web(settings)
    figures, behind = Figures(parts.context, parts.redis), Behind(parts.context, parts.redis, parts.chats)
    REGISTRY.register(LedgerMetrics(parts.context, parts.redis, parts.faults, figures.collect, behind.collect))
    stop = threading.Event()
    keep_counting_calls(parts, stop)
    beat_while_running(parts.beats, "web", stop, lambda: True, parts.beside_older)
    keep_reading_the_policy(parts.context, parts.policy, stop)
    keep_watching_the_record(parts.context, stop)
    keep_doing(parts.context, "unreadable", parts.tell_unreadable, TELL_EVERY_S, stop)
    ops = None
    if settings.ops_port is not None:
        # Before PORT, so that /readyz can say why that is not there.
        ops = OpsServer(server_of(app_of((), operations(parts))), settings.host, settings.ops_port, parts.obstacles)
        ops.start()
    # Before the chats, so that /readyz can say what is wrong with the rest.
    opened = listen(settings.host, settings.port, parts.obstacles, patiently(asked))
    life.address = opened.getsockname()[:2]
    modes = {front.what: front.mode for front in parts.fronts}
    log.info("web listens", mode=" and ".join(modes.values()), port=opened.getsockname()[1])
    threading.Thread(target=keep_saying_what_is_missing, args=(parts, stop), name="obstacles", daemon=True).start()
    try:
        for front in parts.fronts:
            front.start()
        serve_until(asked, server_of(asgi(parts)), opened)
    finally:
        stop.set()
        life.close()
        for front in parts.fronts:
            front.close()
        parts.gate.close()
        parts.terminal.close()
        if ops is not None:
            ops.close()
        parts.close()


class Server(uvicorn.Server):
    """Leaves the signals to the process: its own handlers would end it before what it took is finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve_until(asked: threading.Event, server: uvicorn.Server, opened: socket.socket) -> None:
    def end() -> None:
        asked.wait()
        server.should_exit = True

    threading.Thread(target=end, name="end", daemon=True).start()
    server.run(sockets=[opened])


def server_of(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # Nobody's word of whom they forward for is taken, unless they are named: the server itself would trust this machine.
        forwarded_allow_ips=process_environ().get("FORWARDED_ALLOW_IPS", ""),
        http=GuardedProtocol,
        ws="none",  # nothing here speaks it
        lifespan="on",
        timeout_graceful_shutdown=FINISHES_WITHIN_S,
    )
    return Server(config)


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
    for front in parts.fronts:
        if problems := front.problems():
            parts.obstacles.stands(front.what, " ".join(problems))
        else:
            parts.obstacles.gone(front.what, front.well)


def asgi(parts: WebParts) -> ASGIApp:
    """What PORT answers. What comes from a chat or a pipeline passes the limits of its address before anybody looks at it."""
    chats = [route for front in parts.fronts for route in front.routes()]
    ours = operations(parts) if parts.settings.ops_port is None else None
    heard = [*chats, *(parts.events.routes() if parts.events is not None else ())]
    limited = [*(route.path for route in heard), *PATHS]
    return PeerLimits(app_of([*heard, *parts.gate.routes(), *parts.terminal.routes()], ours), limited, below=PREFIX)


def operations(parts: WebParts) -> Operations:
    return Operations(parts.told, parts.obstacles.sentences)
