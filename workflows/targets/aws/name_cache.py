"""What names mean, remembered in the process for a while, so that a later life costs no look-ups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from workflows.core.refusal import Refused

T = TypeVar("T")

# People come, go and change their address; the rest of it is made by infrastructure code and hardly ever changes.
PERSON_S = 600.0
THING_S = 3600.0
_KEPT_MAX = 20_000
# Keys that begin with this word are of lists that cost many calls. Nothing is believed for standing in one: it is looked at.
BOOK = "book"


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

    def drop(self, key: Hashable) -> None:
        """Forget this one."""
        with self._lock:
            self._known.pop(key, None)

    def forget(self) -> None:
        """Forget every name: something that was remembered has proved to be gone. Long lists are not names: see `BOOK`."""
        with self._lock:
            self._known = {key: found for key, found in self._known.items() if _is_list(key)}


def _is_list(key: Hashable) -> bool:
    return isinstance(key, tuple) and str(key[0]).startswith(BOOK)
