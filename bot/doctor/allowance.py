"""How much one look may ask of chats and targets: little enough that an installation beside it notices nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from bot.monotonic import monotonic_s

# Questions in one look. Slack takes 50 to 100 of most of these a minute from all processes together, and 20 of the rest.
QUESTIONS_MAX: Mapping[str, int] = {
    "slack:users.lookupByEmail": 20,
    "slack:users.info": 30,
    "slack:users.list": 2,
    "slack:usergroups.list": 2,
    "slack:conversations.info": 25,
    "teams:graph": 60,
    "targets": 300,
}
OTHERS_MAX = 20
# The narrowest of them takes twenty calls a second from everybody together: a look takes less than a third of that.
TARGETS_A_SECOND = 6.0
USED_UP_S = 3600.0


class Allowance:
    """`ports.Buckets` of one look. It writes nothing anywhere, so an installation's own buckets stay as they are.

    Whoever asked for more is told to wait, and whoever was told to wait by the other side is not asked again. `pause`: sleeps, in
    seconds; calls to targets are spread by it.
    """

    def __init__(self, pause: Callable[[float], object] = time.sleep, most: Mapping[str, int] = QUESTIONS_MAX) -> None:
        self._pause = pause
        self._most = most
        self._lock = threading.Lock()
        self._blocked: set[str] = set()
        self._next_s = 0.0
        self.asked: Counter[str] = Counter()

    def take(
        self,
        name: str,
        *,
        rate: float,
        burst: float,
        amount: float = 1.0,
        reserve: float = 0.0,
        gate: str = "",
        in_line: bool = False,
    ) -> float:
        """Seconds to wait: none, or for longer than anybody looks."""
        del rate, burst, amount, reserve, gate, in_line
        kind = name if name.startswith(("slack:", "teams:")) else "targets"
        with self._lock:
            if name in self._blocked or self.asked[kind] >= self._most.get(kind, OTHERS_MAX):
                return USED_UP_S
            self.asked[kind] += 1
            wait_s = self._turn_s() if kind == "targets" else 0.0
        if wait_s > 0:
            self._pause(wait_s)
        return 0.0

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        del spent
        if seconds > 0:
            with self._lock:
                self._blocked.add(name)

    def _turn_s(self) -> float:
        now_s = monotonic_s()
        at_s = max(now_s, self._next_s)
        self._next_s = at_s + 1 / TARGETS_A_SECOND
        return at_s - now_s
