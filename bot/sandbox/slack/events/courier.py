"""Bringing payloads to the app, by whichever way it takes them, and what becomes of them.

An interaction waits for the app's acknowledgement, three seconds at most, as a person waits in front of Slack. Events
leave in order from a thread of their own.
"""

import queue
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.sandbox.copying import copied
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace

Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class Ack:
    """The app's answer. `error` is `operation_timeout` (nothing came) or `dispatch_failed` (refused, or nobody there)."""

    body: Json | str | None = None
    error: str | None = None
    status: int | None = None
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Tampering:
    """How a delivery is spoilt on purpose. Over Socket Mode there is no signature and no timestamp to spoil.

    `copies` of the same thing arrive at the same time. `retry_num` goes into `X-Slack-Retry-Num`, with its reason.
    """

    bad_signature: bool = False
    timestamp_shift_s: float = 0.0
    copies: int = 1
    retry_num: int | None = None
    retry_reason: str = "http_timeout"


@dataclass
class Delivery:
    """One payload and every answer to it. `id` is the envelope's id over Socket Mode."""

    id: str
    kind: Kind
    payload: Json
    at: float
    acks: list[Ack] = field(default_factory=list)

    @property
    def ack(self) -> Ack:
        """The first answer: the one that the person gets to see."""
        return self.acks[0] if self.acks else Ack(error="operation_timeout")


class Transport(Protocol):
    """One way to the app. `send` blocks for `timeout_s` at most and never raises for what the app does."""

    def send(self, delivery: Delivery, tampering: Tampering, timeout_s: float) -> Ack: ...


class Courier:
    """Delivers. Thread-safe; nobody may hold the workspace's lock while calling, because the app will call back."""

    def __init__(self, ws: Workspace, http: Transport, sockets: Transport) -> None:
        self._ws = ws
        self._http = http
        self._sockets = sockets
        self._tampering: list[Tampering] = []
        self._running = threading.Event()
        self._running.set()
        self._events: queue.Queue[Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._held: list[Delivery] | None = None
        self.sent: list[Delivery] = []

    # Interactions

    def deliver(self, kind: Kind, payload: Json) -> Delivery:
        """Send one payload and wait for the answer."""
        delivery = self._new(kind, payload)
        tampering = self._tampering.pop(0) if self._tampering else Tampering()
        self._send(delivery, tampering)
        return delivery

    def redeliver(self, delivery: Delivery, tampering: Tampering | None = None) -> Ack:
        """The same payload again, same envelope id: what a retry or a replay by somebody else looks like."""
        self._send(delivery, tampering or Tampering())
        return delivery.acks[-1]

    def spoil_next(self, **how: object) -> None:
        """The next interaction is spoilt so: `spoil_next(bad_signature=True)`, `spoil_next(copies=2)`. See Tampering."""
        self._tampering.append(Tampering(**how))  # type: ignore[arg-type] # the fields' own types are checked there

    def pause(self) -> None:
        """Nothing gets through. Interactions time out after their three seconds, events wait."""
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def _new(self, kind: Kind, payload: Json) -> Delivery:
        identity = f"{secrets.token_hex(4)}-{secrets.token_hex(6)}"
        delivery = Delivery(identity, kind, copied(payload), self._ws.clock())
        self.sent.append(delivery)
        return delivery

    def _send(self, delivery: Delivery, tampering: Tampering) -> None:
        timeout_s = self._ws.app.ack_timeout_s
        if not self._running.wait(timeout_s):
            delivery.acks.append(Ack(error="operation_timeout", took_s=timeout_s))
            return
        transport = self._http if self._ws.app.request_url else self._sockets
        if tampering.copies == 1:
            delivery.acks.append(timed(lambda: transport.send(delivery, tampering, timeout_s)))
            return
        with ThreadPoolExecutor(tampering.copies) as pool:
            copies = [pool.submit(transport.send, delivery, tampering, timeout_s) for _ in range(tampering.copies)]
            delivery.acks += [copy.result() for copy in copies]

    # Events

    def event(self, event: Json) -> None:
        """Put an event on its way, if the app has subscribed to its type and, for a message, is in the conversation."""
        app = self._ws.app
        if not _subscribed(self._ws, event):
            return
        authorization = {"enterprise_id": None, "team_id": app.team_id, "user_id": app.bot_user_id, "is_bot": True}
        payload = {
            "token": app.verification_token,
            "team_id": app.team_id,
            "api_app_id": app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": self._ws.now(),
            "authorizations": [authorization | {"is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }
        delivery = self._new("events_api", payload)
        if self._held is None:
            self._events.put(delivery)
        else:
            self._held.append(delivery)

    def hold_events(self) -> None:
        """Events from now on come late: not before `release_events`. Interactions come as usual."""
        self._held = self._held or []

    def release_events(self, times: int = 1) -> None:
        """Deliver what was held, the newest first, each so often: Slack repeats for hours, and promises no order."""
        held, self._held = self._held or [], None
        for delivery in reversed(held):
            for _ in range(times):
                self._events.put(delivery)

    def settle(self) -> None:
        """Wait until every event so far has been delivered."""
        self._events.join()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._deliver_events, name="slack-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._running.set()
        self._events.put(None)
        if self._thread:
            self._thread.join(timeout=self._ws.app.ack_timeout_s + 1)

    def _deliver_events(self) -> None:
        while (delivery := self._events.get()) is not None:
            self._running.wait()
            self._send(delivery, Tampering())
            self._events.task_done()
        self._events.task_done()


def _subscribed(ws: Workspace, event: Json) -> bool:
    if event["type"] == "message":
        inside = ws.app.bot_user_id in ws.channels[event["channel"]].members
        kinds = {"message", f"message.{'channels' if event['channel_type'] == 'channel' else event['channel_type']}"}
        return inside and bool(kinds & ws.app.events)
    return event["type"] in ws.app.events


def timed(send: Callable[[], Ack]) -> Ack:
    """The answer, with how long it took."""
    start = time.monotonic()
    ack = send()
    return Ack(ack.body, ack.error, ack.status, time.monotonic() - start)
