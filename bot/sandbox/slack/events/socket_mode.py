"""Socket Mode: the app opens WebSockets to here, and payloads travel over one of them in envelopes.

Docs: apis/events-api/using-socket-mode. A URL carries a ticket that admits once; payloads go round the open
connections in turn; an envelope that nobody acknowledges counts as a timeout.
"""

import asyncio
import concurrent.futures
import json
import secrets
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import method
from bot.sandbox.slack.events.courier import Ack, Delivery, Tampering
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace

_CONNECTION_LIFE_S = 18_060
_Waiting = concurrent.futures.Future[Any]


@method("apps.connections.open", needs="app", per_minute=20)
def connections_open(ws: Workspace, _arguments: Arguments) -> Json:
    ticket = secrets.token_urlsafe(24)
    ws.tickets.add(ticket)
    base = ws.base_url.replace("http://", "ws://")
    return {"url": f"{base}/link/?ticket={ticket}&app_id={ws.app.app_id}"}


class SocketMode:
    """The open connections. `serve` runs on the server's event loop, `send` on anybody's thread."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._open: list[WebSocket] = []
        self._turn = 0
        self._waiting: dict[str, list[_Waiting]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def connections(self) -> int:
        return len(self._open)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its ticket to its end."""
        self._loop = asyncio.get_running_loop()
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._ws.tickets:
            await socket.close(code=4401)
            return
        self._ws.tickets.discard(ticket)
        await socket.accept()
        self._open.append(socket)
        try:
            await socket.send_text(json.dumps(self._hello()))
            while True:
                self._acknowledged(await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass  # the app hung up, or was cut off below
        finally:
            self._forget(socket)

    def _hello(self) -> Json:
        debug = {"host": "sandbox", "build_number": 1, "approximate_connection_time": _CONNECTION_LIFE_S}
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": debug,
            "connection_info": {"app_id": self._ws.app.app_id},
        }

    def _acknowledged(self, text: str) -> None:
        answer = json.loads(text)
        for waiting in self._waiting.get(str(answer.get("envelope_id")), []):
            if not waiting.done():
                waiting.set_result(answer.get("payload"))
                return

    def _forget(self, socket: WebSocket) -> None:
        if socket in self._open:
            self._open.remove(socket)

    def send(self, delivery: Delivery, tampering: Tampering, timeout_s: float) -> Ack:
        """Over the next connection in turn; `dispatch_failed` where there is none."""
        loop = self._loop
        if loop is None or not self._open:
            return Ack(error="dispatch_failed")
        waiting: _Waiting = concurrent.futures.Future()
        self._waiting.setdefault(delivery.id, []).append(waiting)
        asyncio.run_coroutine_threadsafe(self._hand_over(_envelope(delivery, tampering)), loop)
        try:
            return Ack(waiting.result(timeout_s) or None)
        except concurrent.futures.TimeoutError:
            return Ack(error="operation_timeout")
        finally:
            self._no_longer(delivery.id, waiting)

    def _no_longer(self, envelope_id: str, waiting: _Waiting) -> None:
        """A late acknowledgement finds nobody; copies of one envelope that still wait are left to wait."""
        others = [other for other in self._waiting.pop(envelope_id, []) if other is not waiting]
        if others:
            self._waiting[envelope_id] = others

    async def _hand_over(self, envelope: Json) -> None:
        if not self._open:
            return
        self._turn += 1
        socket = self._open[self._turn % len(self._open)]
        try:
            await socket.send_text(json.dumps(envelope))
        except (WebSocketDisconnect, RuntimeError):
            self._forget(socket)

    def disconnect(self, reason: str = "refresh_requested", *, abruptly: bool = False) -> None:
        """Ask every connection to come back on a new one (`warning`, `refresh_requested`), or cut it off unsaid."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._disconnect(reason, abruptly), self._loop).result(5)

    async def _disconnect(self, reason: str, abruptly: bool) -> None:
        for socket in list(self._open):
            if not abruptly:
                message = {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
                await socket.send_text(json.dumps(message))
            if abruptly or reason != "warning":
                self._forget(socket)
                await socket.close()


def _envelope(delivery: Delivery, tampering: Tampering) -> Json:
    envelope: Json = {
        "type": delivery.kind,
        "envelope_id": delivery.id,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api" or tampering.retry_num is not None:
        attempt = tampering.retry_num or 0
        envelope |= {"retry_attempt": attempt, "retry_reason": tampering.retry_reason if attempt else ""}
    return envelope
