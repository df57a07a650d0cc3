"""The stand-in as a running thing: one object, one port on loopback, one background thread."""

import asyncio
import json
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.sandbox.clock import Clock, MovableClock, system_clock
from bot.sandbox.serving import Dropped, Serving, listener
from bot.sandbox.slack import control
from bot.sandbox.slack.api import responses
from bot.sandbox.slack.api.web_api import WebApi
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.events.courier import Courier, Delivery, Tampering
from bot.sandbox.slack.events.http import HttpDelivery
from bot.sandbox.slack.events.socket_mode import SocketMode
from bot.sandbox.slack.people.client import Client
from bot.sandbox.slack.people.person import Person
from bot.sandbox.slack.seeding import Seed, app_settings, plant
from bot.sandbox.slack.settings import AppSettings
from bot.sandbox.slack.workspace import Workspace


class SlackServer:
    """A Slack workspace on this machine.

    `with SlackServer(seed) as slack:` starts and stops it. `seed` is what `seeding` describes; `app` goes before its
    `app` part. Point the bot at `api_url`, `bot_token` and, by the mode wanted, `app_token` or `signing_secret`;
    for HTTP set `app.request_url`, at any time. `controlled`: whether other processes may play people at `/_control/`.
    """

    def __init__(
        self,
        seed: Seed | None = None,
        *,
        app: AppSettings | None = None,
        clock: Clock = system_clock,
        port: int = 0,
        controlled: bool = True,
    ) -> None:
        self.clock = MovableClock(clock)
        self.app = app or app_settings(seed or {})
        self.workspace = Workspace(self.app, self.clock)
        self.sockets = SocketMode(self.workspace)
        self.courier = Courier(self.workspace, HttpDelivery(self.workspace), self.sockets)
        self.api = WebApi(self.workspace)
        self.faults = self.api.faults
        self.calls = self.api.calls
        self.rate_limits = self.api.rate_limits
        self.client = Client(self.workspace, self.courier)
        self.more_routes: list[BaseRoute] = []
        """Served beside Slack's own; filled before the start."""
        self.stopping = False
        self._port = port
        self._controlled = controlled
        self._serving: Serving | None = None
        plant(self.workspace, seed or {})
        self.workspace.listeners.append(self.courier.event)

    # Running

    def start(self) -> "SlackServer":
        """Listen on loopback; returns when it does. Raise RuntimeError if it does not within five seconds."""
        where = listener(self._port)
        self.workspace.base_url = f"http://127.0.0.1:{where.getsockname()[1]}"
        self._serving = Serving(self.asgi(), where, "slack-sandbox")
        self.courier.start()
        self._serving.wait_until_started()
        return self

    def stop(self) -> None:
        self.stopping = True  # streams look at it, and end
        self.courier.stop()
        if self._serving is not None:
            self._serving.stop()

    def __enter__(self) -> "SlackServer":
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    # Where the bot connects

    @property
    def base_url(self) -> str:
        return self.workspace.base_url

    @property
    def api_url(self) -> str:
        """What the bot takes as `SLACK_API_URL` (slack_sdk's `base_url`); ends in a slash."""
        return f"{self.base_url}/api/"

    def wait_connected(self, timeout_s: float = 5.0) -> None:
        """Until the app has opened a Socket Mode connection. Raise TimeoutError."""
        pause = threading.Event()
        for _ in range(int(timeout_s / 0.01)):
            if self.sockets.connections:
                return
            pause.wait(0.01)
        raise TimeoutError("the app has opened no Socket Mode connection")

    # Acting

    def person(self, user_id: str, *, force: bool = False, team: str | None = None) -> Person:
        """Somebody in front of Slack; `team`: of that workspace, with the same id. Raise ApiError `user_not_found`."""
        return Person(self.client, user_id, force=force, team=team)

    def verify_url(self) -> bool:
        """What Slack does when the request URL is entered: a challenge that has to come back."""
        challenge = secrets.token_hex(16)
        token = self.app.verification_token
        payload = {"token": token, "challenge": challenge, "type": "url_verification"}
        delivery = Delivery(secrets.token_hex(8), "events_api", payload, self.clock())
        ack = HttpDelivery(self.workspace).send(delivery, Tampering(), self.app.ack_timeout_s)
        answer = ack.body.get("challenge") if isinstance(ack.body, dict) else ack.body
        return ack.ok and answer == challenge

    # Answering

    def asgi(self) -> Starlette:
        """The ASGI application, for whoever runs it under a server of their own."""
        return Starlette(
            routes=[
                Route("/api/{method}", self._api, methods=["GET", "POST"]),
                Route("/response/{token}", self._response, methods=["POST"]),
                WebSocketRoute("/link/", self.sockets.serve),
                *(control.routes(self) if self._controlled else ()),
                *self.more_routes,
            ]
        )

    async def _api(self, request: Request) -> Response:
        name = request.path_params["method"]
        try:
            raw = await _arguments(request)
        except ValueError:
            return JSONResponse(ApiError("invalid_json").body())
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or raw.get("token")
        fault = self.faults.take(name, raw)
        await asyncio.sleep(self.faults.delay_s + (fault.delay_s if fault else 0.0))
        answer = self.api.answer(name, raw, token, fault)
        if answer.drop:
            return Dropped()
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    async def _response(self, request: Request) -> Response:
        name = "response_url"
        fault = self.faults.take(name, {})
        await asyncio.sleep(self.faults.delay_s + (fault.delay_s if fault else 0.0))
        if fault and fault.status:
            return PlainTextResponse("error", fault.status)
        content: Any = None
        error = None
        try:
            content = await _response_body(request)
            responses.at_url(self.workspace, request.path_params["token"], content)
        except ApiError as refused:
            error = refused.code
        self.calls.add(name, content if isinstance(content, dict) else {}, error)
        return PlainTextResponse(error or "ok", responses.HTTP_STATUS.get(error, 400) if error else 200)


async def _response_body(request: Request) -> Any:
    """JSON, or a form with the JSON in `payload`. Raise ApiError `invalid_payload`."""
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return json.loads(dict(parse_qsl(text)).get("payload", "") if text.startswith("payload=") else text)
    except ValueError:
        raise ApiError("invalid_payload") from None


async def _arguments(request: Request) -> Mapping[str, Any]:
    """Query and body together. Raise ValueError for a JSON body that is none."""
    query = dict(request.query_params)
    body = (await request.body()).decode()
    if not body:
        return query
    if request.headers.get("content-type", "").startswith("application/json"):
        content = json.loads(body)
        if not isinstance(content, dict):
            raise ValueError("arguments have to be an object")
        return query | content
    return query | dict(parse_qsl(body, keep_blank_values=True))
