"""A Merkle tree as RFC 6962, section 2.1, has it: one hash stands for all entries, and short proofs tie one entry, or an older
tree, to it. Pure; a tree that grows costs as many hashes as it is high.

Hashes are 32 bytes. Places of leaves count from 0, sizes from 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The root of a tree without leaves.
EMPTY = hashlib.sha256(b"").digest()

# From one leaf up to, and without, another: what one hash of a proof stands for.
Range = tuple[int, int]


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows, kept as its right edge: the roots of its full parts, the largest first, one for each bit of its
    size. 20 hashes hold a million leaves.
    """

    def __init__(self, size: int = 0, frontier: Sequence[bytes] = ()) -> None:
        """Raises ValueError where the edge is not one of a tree of this size."""
        if size < 0 or len(frontier) != size.bit_count() or any(len(part) != len(EMPTY) for part in frontier):
            raise ValueError(f"no tree of {size} leaves has such an edge")
        self._size = size
        self._frontier = list(frontier)

    @property
    def size(self) -> int:
        return self._size

    @property
    def frontier(self) -> tuple[bytes, ...]:
        return tuple(self._frontier)

    def append(self, leaf: bytes) -> None:
        """`leaf`: what `leaf_hash` gave."""
        full, frontier = self._size, self._frontier
        while full & 1:
            leaf = node_hash(frontier.pop(), leaf)
            full >>= 1
        frontier.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        if not self._frontier:
            return EMPTY
        *others, found = self._frontier
        for part in reversed(others):
            found = node_hash(part, found)
        return found


# ---------------------------------------------------------------- proofs


def inclusion_ranges(place: int, size: int) -> tuple[Range, ...]:
    """Which parts of the tree prove that a leaf is in it, in the order of the proof (section 2.1.1). Raises ValueError where
    there is no such leaf.
    """
    if not 0 <= place < size:
        raise ValueError(f"a tree of {size} leaves has none at {place}")
    first, last, beside = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if place < middle:
            beside.append((middle, last))
            last = middle
        else:
            beside.append((first, middle))
            first = middle
    return tuple(reversed(beside))


def consistency_ranges(older: int, size: int) -> tuple[Range, ...]:
    """Which parts prove that a tree of `size` leaves begins with the one of `older` (section 2.1.2), in the order of the proof;
    none where the two are one, or the older is empty. Raises ValueError where the older is the larger.
    """
    if not 0 <= older <= size:
        raise ValueError(f"a tree of {size} leaves does not begin with one of {older}")
    if older in (0, size):
        return ()
    first, last, beside, whole = 0, size, [], True
    while last != older:
        middle = first + _split(last - first)
        if older <= middle:
            beside.append((middle, last))
            last = middle
        else:
            beside.append((first, middle))
            first, whole = middle, False
    if not whole:
        beside.append((first, last))
    return tuple(reversed(beside))


@dataclass(slots=True)
class _Part:
    range: Range
    tree: Tree


class Parts:
    """Roots of parts of a tree, from one pass over its leaves; the parts must not overlap. Memory for the parts alone."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = ranges
        self._parts = [_Part(part, Tree()) for part in sorted(ranges)]
        self._at = 0
        self._place = 0

    def append(self, leaf: bytes) -> None:
        """The next leaf of the whole tree."""
        if self._at < len(self._parts):
            part = self._parts[self._at]
            if part.range[0] <= self._place:
                part.tree.append(leaf)
            if self._place + 1 == part.range[1]:
                self._at += 1
        self._place += 1

    def roots(self) -> tuple[bytes, ...]:
        """In the order in which they were asked for. Raises ValueError before the last leaf of the last part."""
        if self._at < len(self._parts):
            raise ValueError(f"the proof needs leaves up to {self._parts[-1].range[1]}, and there are {self._place}")
        found = {part.range: part.tree.root() for part in self._parts}
        return tuple(found[part] for part in self._ranges)


def proof(leaves: Iterable[bytes], ranges: Sequence[Range]) -> tuple[bytes, ...]:
    parts = Parts(ranges)
    for leaf in leaves:
        parts.append(leaf)
    return parts.roots()


def is_included(leaf: bytes, place: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf to the root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= place < size:
        return False
    at, last, found = place, size - 1, leaf
    for part in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(part, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, part)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(older: int, older_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows that the larger tree begins with the older one (RFC 9162, section 2.1.4.2)."""
    if older in (0, size) or older > size:
        alike = older_root == (EMPTY if older == 0 else root)
        return 0 <= older <= size and alike and not path
    parts = list(path) if older & (older - 1) else [older_root, *path]
    if not parts:
        return False
    at, last = older - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    then = now = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            then, now = node_hash(part, then), node_hash(part, now)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            now = node_hash(now, part)
        at, last = at >> 1, last >> 1
    return last == 0 and then == older_root and now == root


def _split(size: int) -> int:
    """The largest power of two below `size`, which is above 1."""
    return 1 << ((size - 1).bit_length() - 1)
