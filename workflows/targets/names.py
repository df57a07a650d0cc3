"""What names mean, remembered in the process for a while, so that a later life costs no look-ups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from workflows.core.errors import Refused

T = TypeVar("T")

# People come, go and change their address; the rest of it is made by infrastructure code and hardly ever changes.
PERSON_S = 600.0
THING_S = 3600.0
_KEPT_MAX = 20_000


class Names:
    """Positive answers only: what was missing a moment ago may have been made since. Safe for threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[object, float]] = {}

    def get(self, key: Hashable) -> object | None:
        """What is remembered under `key`, or None."""
        with self._lock:
            found = self._known.get(key)
        return found[0] if found is not None and found[1] > self._monotonic() else None

    def put(self, key: Hashable, value: T, ttl_s: float) -> T:
        with self._lock:
            if len(self._known) >= _KEPT_MAX:
                self._known.clear()
            self._known[key] = (value, self._monotonic() + ttl_s)
        return value

    def remember(self, key: Hashable, ttl_s: float, find: Callable[[], T | Refused]) -> T | Refused:
        """The remembered answer, or what `find` says now; refusals are not remembered. `find` runs outside the lock."""
        known = self.get(key)
        if known is not None:
            return cast("T", known)
        found = find()
        return found if isinstance(found, Refused) else self.put(key, found, ttl_s)

    def forget(self) -> None:
        """Forget everything: something that was remembered has proved to be gone."""
        with self._lock:
            self._known.clear()
