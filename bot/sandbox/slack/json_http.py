"""JSON over HTTP for whoever plays people here: the control API, and the page that stands on the same functions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.slack.errors import ApiError, CannotDo
from bot.sandbox.slack.model import Json

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def endpoint(handle: Callable[[Json], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Answer what `handle` makes of the query, the body and the path's parts together.

    Handlers wait for the app, which calls back: so they run beside the event loop, never on it.
    """

    async def answer(request: Request) -> Response:
        if not from_here(request):
            return JSONResponse({"error": "this answers its own machine and its own page only"}, 403)
        try:
            body = json.loads(await request.body() or b"{}")
            arguments = dict(request.query_params) | body | request.path_params
            result = await run_in_threadpool(handle, arguments)
        except CannotDo as refused:
            return JSONResponse({"error": str(refused), "cannot": True}, 409)
        except ApiError as refused:
            return JSONResponse(refused.body(), 400)
        except (TypeError, ValueError, KeyError) as wrong:
            return JSONResponse({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
        return Response(json.dumps(result, default=plain), media_type="application/json")

    return answer


def from_here(request: Request) -> bool:
    """Keeps out a web page that somebody has open, also one whose name was pointed at 127.0.0.1."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    return host.rpartition(":")[0] in _LOOPBACK and origin in (None, f"http://{host}")


def plain(value: Any) -> Any:
    """For `json.dumps`: records as objects, sets as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
