"""Slack in the web process: Socket Mode, or `/slack/events`, which takes commands, interactivity and events alike, as Slack's own
handlers do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.chat.actions.dispatcher import Dispatcher
from bot.observability.obstacles import Obstacles
from bot.runtime.front import PROVED, body_of, went_wrong
from bot.settings import Secret, Settings
from bot.slack.app import build_app, socket_mode
from bot.slack.directory import SlackRefresher
from bot.slack.health import SlackCheck
from bot.slack.shapes import read
from bot.slack.signature import is_signed
from bot.slack.socket_mode import Line

PATH = "/slack/events"
# Slack's largest payloads (a view with its state) are far below; more is not read.
BODY_BYTES_MAX = 1_000_000
# Listeners wait for Redis, and some for Slack; acknowledgements must not queue behind the latter.
LISTENER_THREADS = 24
# More of them at work only take the interpreter from each other, and each turn of it costs. Of Redis they wait for a millisecond;
# whoever waits for longer than this, in seconds, is not at work, and keeps nobody else waiting. So short that, where Redis
# is silent, the last thread begins early enough to say so in time.
AT_WORK, AT_WORK_S = 4, 0.1


class Events:
    """`secret`: None takes nothing, because nothing could be believed. Of two values, either proves."""

    def __init__(self, bolt: App, secret: Secret | None) -> None:
        self._bolt = bolt
        self._secret = secret
        self._pool = ThreadPoolExecutor(LISTENER_THREADS, thread_name_prefix="slack")
        self._at_work = asyncio.Semaphore(AT_WORK)

    def routes(self) -> Sequence[Route]:
        return [Route(PATH, self.take, methods=["POST"])]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def take(self, request: Request) -> Response:
        sent = await body_of(request, BODY_BYTES_MAX)
        if sent is None:
            return PlainTextResponse("too large", 413)
        body = sent.decode("utf-8", "replace")
        if not is_signed(self._secret.values if self._secret else (), body, request.headers):
            return PlainTextResponse("not signed by Slack", 401)
        request.scope[PROVED] = True
        try:
            asked = read(body, request.url.query, dict(request.headers))
            if asked is None:
                return PlainTextResponse("of another shape than Slack documents", 400)
            return _answer(await self._dispatched(asked))
        except Exception as problem:
            return await went_wrong(request, problem)

    async def _dispatched(self, asked: BoltRequest) -> BoltResponse:
        """Bolt is synchronous; in the event loop it would hold up every other request."""
        loop, counts = asyncio.get_running_loop(), [True]

        def leave() -> None:
            if counts:
                counts.clear()
                self._at_work.release()

        await self._at_work.acquire()
        late = loop.call_later(AT_WORK_S, leave)
        try:
            return await loop.run_in_executor(self._pool, self._bolt.dispatch, asked)
        finally:
            late.cancel()
            leave()


class SlackFront:
    """A `Front`. In Socket Mode nothing comes in over HTTP."""

    what, well = "bot token", "Slack takes SLACK_BOT_TOKEN."

    def __init__(self, settings: Settings, bolt: App, check: SlackCheck, obstacles: Obstacles) -> None:
        self._check = check
        self._line = Line(socket_mode(settings, bolt).client, obstacles) if settings.socket_mode else None
        self._events = None if self._line else Events(bolt, settings.secrets.of("slack_signing_secret"))

    @property
    def mode(self) -> str:
        return "socket" if self._line is not None else "http"

    def routes(self) -> Sequence[Route]:
        return self._events.routes() if self._events is not None else ()

    def start(self) -> None:
        if self._line is not None:
            self._line.start()

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._events is not None:
            self._events.close()

    def problems(self) -> list[str]:
        return self._check.problems()

    def attention(self) -> list[str]:
        return self._check.attention()


def build_front(
    settings: Settings, dispatcher: Dispatcher, client: WebClient, directory: SlackRefresher, obstacles: Obstacles
) -> SlackFront:
    bolt = build_app(dispatcher, client, directory)
    return SlackFront(settings, bolt, SlackCheck(client), obstacles)


def _answer(response: BoltResponse) -> Response:
    answer = Response(response.body, response.status)
    for name, values in response.headers.items():
        for value in values:
            answer.headers.append(name, value)
    return answer
