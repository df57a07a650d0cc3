"""What was signed of the log, and what somebody has seen of it: roots that its tree must have, in the order of its sizes."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workflows.core.seal.public_key import Seal
from workflows.core.seal.statement import BadSeal, Head, ShownHead, head_in
from workflows.core.seal.trust import Trust

OURS, ARCHIVED, EXPECTED = "The ledger's own seal", "The archive's head", "The head that you expect"
# Beyond all entries.
NEVER = 1 << 62


class NotedSeal(Protocol):
    """How far the ledger says that its log is sealed: a `records.seal.SealState`."""

    @property
    def size(self) -> int: ...
    @property
    def root(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def seal(self) -> Seal: ...


@dataclass(frozen=True, slots=True)
class Point:
    """A root that the tree must have at this size. `root`: its first digits. `head`: what says so, where somebody signed it."""

    size: int
    root: str
    name: str
    head: Head | None = None
    trusted: bool = False

    @property
    def when(self) -> str:
        return f" at {self.head.at:%Y-%m-%d %H:%M:%S} UTC" if self.head else ""

    @property
    def called(self) -> str:
        """Inside a sentence."""
        return f"{self.name[0].lower()}{self.name[1:]}"


class Witnesses:
    """Points by size. Those of the archive are read one ahead, so there may be any number. Generators yield faults."""

    def __init__(self, trust: Trust | None, heads: Iterable[Seal]) -> None:
        self._trust = trust
        self._heads = iter(heads)
        self._points: list[Point] = []
        self._archived: Point | None = None
        # Read, and behind all entries.
        self._rest: list[Point] = []
        # The archive's newest so far.
        self.newest: Point | None = None

    def begin(self, seal: NotedSeal | None, expected: Sequence[ShownHead]) -> Iterator[str]:
        if self._trust is not None:
            yield from self._trust.problems
        if seal is not None:
            yield from self._own(seal)
        self._points += [Point(head.size, head.root, EXPECTED) for head in expected]
        self._points.sort(key=lambda point: point.size)
        yield from self._another()

    @property
    def next_size(self) -> int:
        """Of the tree at which there is something to compare."""
        return min([point.size for point in (*self._points[:1], self._archived) if point], default=NEVER)

    def at(self, size: int) -> Generator[str, None, list[Point]]:
        """Returns those of a tree of this size; all before it are done with."""
        found: list[Point] = []
        while self._points and self._points[0].size <= size:
            found.append(self._points.pop(0))
        while self._archived is not None and self._archived.size <= size:
            if self._archived.size == size:
                found.append(self._archived)
            else:
                yield f"{ARCHIVED} of #{self._archived.size} stands behind a larger one."
            yield from self._another()
        return found

    def drain(self) -> Iterator[str]:
        """Reads the archive's heads to their end."""
        while self._archived is not None:
            self._rest.append(self._archived)
            yield from self._another()

    def beyond(self, size: int) -> Generator[str, None, Point | None]:
        """Returns the largest of a larger tree; reads the archive's heads to their end."""
        yield from self.drain()
        found = [*self._points, *self._rest]
        return max((point for point in found if point.size > size), key=lambda point: point.size, default=None)

    def _own(self, seal: NotedSeal) -> Iterator[str]:
        point = yield from self._point(seal.seal, OURS)
        if point is None or point.head is None:
            return
        self._points.append(point)
        if (point.size, point.root, point.head.at) != (seal.size, seal.root, seal.at):
            yield f"{OURS} is not the one that was signed: the ledger's note of it was changed."

    def _another(self) -> Iterator[str]:
        """The archive's next one that can be read."""
        self._archived = None
        for seal in self._heads:
            point = yield from self._point(seal, ARCHIVED)
            if point is not None:
                self._archived = self.newest = point
                return

    def _point(self, seal: Seal, name: str) -> Generator[str, None, Point | None]:
        """Returns what it says, or None where that cannot be known."""
        try:
            head = head_in(seal.statement)
        except BadSeal as problem:
            yield f"{name} {problem}."
            return None
        trusted = True
        if self._trust is not None:
            try:
                self._trust.head(seal)
            except BadSeal as problem:
                trusted = False
                if not self._trust.is_former(seal):
                    yield f"{name} of #{head.size} {problem}."
        return Point(head.size, head.root, name, head, trusted)
