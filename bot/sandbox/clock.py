"""What time it is for the stand-in. Seconds since the epoch, as Slack's timestamps count them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]


def system_clock() -> float:
    """Real time. The only reading of it in this package; everything else is given a clock."""
    return time.time()  # noqa: TID251 - a foreign system has a clock of its own; tests pass another


class MovableClock:
    """A clock that a test can put forward (or back), so that a trigger expires without anybody waiting."""

    def __init__(self, base: Clock = system_clock) -> None:
        self._base = base
        self._shift_s = 0.0

    def __call__(self) -> float:
        return self._base() + self._shift_s

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Time goes on by `advance` alone: what counts within a window counts the same on a slow machine."""
        base, at = self._base, self._base()
        self._base = lambda: at
        try:
            yield
        finally:
            self._base = base

    def advance(self, seconds: float) -> None:
        self._shift_s += seconds
