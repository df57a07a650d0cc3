"""Teams, Microsoft's login and Graph as one running thing: one port on loopback, one background thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.clock import Clock, MovableClock, system_clock
from bot.sandbox.serving import Dropped, Serving, listener
from bot.sandbox.teams.client import Client
from bot.sandbox.teams.connector import Answer, Connector
from bot.sandbox.teams.courier import Courier
from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.faults import Fault, Faults, Rates
from bot.sandbox.teams.graph import Graph
from bot.sandbox.teams.installing import Installing
from bot.sandbox.teams.login import AUDIENCES, BOT_SCOPE, GRAPH_SCOPE, Keys, Login, openid
from bot.sandbox.teams.people import Json
from bot.sandbox.teams.relay import Relay
from bot.sandbox.teams.world import World, small_world

_SEND = AUDIENCES[BOT_SCOPE]
_READ = AUDIENCES[GRAPH_SCOPE]
Does = Callable[[Mapping[str, Any]], Answer]


class TeamsServer:
    """Use as a context manager: `with TeamsServer() as teams:`; then set `teams.courier.request_url`.

    `make`: who and what there is, on the clock that it is given. The bot is pointed here by `environment()`. `client` acts for
    people, `faults` goes wrong, `rates` are Teams' own, `login.password` is the app's secret, `keys` sign what is sent,
    `graph.permissions` are what an administrator agreed to.
    """

    def __init__(
        self, make: Callable[[Clock], World] = small_world, *, clock: Clock = system_clock, port: int = 0
    ) -> None:
        self.clock = MovableClock(clock)
        self.world = make(self.clock)
        self.keys = Keys()
        self.login = Login(self.world)
        self.faults = Faults(self.clock)
        self.rates = Rates(self.clock)
        self.connector = Connector(self.world, self.rates)
        self.graph = Graph(self.world)
        self.courier = Courier(self.world, self.keys)
        self.client = Client(self.world, self.courier)
        self.installing = Installing(self.world, self.courier)
        self.relay = Relay(self.world, self.keys, self.login, self.courier)
        self.more_routes: list[BaseRoute] = []
        """Served beside Teams' own; filled before the start."""
        self.base_url = ""
        self._port = port
        self._serving: Serving | None = None

    # Running

    def start(self) -> TeamsServer:
        """Listen on loopback; returns when it does. Raise OSError where the port cannot be had."""
        where = listener(self._port)
        self.base_url = f"http://127.0.0.1:{where.getsockname()[1]}"
        self.courier.service_url = f"{self.base_url}/teams/"
        self._serving = Serving(self.asgi(), where, "teams-sandbox")
        self._serving.wait_until_started()
        return self

    def stop(self) -> None:
        self.courier.resume()
        if self._serving is not None:
            self._serving.stop()

    def __enter__(self) -> TeamsServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """The bot's settings that point it here."""
        return {
            "TEAMS_APP_ID": self.world.app_id,
            "TEAMS_APP_PASSWORD": self.login.password,
            "TEAMS_TENANT_ID": self.world.tenant,
            "TEAMS_OPENID_URL": f"{self.base_url}/v1/.well-known/openidconfiguration",
            "TEAMS_LOGIN_URL": self.base_url,
            "TEAMS_SERVICE_URL": self.courier.service_url,
            "GRAPH_API_URL": f"{self.base_url}/graph/v1.0",
        }

    # Answering

    def asgi(self) -> Starlette:
        """The ASGI application, for whoever runs it under a server of their own."""
        chat, well_known = "/teams/v3/conversations", "/.well-known"
        post, graph = f"{chat}/{{conversation}}/activities", "/graph/v1.0"
        users = f"{graph}/groups/{{group}}/transitiveMembers"
        return Starlette(
            routes=[
                Route(f"/v1{well_known}/openidconfiguration", self._open("openid", lambda _: self._openid())),
                Route(f"/v1{well_known}/keys", self._open("keys", lambda _: Answer(200, self.keys.published()))),
                Route(f"/{{tenant}}/v2.0{well_known}/openid-configuration", self._open("openid", self._discovery)),
                Route("/{tenant}/oauth2/v2.0/token", self._open("token", self._token), methods=["POST"]),
                Route(chat, self._closed("create", _SEND, self._create), methods=["POST"]),
                Route(post, self._closed("post", _SEND, self._post), methods=["POST"]),
                Route(f"{post}/{{message}}", self._closed("post", _SEND, self._post), methods=["POST"]),
                Route(f"{post}/{{message}}", self._closed("edit", _SEND, self._edit), methods=["PUT"]),
                Route(f"{post}/{{message}}", self._closed("delete", _SEND, self._delete), methods=["DELETE"]),
                Route(f"{chat}/{{conversation}}/members/{{member}}", self._closed("member", _SEND, self._member)),
                Route(f"{chat}/{{conversation}}/pagedMembers", self._closed("members", _SEND, self._members)),
                Route(f"{graph}/users", self._closed("users", _READ, self._users)),
                Route(f"{graph}/users/{{user}}", self._closed("user", _READ, self._user)),
                Route(f"{graph}/groups/{{group}}", self._closed("group", _READ, self._group)),
                Route(users, self._closed("transitive", _READ, self._transitive)),
                Route(f"{users}/{{cast}}", self._closed("transitive", _READ, self._transitive)),
                *self.relay.routes(),
                *self.more_routes,
            ]
        )

    def _openid(self) -> Answer:
        return Answer(200, openid(self.base_url))

    def _discovery(self, facts: Mapping[str, Any]) -> Answer:
        return Answer(200, self.login.discovery(self.base_url, facts["tenant"]))

    def _token(self, facts: Mapping[str, Any]) -> Answer:
        return Answer(200, self.login.token(facts["tenant"], facts["body"]))

    def _create(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.create(_object(facts))

    def _post(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.post(facts["conversation"], _object(facts), facts.get("message"))

    def _edit(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.edit(facts["conversation"], facts["message"], _object(facts))

    def _delete(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.delete(facts["conversation"], facts["message"])

    def _member(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.member(facts["conversation"], facts["member"])

    def _members(self, facts: Mapping[str, Any]) -> Answer:
        return self.connector.members(facts["conversation"], facts["query"])

    def _users(self, facts: Mapping[str, Any]) -> Answer:
        return self.graph.users(facts["query"], self.base_url)

    def _user(self, facts: Mapping[str, Any]) -> Answer:
        return self.graph.user(facts["user"], facts["query"])

    def _group(self, facts: Mapping[str, Any]) -> Answer:
        return self.graph.group(facts["group"], facts["query"])

    def _transitive(self, facts: Mapping[str, Any]) -> Answer:
        cast = facts.get("cast")
        if cast not in (None, "microsoft.graph.user"):
            raise Refused(400, "Request_BadRequest", f"Unknown cast {cast}")
        group, users_only = facts["group"], cast is not None
        path = f"groups/{group}/transitiveMembers" + (f"/{cast}" if cast else "")
        return self.graph.transitive(group, self.base_url, path, facts["query"], users_only=users_only)

    # Around each call

    def _closed(self, call: str, audience: str, does: Does) -> Callable[[Request], Awaitable[Response]]:
        """For whoever has a token for this audience."""

        def checked(facts: Mapping[str, Any]) -> Answer:
            self.login.check(facts["authorization"], audience)
            return does(facts)

        return self._open(call, checked)

    def _open(self, call: str, does: Does) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            facts = await _facts(request)
            fault = self.faults.take(call, facts)
            await asyncio.sleep(self.faults.delay_s + (fault.delay_s if fault else 0.0))
            if fault is not None and fault.drop == "before":
                return Dropped()
            response = _instead(fault)
            if response is None:
                response = await run_in_threadpool(_answered, does, facts)
            lost = fault is not None and fault.drop == "after"
            self.faults.note(call, facts, 0 if lost else response.status_code)
            return Dropped() if lost else response

        return answer


def _answered(does: Does, facts: Mapping[str, Any]) -> Response:
    try:
        answer = does(facts)
    except Refused as refused:
        return JSONResponse(refused.body(), refused.status, refused.headers)
    return JSONResponse(answer.body, answer.status) if answer.body is not None else Response(status_code=answer.status)


def _instead(fault: Fault | None) -> Response | None:
    if fault is None or (fault.status is None and fault.body is None):
        return None
    status = fault.status or 200
    headers = {"Retry-After": str(fault.retry_after_s)} if fault.retry_after_s is not None else {}
    if isinstance(fault.body, str):
        return PlainTextResponse(fault.body, status, headers)
    usual = {"error": {"code": fault.code, "message": "played by the stand-in"}}
    return JSONResponse(fault.body if fault.body is not None else usual, status, headers)


async def _facts(request: Request) -> Mapping[str, Any]:
    """The path's parts, the query, the body (None where it is no JSON and no form), and the Authorization header."""
    content = await request.body()
    return {
        **request.path_params,
        "query": dict(request.query_params),
        "body": _body(content, request.headers.get("content-type", "")),
        "authorization": request.headers.get("authorization"),
    }


def _body(content: bytes, content_type: str) -> Any:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(content.decode()))
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _object(facts: Mapping[str, Any]) -> Json:
    if not isinstance(facts["body"], dict):
        raise Refused(400, "BadSyntax", "The body is no JSON object")
    return facts["body"]
