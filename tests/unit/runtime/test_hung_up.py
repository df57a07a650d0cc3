"""Whoever hangs up before their request is whole is a stranger like others: nothing breaks, and nothing is paid back for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from bot.forge.door import PATH, EventsDoor
from bot.runtime.front import body_of
from bot.runtime.operations import app_of
from bot.runtime.peer_limits import AT_ONCE, STRANGERS_COST, Allowance, PeerLimits
from bot.settings import Settings
from tests.support.gate_door import NOW, MemoryAsks, door_of
from tests.support.github import SECRET
from tests.support.issuer import AUDIENCE
from tests.support.pipelines import github_pipeline


async def _whole(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{await body_of(request, 100)}")


def doors() -> dict[str, Any]:
    gate = door_of(MemoryAsks((github_pipeline(),), clock=lambda: NOW), AUDIENCE)
    forge = EventsDoor(Settings(github_webhook_secret=SECRET), lambda *_: False)
    return {
        "/whole": [Route("/whole", _whole, methods=["POST"])],
        "/gate/v1/asks": gate.routes(),
        PATH: forge.routes(),
    }


@pytest.mark.parametrize("path", ["/whole", "/gate/v1/asks", PATH])
def test_half_a_request_costs_a_stranger_what_any_other_does(path: str) -> None:
    allowance = Allowance(lambda: 0.0)
    app = PeerLimits(app_of(doors()[path], None), [path], allowance)
    parts = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer x"), (b"content-length", b"9")],
        "client": ("203.0.114.9", 1),
    }
    before, _ = allowance.take("203.0.114.9")

    async def receive() -> Any:
        return parts.pop(0)

    async def send(_message: Any) -> None:
        return

    with capture_logs() as logs:
        asyncio.run(app(scope, receive, send))

    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    left = allowance._peer("203.0.114.9").tokens
    assert left == AT_ONCE - before - STRANGERS_COST
