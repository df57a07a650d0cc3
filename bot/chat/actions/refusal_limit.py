"""How often a person is refused before nobody listens for a while: for whoever types, or lets something type, the same again and
again. Kept in each process alone, so that it costs nothing and leaves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from workflows.core.people import Account

REFUSED_MAX = 60
WINDOW_S = 60.0
# More people than this are not kept in mind at once; whose window is over is forgotten then.
PEOPLE_MAX = 10_000


class Verdict(StrEnum):
    GO = "go"
    # Once in a window: say why nothing happens.
    TELL = "tell"
    SILENT = "silent"


@dataclass(slots=True)
class _Window:
    since_s: float
    refused: int = 0
    told: bool = False


class RefusalLimit:
    """`monotonic_s`: seconds of this host. Safe to share between threads."""

    def __init__(self, monotonic_s: Callable[[], float], most: int = REFUSED_MAX) -> None:
        self._monotonic_s = monotonic_s
        self._most = most
        self._lock = threading.Lock()
        self._windows: dict[Account, _Window] = {}

    def verdict(self, who: Account) -> Verdict:
        """Whether to listen to them now."""
        with self._lock:
            window = self._window(who)
            if window is None or window.refused < self._most:
                return Verdict.GO
            told, window.told = window.told, True
            return Verdict.SILENT if told else Verdict.TELL

    def refused(self, who: Account) -> None:
        """They were refused once more, or wait for somebody to look who they are."""
        with self._lock:
            window = self._window(who)
            if window is None:
                self._forget()
                window = self._windows[who] = _Window(self._monotonic_s())
            window.refused += 1

    def _window(self, who: Account) -> _Window | None:
        found = self._windows.get(who)
        return found if found is not None and self._monotonic_s() - found.since_s < WINDOW_S else None

    def _forget(self) -> None:
        if len(self._windows) < PEOPLE_MAX:
            return
        now_s = self._monotonic_s()
        self._windows = {who: w for who, w in self._windows.items() if now_s - w.since_s < WINDOW_S}
        while len(self._windows) >= PEOPLE_MAX:
            del self._windows[next(iter(self._windows))]
