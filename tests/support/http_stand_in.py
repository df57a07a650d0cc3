"""Another side that answers JSON over HTTP, on a free port of this machine; what a test says of its next answer goes first."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Query = Mapping[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """`path` as it was sent, without its query; `whole` with it. `heads`: names in lower case."""

    method: str
    path: str
    whole: str
    query: Query
    heads: Mapping[str, str]
    body: Any

    @property
    def bearer(self) -> str:
        return self.heads.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Answer:
    """`said`: JSON, bytes as they are, or None for nothing. `status` 0: none at all, the line is cut."""

    status: int
    said: Any = None
    heads: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """Its address. Each request has a thread of its own."""

    class Handler(_Handler):
        of = staticmethod(answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: Callable[[Asked], Answer]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        heads = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(sent) if sent else {}
        answer = self.of(Asked(self.command, parts.path, self.path, parse_qs(parts.query), heads, body))
        if not answer.status:
            self.close_connection = True
            return
        with suppress(BrokenPipeError, ConnectionResetError):  # who asked was killed meanwhile
            self._say(answer)

    do_POST = do_GET  # noqa: N815 - as http.server calls it

    def _say(self, answer: Answer) -> None:
        said = answer.said
        content = b"" if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(answer.status)
        heads = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content)), **answer.heads}
        for name, value in heads.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Fails:
    """The next answer to what fits `path`, as `POST /projects`. `done`: it was done all the same, and the answer lost.

    `after`: answered only then.
    """

    path: str
    status: int
    heads: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    done: bool = False
    after: threading.Event | None = None


class StandIn:
    """`asked`: method and path of every call. `fails`: what goes wrong next. `is_away`: every line is cut."""

    def __init__(self) -> None:
        self.fails: list[Fails] = []
        self.asked: list[str] = []
        self.is_away = False
        self.lock = threading.Lock()

    def answered(self, asked: Asked) -> tuple[int, Any]:
        """What there is to say to it. The lock is held."""
        raise NotImplementedError

    def more(self, asked: Asked) -> Mapping[str, str]:
        """Headers of what is answered."""
        return {}

    def answer(self, asked: Asked) -> Answer:
        said = f"{asked.method} {asked.path}"
        with self.lock:
            self.asked.append(said)
            if self.is_away:
                return Answer(0)
            failing = next((one for one in self.fails if re.search(one.path, said)), None)
            if failing is None:
                return Answer(*self.answered(asked), self.more(asked))
            self.fails.remove(failing)
            if failing.done:
                self.answered(asked)
        if failing.after is not None:
            failing.after.wait()
        return Answer(failing.status, failing.body or {"message": "failed on purpose"}, failing.heads)
