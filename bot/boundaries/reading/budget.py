"""How many values one file may have, and how deep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.boundaries.limits import NODE_DEPTH_MAX, NODES_MAX


class TooMuch(Exception):
    """A file says more than anybody writes. Its words end the sentence `... was not read: it ...`."""


class Budget:
    def __init__(self) -> None:
        self._left = NODES_MAX
        self._depth = 0

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One value more, inside the one before."""
        self._left -= 1
        if self._left < 0:
            raise TooMuch(f"has more than {NODES_MAX:,} values, with what its aliases stand for")
        if self._depth >= NODE_DEPTH_MAX:
            raise TooMuch(f"has more than {NODE_DEPTH_MAX} levels inside each other")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
