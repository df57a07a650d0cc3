"""How many wait for the same bucket in this process, so that not all of them come back at each drop of it."""

from __future__ import annotations

import threading

# Nobody stays away for more drops than these, however many are ahead: who is ahead may have been served elsewhere.
AHEAD_MAX = 5


class Line:
    """In the order in which they were refused last. Whoever comes back passes those who did not, who may be done; one that is
    served without having waited says that nobody has to.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()

    def refused(self, who: str) -> int:
        """How many come before them."""
        with self._lock:
            self._pass(who)
            ahead = len(self._waiting)
            self._waiting[who] = None
        return min(ahead, AHEAD_MAX)

    def served(self, who: str) -> None:
        with self._lock:
            if who in self._waiting:
                self._pass(who)
            else:
                self._waiting.clear()

    def _pass(self, who: str) -> None:
        if who in self._waiting:
            waiting = list(self._waiting)
            self._waiting = dict.fromkeys(waiting[waiting.index(who) + 1 :])
