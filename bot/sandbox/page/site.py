"""The page's addresses, all under a name that nobody can guess, and for this machine's own browser only."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.page import people
from bot.sandbox.slack import SlackServer
from bot.sandbox.slack import control as by_hand
from bot.sandbox.slack.json_http import endpoint, from_here
from bot.sandbox.slack.model import Json

STATIC = Path(__file__).parent / "static"
ROOT = "/sandbox"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[Json], Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def new_token() -> str:
    return secrets.token_urlsafe(32)


def mount(token: str, gets: dict[str, Handler], posts: dict[str, Handler], events: Endpoint, static: Path) -> Mount:
    """`gets` and `posts`: what answers at `api/NAME`."""
    api = [
        *(Route(f"/api/{name}", endpoint(handler)) for name, handler in gets.items()),
        *(Route(f"/api/{name}", endpoint(handler), methods=["POST"]) for name, handler in posts.items()),
        Route("/api/events", events),
    ]
    files = [
        Route("/", partial(_index, static)),
        Mount("/static", app=_OwnFiles(directory=static, check_dir=False)),
    ]
    # An application of its own answers its own errors, so that they carry our headers as well.
    return Mount(ROOT, app=_Guard(token, Starlette(routes=[*api, *files])))


def playing(slack: SlackServer) -> tuple[dict[str, Handler], dict[str, Handler]]:
    """What people see and do, by name: to look at, and to be done."""
    see = {"people/{user}": people.sees, "badges": people.badges}
    do = {
        "people/{user}/options": people.options,
        "people/{user}/modal/{does}": people.doing(by_hand.does_in_modal),
        "people/{user}/home/{does}": people.doing(by_hand.does_at_home),
        "people/{user}/{does}": people.doing(by_hand.does),
    }
    return (
        {name: partial(handler, slack) for name, handler in see.items()},
        {name: partial(handler, slack) for name, handler in do.items()},
    )


async def _index(static: Path, _request: Request) -> Response:
    page = static / "index.html"
    return FileResponse(page) if page.is_file() else PlainTextResponse("Not Found", 404)


class _OwnFiles(StaticFiles):
    """Files of ours. Where the folder is missing nothing is found."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if self.directory is None or not Path(self.directory).is_dir():
            raise HTTPException(404)
        return await super().get_response(path, scope)

    async def check_config(self) -> None:
        """Looked at with each request."""


class _Guard:
    """Everything but the page's own address is not found, and other pages' requests are refused."""

    def __init__(self, token: str, site: ASGIApp) -> None:
        self._token = token
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        await self._answer(scope)(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope) -> ASGIApp:
        rest = scope["path"].removeprefix(scope["root_path"]).removeprefix("/")
        token, slash, _ = rest.partition("/")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return PlainTextResponse("Not Found", 404)
        if not from_here(Request(scope)):
            return JSONResponse({"error": "this answers its own machine and its own page only"}, 403)
        if not slash:
            return RedirectResponse(f"{ROOT}/{self._token}/")
        scope["root_path"] = f"{scope['root_path']}/{token}"
        return self._site


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
