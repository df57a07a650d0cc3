"""What stands in the ledger and cannot be read: noted wherever somebody meets it.

It harms itself alone: lists leave it out, decisions that would rest on it refuse, and access that it stands for is taken away
on time all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

# So many are kept in mind until they are told, and listed; where there are more, these are alarm enough.
KEPT_MAX = 200


class Unreadable:
    """What this process has met since it last told. A `ports.Notice`; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: dict[str, str] = {}

    def __call__(self, what: str, why: str) -> None:
        with self._lock:
            if len(self._met) < KEPT_MAX or what in self._met:
                self._met[what] = why

    def take(self) -> Mapping[str, str]:
        with self._lock:
            met, self._met = self._met, {}
            return met
