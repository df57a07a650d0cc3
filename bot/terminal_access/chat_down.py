"""Whether there is a chat, found by asking. What answers at all is there, whatever it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, build_opener

from bot.directory.deadline import Deadline

TIMEOUT_S = 3.0
# What was found longer ago says nothing of the time between.
REMEMBERED_S = 60.0


class Outage:
    """Since when no chat answers this process. `addresses`: one of each chat that is set up; with none nothing is down."""

    def __init__(self, addresses: Iterable[str], monotonic_s: Callable[[], float]) -> None:
        self._addresses = tuple(addresses)
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        # The first and the last look in vain, of those without a longer pause between them.
        self._since_s = self._last_s = 0.0

    def down_for_s(self) -> float | None:
        """Asks each of them now. None where one answers."""
        down = [_is_down(address) for address in self._addresses]
        now_s = self._monotonic_s()
        with self._lock:
            if not down or not all(down):
                self._last_s = 0.0
                return None
            if not self._last_s or now_s - self._last_s > REMEMBERED_S:
                self._since_s = now_s
            self._last_s = now_s
            return now_s - self._since_s


def _is_down(address: str) -> bool:
    """That something is refused, or asked for too often, is an answer; an error of the server's is none."""
    request = Request(address, headers={"User-Agent": "prodaccess"})  # noqa: S310 - an address of the settings
    with Deadline(TIMEOUT_S) as deadline:
        try:
            with build_opener(*deadline.handlers()).open(request, timeout=TIMEOUT_S):
                return False
        except HTTPError as problem:
            problem.close()
            return problem.code >= 500
        except (OSError, HTTPException, ValueError):
            return True
