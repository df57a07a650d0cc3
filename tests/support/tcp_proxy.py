"""A TCP proxy of ours: a link that can be cut, and a load balancer that passes on to whoever listens."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)


class TcpProxy:
    """Use as a context manager. A new connection goes to the next target that takes it, in turn.

    Cut without `reset` nothing comes through and nobody hears of it, as when a cable is pulled: what was sent arrives once it
    is healed, and connections that are opened meanwhile wait. With `reset` all connections end, and new ones, too.
    `slow_s`: every answer takes so long. `round_trips`: how often somebody asked and was answered, whatever was in it.
    """

    def __init__(self, *targets: int) -> None:
        self.targets = list(targets)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._resets = False
        self._turn = 0
        self.slow_s = 0.0
        self.round_trips = 0
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

    def __enter__(self) -> TcpProxy:
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end_all()
        self._flows.set()

    def cut(self, *, reset: bool = False) -> None:
        self._resets = reset
        if reset:
            self._end_all()
        else:
            self._flows.clear()

    def heal(self) -> None:
        self._resets = False
        self._flows.set()

    def _end_all(self) -> None:
        with self._lock:
            for each in self._sockets:
                _end(each, reset=True)
            self._sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                taken, _ = self._listener.accept()
                if self._resets:
                    _end(taken, reset=True)
                else:
                    threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        self._flows.wait()
        onward = self._onward()
        if onward is None:
            _end(taken, reset=True)
            return
        with self._lock:
            self._sockets |= {taken, onward}
        asks = threading.Event()
        back = threading.Thread(target=self._pump, args=(onward, taken, asks), kwargs={"answers": True}, daemon=True)
        back.start()
        self._pump(taken, onward, asks)
        back.join()
        with self._lock:
            self._sockets -= {taken, onward}
        taken.close()
        onward.close()

    def _onward(self) -> socket.socket | None:
        with self._lock:
            self._turn += 1
            targets = self.targets[self._turn % len(self.targets) :] + self.targets[: self._turn % len(self.targets)]
        for port in targets:
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=None)
        return None

    def _pump(
        self, source: socket.socket, sink: socket.socket, asks: threading.Event, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while True:
                data = source.recv(65_536)
                self._flows.wait()
                if answers and self.slow_s:
                    time.sleep(self.slow_s)
                if not data:
                    break
                if answers:
                    # Before it is passed on: whoever has it may ask again at once.
                    asks.clear()
                elif not asks.is_set():
                    asks.set()
                    with self._lock:
                        self.round_trips += 1
                sink.sendall(data)
        for each, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with suppress(OSError):
                each.shutdown(how)


def _end(each: socket.socket, *, reset: bool) -> None:
    with suppress(OSError):
        if reset:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # Wakes whoever reads from it, which closing alone does not.
        each.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        each.close()
