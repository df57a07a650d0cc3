"""Stands between Microsoft's playground and the bot: the playground signs nothing, and asks for no token.

What it sends is signed here as Teams signs it; what the bot calls is let through with a token of the login alone. Who is a
member is answered here: the playground does not know people by their ids in Entra.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.teams import activities
from bot.sandbox.teams.courier import Courier
from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.login import AUDIENCES, BOT_SCOPE, Keys, Login
from bot.sandbox.teams.people import Json
from bot.sandbox.teams.world import World, as_bot

_TIMEOUT_S = 10.0


class Relay:
    """`connector`: the playground's own address for what bots call, known once it runs; nothing is passed on before."""

    def __init__(self, world: World, keys: Keys, login: Login, courier: Courier) -> None:
        self._world, self._keys, self._login, self._courier = world, keys, login, courier
        self.connector = ""
        self._word = secrets.token_urlsafe(32)

    @property
    def service_url(self) -> str:
        """Below that of the stand-in, so that the bot trusts it."""
        return f"{self._courier.service_url}playground/"

    @property
    def endpoint(self) -> str:
        """Where the playground sends its activities. Nobody can guess it: whoever has it can be anybody here."""
        return self._courier.service_url.replace("/teams/", f"/playground/{self._word}/api/messages")

    def routes(self) -> list[Route]:
        way = "/teams/playground/v3/conversations/{conversation}"
        return [
            Route("/playground/{word}/api/messages", self._hear, methods=["GET", "POST"]),
            Route(f"{way}/members/{{member}}", self._member),
            Route(f"{way}/pagedMembers", self._members),
            Route("/teams/playground/{path:path}", self._call, methods=["POST", "PUT", "DELETE", "GET"]),
        ]

    async def _hear(self, request: Request) -> Response:
        """It looks first whether somebody is there."""
        if not self.connector or not secrets.compare_digest(request.path_params["word"].encode(), self._word.encode()):
            return Response(status_code=404)
        body = await request.body()
        if request.method != "POST" or not body:
            return Response()
        activity = json.loads(body)
        token = activities.token(self._world, self._keys, self.service_url)
        answer = await run_in_threadpool(
            self._courier.send, activity | {"serviceUrl": self.service_url}, authorization=f"Bearer {token}"
        )
        return _answered(answer.status or 504, answer.body)

    async def _member(self, request: Request) -> Response:
        person = self._world.find(request.path_params["member"])
        if (refused := self._refused(request)) is not None:
            return refused
        if person is None:
            return _answered(404, Refused(404, "MemberNotFoundInConversation", "The member was not found.").body())
        return JSONResponse(person.as_member())

    async def _members(self, request: Request) -> Response:
        everybody = [person.as_member() for person in self._world.people.values()]
        return self._refused(request) or JSONResponse({"members": everybody})

    async def _call(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.body()
        path = request.scope["path"].removeprefix("/teams/playground")
        return await run_in_threadpool(self._passed_on, request, path, body)

    def _refused(self, request: Request) -> Response | None:
        try:
            self._login.check(request.headers.get("authorization"), AUDIENCES[BOT_SCOPE])
        except Refused as refused:
            return JSONResponse(refused.body(), refused.status)
        return None

    def _passed_on(self, request: Request, path: str, body: bytes) -> Response:
        """To the playground what is the playground's; the rest is the stand-in's, to which it goes with its token."""
        conversation = path.removeprefix("/v3/conversations").strip("/").partition("/")[0].partition(";")[0]
        ours = not conversation or conversation in self._world.conversations
        url = urlsplit(self._courier.service_url if ours else self.connector)
        headers = {"Content-Type": "application/json"}
        if ours:
            headers["Authorization"] = request.headers["authorization"]
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=_TIMEOUT_S)
        try:
            connection.request(request.method, url.path.rstrip("/") + quote(path, safe="/:;@=."), body, headers)
            answer = connection.getresponse()
            return Response(answer.read(), answer.status, media_type="application/json")
        except (OSError, http.client.HTTPException):
            return _answered(502, Refused(502, "ServiceError", "The playground does not answer.").body())
        finally:
            connection.close()


def _answered(status: int, body: Any) -> Response:
    return Response(status_code=status) if body is None else JSONResponse(body, status)


def people_of(world: World, current: str, others: tuple[str, ...]) -> Mapping[str, Any]:
    """The playground's own file of who there is: `current` acts; it wants exactly five others. Ids are those of Entra."""
    if len(others) != 5:
        raise ValueError(f"the playground wants five others, not {len(others)}")
    me = world.person(current)
    return {
        "version": "0.1.1",
        "tenantId": world.tenant,
        "bot": as_bot(world),
        "currentUser": _person(world, current),
        "users": [_person(world, each) for each in others],
        "personalChat": {"id": f"a:playground-{me.aad}"},
        "groupChat": {"id": f"19:{me.aad}@unq.gbl.spaces", "name": "Release"},
        "team": {
            "id": "19:playground@thread.tacv2",
            "aadGroupId": me.aad,
            "name": "Orders",
            "channels": [{"id": "19:playground-ops@thread.tacv2", "name": "orders-ops"}],
        },
    }


def _person(world: World, aad: str) -> Json:
    person = world.person(aad)
    said = person.as_member()
    return {
        "id": person.teams_id,
        "name": person.name,
        "userPrincipleName": person.upn,
        "aadObjectId": person.aad,
        "givenName": said["givenName"],
        "surname": said["surname"],
        "email": person.mail or person.upn,
    }
