"""Holds the audit log against what was signed of it: the ledger's own seal, heads in the archive, and one that a person has
from a digest. In one pass with `AuditCheck`, over any number of entries, in the memory of one tree.

The first entry that is not what was sealed is named where the archive has it; else between which two heads it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from workflows.core.audit_check import StoredEntry
from workflows.core.seal.copies import Copies
from workflows.core.seal.layout import ArchivedEntry
from workflows.core.seal.merkle import Tree
from workflows.core.seal.public_key import Seal
from workflows.core.seal.statement import Head, ShownHead, leaf_of
from workflows.core.seal.trust import Trust
from workflows.core.seal.witnesses import EXPECTED, NotedSeal, Point, Witnesses

# Numbers are given out one after the other. So many missing ones were never given; nobody signs over them.
GAP_MAX = 1_000


class SealCheck:
    """`seal`: the ledger's record, None where nothing is sealed. `trust`: None where the auditor gave no key; then roots are
    compared, and whose they are is not known. `heads`, `runs`: the archive's, ascending; empty without one.

    `begin` comes first, `entries` takes the pages that `AuditCheck` takes, and `finish` comes after the last. All yield one
    sentence for each fault.
    """

    def __init__(
        self,
        seal: NotedSeal | None,
        trust: Trust | None,
        *,
        expected: Sequence[ShownHead] = (),
        heads: Iterable[Seal] = (),
        runs: Iterable[ArchivedEntry] = (),
    ) -> None:
        self._seal, self._expected = seal, expected
        self._witnesses, self._copies = Witnesses(trust, heads), Copies(runs)
        self._tree = Tree()
        self._gaps: list[int] = []
        self._broken = False
        # What comes now is behind numbers that nobody gave out.
        self._ends = False
        self._good = 0
        self._next = 0
        # The newest head that fits and is signed by a trusted key (by anybody, where no key was given).
        self.whole: Head | None = None
        # The lowest number that is not what was sealed; 0 where there is none.
        self.first = 0

    @property
    def compared(self) -> int:
        """How many entries were compared with the archive."""
        return self._copies.compared

    def begin_behind(self, tree: Tree) -> Iterator[str]:
        """In place of `begin`, where the entries under this tree are not looked at: the next head says whether it was theirs."""
        self._tree, self._good = tree, tree.size
        early = [head for head in self._expected if head.size < tree.size]
        self._expected = [head for head in self._expected if head.size >= tree.size]
        yield from self.begin()
        for head in early:
            yield (
                f"{EXPECTED} is of #{head.size}, and the entries up to #{tree.size} are in the archive alone: give --archive."
            )

    def begin(self) -> Iterator[str]:
        yield from self._witnesses.begin(self._seal, self._expected)
        self._copies.begin()
        yield from self._compare()

    def entries(self, page: Iterable[StoredEntry]) -> Iterator[str]:
        for entry in page:
            if self._ends or entry.number > self._tree.size + GAP_MAX:
                # That they are missing, whoever checks the numbers says.
                self._ends = True
                return
            while self._tree.size + 1 < entry.number:
                self._gaps.append(self._tree.size + 1)
                yield from self._leaf(self._tree.size + 1, "")
            if entry.number > self._tree.size:
                yield from self._leaf(entry.number, entry.digest)

    def lacking(self, archived: int) -> Iterator[str]:
        """After `finish`, where there is an archive: whether it has what the ledger says that it has."""
        there = min(archived, self._tree.size)
        if self.compared < there:
            yield (
                f"The ledger says that {archived} entries are in the archive, and {self.compared} of them are: it was exchanged "
                "for another one, or the ledger's note was changed."
            )

    def drain(self) -> Iterator[str]:
        """After the last entry, and before what `finish` is given is looked up: reads the archive's heads to their end."""
        yield from self._witnesses.drain()

    def is_ahead(self, now: NotedSeal | None) -> bool:
        """Whether the archive has a newer head than the ledger: the sealer may be about to note it."""
        newest = self._witnesses.newest
        return newest is not None and newest.size > (now.size if now is not None else 0)

    def finish(self, upto: int, now: NotedSeal | None) -> Iterator[str]:
        """`upto`: how many entries the ledger counts by now, and `now`: its seal by now, which may both be more than when the
        check began.
        """
        there, sealed = max(self._tree.size, upto), now.size if now is not None else 0
        gone = yield from self._witnesses.beyond(there)
        if gone is not None:
            yield self._gone(gone)
        yield from self._copies.said()
        newest = self._witnesses.newest
        if newest is not None and newest.size > sealed:
            yield (
                f"The ledger's seal was set back, or exchanged for an older one: it ends at #{sealed}, and the archive has "
                f"a head of #{newest.size}{newest.when}."
            )
        for head in self._expected if newest is None else ():
            if sealed < head.size <= there:
                yield f"{EXPECTED} is of #{head.size}, and the ledger's seal ends at #{sealed}: it was set back."

    def _leaf(self, number: int, entry_digest: str) -> Iterator[str]:
        self._copies.compare(number, entry_digest, self._tree)
        self._tree.append(leaf_of(number, entry_digest))
        if number == self._next:
            yield from self._compare()

    def _compare(self) -> Iterator[str]:
        """All that was signed of the tree's size as it is now."""
        yield from self._copies.said()
        points = yield from self._witnesses.at(self._tree.size)
        for point in () if self._broken else points:
            if self._tree.root().hex().startswith(point.root):
                yield from self._fits(point)
            else:
                yield from self._differs(point)
                break
        self._next = self._witnesses.next_size

    def _fits(self, point: Point) -> Iterator[str]:
        if numbers := [f"#{number}" for number in self._copies.differences()]:
            yield (
                f"{', '.join(numbers)} in the archive is not what was sealed, and the ledger's is: the archive was changed."
            )
        self._copies.forget()
        for gap in self._gaps:
            yield f"#{gap} was missing already when it was sealed{point.when}."
        self._gaps.clear()
        self._good = point.size
        if point.head is not None and point.trusted:
            self.whole = point.head

    def _differs(self, point: Point) -> Iterator[str]:
        """Nothing that was signed later can fit either, so it is told once."""
        if point.head is None and point.size <= self._good:
            # A signed head of this size fits: what somebody has brought along is wrong.
            yield (
                f"{point.name} of #{point.size}{point.when} has another root than the log's {point.size} entries, which are as "
                "they were sealed."
            )
            return
        self._broken = True
        differences = self._copies.differences()
        self.first = next(iter(differences), self._good + 1)
        for difference in differences.values():
            yield f"{difference}."
        if not differences:
            alone = self._good + 1 == point.size
            yield (
                f"{f'#{point.size} is' if alone else f'#{self._good + 1} to #{point.size} are'} not what was sealed: "
                f"{point.called} of #{point.size}{point.when} has another root. Something there was changed."
            )
        elif not self._copies.have(point.root):
            yield f"Neither the ledger's nor the archive's entries are those of {point.called} of #{point.size}{point.when}."

    def _gone(self, point: Point) -> str:
        first = self._tree.size + 1
        self.first = self.first or first
        gone = f"#{point.size} is" if first == point.size else f"#{first} to #{point.size} are"
        return f"{gone} gone from the end: {point.called} has {point.size} entries{point.when}."
