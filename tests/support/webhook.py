"""A Workflow's address on this machine, as strict as what stands behind one: it takes one envelope with one card."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Of the whole message (learn.microsoft.com, add-incoming-webhook).
BYTES_MAX = 28 * 1024
SECRET = "sig-7h1s-1s-s3cr3t"


@dataclass(frozen=True)
class Answer:
    """`hangs`: until it is let go. `resets`: the connection, without a word."""

    status: int = 202
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    resets: bool = False


@dataclass
class Workflow:
    """`answers`: what the next requests get, whatever they bring; then what they deserve. `cards`: those that were taken."""

    url: str
    answers: deque[Answer] = field(default_factory=deque)
    cards: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if self.answers:
            return self.answers.popleft()
        if len(body) > BYTES_MAX:
            return Answer(413, "Request Entity Too Large")
        try:
            card = _card(headers, json.loads(body))
        except (ValueError, TypeError, KeyError) as problem:
            return Answer(400, f"Bad payload received by generic incoming webhook: {problem!r}")
        self.cards.append(card)
        return Answer()


def _card(headers: Mapping[str, str], message: Any) -> dict[str, Any]:
    """The card in it. Raises ValueError, TypeError and KeyError for everything that is not the one envelope."""
    (attachment,) = message["attachments"]
    if headers.get("content-type") != "application/json" or message.keys() != {"type", "attachments"}:
        raise ValueError("the envelope")
    if message["type"] != "message" or attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        raise ValueError("the type")
    if attachment.keys() != {"contentType", "contentUrl", "content"} or attachment["contentUrl"] is not None:
        raise ValueError("the attachment")
    card: dict[str, Any] = attachment["content"]
    if card["type"] != "AdaptiveCard" or card["version"] not in ("1.2", "1.3", "1.4") or not card["body"]:
        raise ValueError("the card")
    return card


@contextmanager
def workflow() -> Iterator[Workflow]:
    """One that listens on a free port, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Workflow(f"http://127.0.0.1:{server.server_port}/workflows/1/triggers/manual?sp=%2Frun&sig={SECRET}")
    server.workflow = found  # type: ignore[attr-defined]  # the one way to hand it to the handlers
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        found: Workflow = self.server.workflow
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        found.asked.append((self.command, self.path))
        answer = found.take({name.lower(): value for name, value in self.headers.items()}, body)
        if answer.hangs:
            found.let_go.wait(30)
        elif answer.resets:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self._say(answer)

    def do_GET(self) -> None:
        """What a followed redirect makes of a POST."""
        self.server.workflow.asked.append((self.command, self.path))
        self._say(Answer(200))

    def _say(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(answer.text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.text.encode())

    def log_message(self, *said: Any) -> None:
        del said
