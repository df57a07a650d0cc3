"""The entries of the next head: read, and held against what stands before them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from workflows.core.audit_check import StoredEntry, linking
from workflows.core.ledger_doubt import Sign
from workflows.core.seal.check import GAP_MAX
from workflows.core.seal.layout import RUN_MAX
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import leaf_of
from workflows.usecases.sealing.ground import Distrusted, Ground
from workflows.usecases.sealing.past_log import Log

# So many are signed by one head, and stand in one run of the archive, at most.
BATCH = RUN_MAX
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Batch:
    """`entries`: in the order of their numbers; a bare number is one that is missing. `tree`: the ground's, grown by them.
    `link`: of the last one. `more`: whether there are entries behind them.
    """

    entries: tuple[StoredEntry | int, ...]
    tree: Tree
    link: str | None
    more: bool

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, int))


def next_batch(ledger: Log, ground: Ground, upto: int | None = None) -> Batch:
    """What stands behind the ground, up to the entry `upto` where that is given. Raises Distrusted where an entry is not what its
    digest says, or does not follow from the one before it.
    """
    tree, link = Tree(ground.size, ground.tree.frontier), ground.link
    found: list[StoredEntry | int] = []
    last = min(ground.size + BATCH, upto or ground.size + BATCH)
    for entry in _entries(ledger, ground.size, last):
        if entry.number > last:
            return Batch(tuple(found), tree, link, more=True)
        for number in range(tree.size + 1, entry.number):
            found.append(number)
            tree.append(leaf_of(number, None))
            link = None
        _check(entry, link)
        link = entry.link or None
        found.append(entry)
        tree.append(leaf_of(entry.number, entry.digest))
    return Batch(tuple(found), tree, link, more=False)


def gone_from_the_end(ledger: Log, ground: Ground) -> Batch:
    """Numbers that the ledger has given out behind its last entry: somebody removed what stood there."""
    counted = ledger.audit_state().upto
    if counted > ground.size + GAP_MAX:
        raise _never_given(ground.size, counted)
    tree = Tree(ground.size, ground.tree.frontier)
    if counted > ground.size and (came := next_batch(ledger, ground, upto=counted)).entries:
        # Between the look at the entries and the count somebody wrote one: it is there.
        return came
    missing = tuple(range(ground.size + 1, counted + 1))
    for number in missing:
        tree.append(leaf_of(number, None))
    return Batch(missing, tree, None if missing else ground.link, more=False)


def copies(ledger: Log, first: int, last: int) -> tuple[StoredEntry | int, ...]:
    """The entries from `first` to `last` as they stand there; a bare number for one that does not."""
    there = {entry.number: entry for entry in _entries(ledger, first - 1, last) if entry.number <= last}
    return tuple(there.get(number, number) for number in range(first, last + 1))


def _entries(ledger: Log, after: int, last: int) -> Iterator[StoredEntry]:
    """In the order of their numbers, to the first one beyond `last`."""
    while after <= last and (page := ledger.stored_entries(after=after, limit=PAGE)):
        for entry in page:
            if entry.number > after + GAP_MAX:
                raise _never_given(after, entry.number)
            if entry.number > after:
                yield entry
                after = entry.number


def _never_given(after: int, number: int) -> Distrusted:
    words = f"#{after + 1} to #{number - 1} are missing: the ledger never gave out #{number}"
    return Distrusted(Sign.CHANGED, words, {"seen": str(after), "newest": str(number)})


def _check(entry: StoredEntry, link: str | None) -> None:
    changed = hashlib.sha256(entry.body).hexdigest() != entry.digest
    try:
        entry.body.decode()
    except UnicodeDecodeError:
        words = f"#{entry.number} is no text, which no entry of ours is"
        raise Distrusted(Sign.CHANGED, words, {"seen": str(entry.number)}) from None
    # Versions of long ago gave no links.
    strange = link is not None and entry.link and entry.link != linking(link, entry.number, entry.digest)
    if changed or strange:
        how = "was changed before it was sealed" if changed else "does not follow the entry before it"
        raise Distrusted(Sign.CHANGED, f"#{entry.number} {how}", {"seen": str(entry.number)})
