"""The part of the audit log that has left the ledger, for whoever goes over all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from workflows.core.audit_check import AuditCheck, StoredEntry
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import ArchivedEntry
from workflows.core.seal.merkle import Tree

_AT_ONCE = 1_000


class Noted(Protocol):
    """What the ledger says of it: a `records.retained.Retained`."""

    @property
    def first(self) -> int: ...
    @property
    def frontier(self) -> Sequence[str]: ...
    @property
    def link(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Past:
    """Entries before `first`. `tree`: over them; None where what is noted is none. `link`: of the last of them. `copies`: gives
    the archive's, from the first on; None where there is no archive at hand.
    """

    first: int
    tree: Tree | None
    link: str
    copies: Callable[[], Iterable[ArchivedEntry]] | None = None

    def entries(self) -> Iterator[StoredEntry]:
        """As the archive has them, without words; none where there is no archive."""
        for copy in self.copies() if self.copies is not None else ():
            if copy.number >= self.first:
                return
            yield StoredEntry(copy.number, copy.body.encode(), copy.digest, None, copy.link)


def past_of(noted: Noted | None, copies: Callable[[], Iterable[ArchivedEntry]] | None = None) -> Past | None:
    """None where nothing has left."""
    if noted is None or noted.first <= 1:
        return None
    try:
        tree = Tree(noted.first - 1, [bytes.fromhex(part) for part in noted.frontier])
    except ValueError:
        tree = None
    return Past(noted.first, tree, noted.link, copies)


def begun(check: AuditCheck, seals: SealCheck | None, past: Past | None) -> Iterator[str]:
    """Takes what has left from the archive, or begins behind it. Yields faults; raises what `copies` does."""
    if past is None or past.copies is not None:
        yield from seals.begin() if seals is not None else ()
        yield from _taken(check, seals, past.entries()) if past is not None else ()
        return
    check.begin_at(past.first, past.link)
    if past.tree is None:
        yield f"The ledger's note of what has left it, up to #{past.first - 1}, was changed: it is none."
    if seals is not None:
        yield from seals.begin_behind(past.tree) if past.tree is not None else seals.begin()


def _taken(check: AuditCheck, seals: SealCheck | None, entries: Iterator[StoredEntry]) -> Iterator[str]:
    while page := list(islice(entries, _AT_ONCE)):
        yield from check.archived(page)
        if seals is not None:
            yield from seals.entries([entry for entry in page if entry.digest])
