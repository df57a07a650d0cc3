"""HTTP with one time for all of a call: a time-out by itself begins anew with every byte (see `bot.directory.deadline`)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from bot.directory.deadline import Deadline

_thread = threading.local()


@contextmanager
def within(after_s: float) -> Iterator[Deadline]:
    """Calls of a `session` in this thread end then: their connections are cut, and `passed` is true."""
    with Deadline(after_s) as deadline:
        _thread.deadline = deadline
        try:
            yield deadline
        finally:
            _thread.deadline = None


def session() -> requests.Session:
    """One that keeps its connections, which calls `within` can cut."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter())
    return made


class _Watched(HTTPConnection):
    # Another handle of the connection: TLS takes the socket over.
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._handle = made.dup()
        self._watch()
        return made

    def request(self, *args: Any, **more: Any) -> None:
        self._watch()
        super().request(*args, **more)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        super().close()

    def _watch(self) -> None:
        deadline: Deadline | None = getattr(_thread, "deadline", None)
        if deadline is not None and self._handle is not None:
            deadline.watch(self._handle)


class _WatchedTls(HTTPSConnection, _Watched):
    """Watched before the handshake."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
