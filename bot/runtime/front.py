"""What one chat brings into the web process: where its requests come in, what it holds open, and whether it can work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.observability.log import log_failure

# Set in a request's scope by whoever has proved that it comes from the chat: see `peer_limits`.
PROVED = "prodaccess.proved"


class Front(Protocol):
    """`mode`: for the log. `what`: what may stand in its way, as `Obstacles` names it; `well`: what is said once it is gone."""

    @property
    def mode(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def well(self) -> str: ...

    def routes(self) -> Sequence[Route]: ...
    def start(self) -> None: ...
    def close(self) -> None: ...
    def problems(self) -> list[str]:
        """Why it does not work, in words for whoever runs this. Waits for the chat at most now and then."""
        ...

    def attention(self) -> list[str]:
        """What it can do without."""
        ...


async def body_of(request: Request, bytes_max: int) -> bytes | None:
    """None where it is too large, and what is more is not read; or where its sender hung up, which is no fault of ours, and
    nothing that a stranger is paid back for. They hear no answer.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > bytes_max:
                return None
            chunks.append(chunk)
    except ClientDisconnect:
        return None
    return b"".join(chunks)


async def went_wrong(_request: Request, problem: Exception) -> Response:
    """What leaves a route is written down once more by the server, at full length."""
    number = log_failure("a request failed", problem)
    return PlainTextResponse(f"Something went wrong here: error {number} in the log.", 500)
