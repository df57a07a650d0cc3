"""One time for all that is read from an address: a socket's own time-out begins anew with every byte.

Name, TLS, head, body and redirects of a server that sends a byte a second each keep to any time-out of a socket.
"""

from __future__ import annotations

import contextlib
import socket
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from threading import Lock, Timer
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request


class Deadline:
    """While entered: after `after_s` every connection of `handlers` is cut, and `passed` is true."""

    def __init__(self, after_s: float) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(after_s, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def handlers(self) -> tuple[HTTPHandler, HTTPSHandler]:
        """For `build_opener`."""
        return _Http(self), _Https(self)

    def watch(self, connected: socket.socket) -> None:
        # TLS takes the socket over; another handle of the same connection cuts it all the same.
        handle = connected.dup()
        with self._lock:
            self._sockets.append(handle)
            passed = self.passed
        if passed:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            for one in self._sockets:
                with contextlib.suppress(OSError):  # the other side was faster
                    one.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    deadline: Deadline

    def connect(self) -> None:
        super().connect()
        self.deadline.watch(self.sock)


class _Tls(HTTPSConnection, _Plain):
    """Watched before the handshake."""


class _Http(HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_watched(_Plain, self._deadline), req)


class _Https(HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_watched(_Tls, self._deadline), req)


def _watched(kind: type[_Plain], deadline: Deadline) -> Any:
    def connection(host: str, **options: Any) -> _Plain:
        made = kind(host, **options)
        made.deadline = deadline
        return made

    return connection
