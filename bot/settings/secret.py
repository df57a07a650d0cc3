"""One secret, of which two values may be valid while it is rotated: the newest first, as its file holds them.

Nothing here reads a file: `secret_files` does, and hands the values over. A value is in no message and no `repr`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from bot.monotonic import monotonic_s

T = TypeVar("T")

# The newest value may be refused because it is not valid yet. So long the others come first.
REFUSED_S = 30.0


class Secret:
    """For any thread. `name`: the variable's. `values`: newest first, at least one.

    What proves somebody else (a signing secret) is held against all `values`. What we present ourselves is taken from
    `in_turn`, or from `best`, and whoever hears that it is refused says so with `refused`.
    """

    def __init__(
        self, name: str, values: Sequence[str], *, from_file: bool = False, monotonic: Callable[[], float] = monotonic_s
    ) -> None:
        self.name = name
        self.from_file = from_file
        self._values = tuple(values)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # Value -> when it was refused last.
        self._refused_at_s: dict[str, float] = {}
        self._then: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"Secret({self.name}, {len(self._values)} values)"

    @property
    def values(self) -> tuple[str, ...]:
        return self._values

    @property
    def newest(self) -> str:
        return self._values[0]

    def best(self) -> str:
        """The newest that was not refused within half a minute; the newest where all were."""
        return next(self.in_turn())

    def in_turn(self) -> Iterator[str]:
        """All of them, those first that were not refused of late. One that was refused before that is as good as another until
        it is refused again.
        """
        with self._lock:
            values, late_s = self._values, self._monotonic() - REFUSED_S
            self._refused_at_s = {value: at_s for value, at_s in self._refused_at_s.items() if at_s > late_s}
            refused = set(self._refused_at_s)
        yield from sorted(values, key=lambda value: value in refused)

    def presented(self, do: Callable[[str], T], refuses: Callable[[Exception], bool]) -> T:
        """What `do` makes of the first value that is taken.

        `refuses`: whether what it raised is about the value, and not about the question: then it has done nothing, and the next
        value is tried. Raises what the first one was refused with where all are: that is what somebody has to read.
        """
        first: Exception | None = None
        for value in self.in_turn():
            try:
                answer = do(value)
            except Exception as problem:
                if not refuses(problem):
                    raise
                self.refused(value)
                first = first or problem
            else:
                self.taken(value)
                return answer
        assert first is not None  # noqa: S101 - there is at least one value
        raise first

    def refused(self, value: str) -> bool:
        """Note it. Whether another value is there that was not refused of late."""
        with self._lock:
            if value in self._values:
                self._refused_at_s[value] = self._monotonic()
            late_s = self._monotonic() - REFUSED_S
            return any(self._refused_at_s.get(each, late_s) <= late_s for each in self._values)

    def taken(self, value: str) -> None:
        """It is valid, whatever was heard before."""
        if self._refused_at_s:
            with self._lock:
                self._refused_at_s.pop(value, None)

    def newest_is_refused(self) -> bool:
        """And another value is there, so that work goes on. Until the newest is tried again."""
        with self._lock:
            return len(self._values) > 1 and self._values[0] in self._refused_at_s

    def change(self, values: Sequence[str]) -> bool:
        """These count from now on. Whether they are others than before."""
        with self._lock:
            if not values or tuple(values) == self._values:
                return False
            self._values = tuple(values)
            self._refused_at_s = {value: at_s for value, at_s in self._refused_at_s.items() if value in values}
            then = tuple(self._then)
        for each in then:
            each()
        return True

    def when_changed(self, do: Callable[[], object]) -> None:
        """In the thread that looks at the files; it must neither wait nor raise."""
        with self._lock:
            self._then.append(do)
