"""Reads what the archive has: heads, runs, changes of the key, and public keys. All raise ArchiveUnavailable."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from workflows.core.seal import layout
from workflows.core.seal.layout import ArchivedEntry, entries_in
from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, seal_from

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive

# So many epochs of a log are looked into, the newest: whoever can write to Redis can say that there were any number.
EPOCHS_MAX = 1000
# What stands in the place of a seal that cannot be read: it says nothing.
NO_SEAL = Seal("", "", "")


def archived_heads(archive: ReadableArchive, folder: str, *, above: int = -1) -> Iterator[Seal]:
    """Heads of more than `above` entries, ascending, all where it is -1; NO_SEAL for one that cannot be read."""
    after = layout.head_name(folder, above) if above >= 0 else layout.heads(folder)
    for name in archive.names(layout.heads(folder), after=after):
        yield seal_in(archive.get(name))


def archived_entries(archive: ReadableArchive, folder: str, *, above: int = 0) -> Iterator[ArchivedEntry]:
    """Entries with numbers above `above`, ascending, each once. Raises BadRun where a run cannot be read."""
    last = above
    # No run that ends behind `above` begins earlier.
    after = layout.run_name(folder, above - layout.RUN_MAX, 0) if above > layout.RUN_MAX else ""
    for name in archive.names(layout.runs(folder), after=after):
        numbers = layout.numbers_of_run(name)
        if numbers is None or numbers[1] <= last:
            continue
        for entry in entries_in(archive.get(name) or b"", name):
            if entry.number > last:
                yield entry
                last = entry.number


def archived_at(archive: ReadableArchive, folder: str, numbers: Iterable[int]) -> Iterator[ArchivedEntry]:
    """The entries of these numbers that are there, ascending, each once: no run is read that has none of them. Raises BadRun."""
    wanted = deque(sorted(set(numbers)))
    while wanted:
        first = wanted[0]
        # None that has it begins earlier.
        after = layout.run_name(folder, max(0, first - layout.RUN_MAX), 0)
        for name in archive.names(layout.runs(folder), after=after):
            began, last = layout.numbers_of_run(name) or (0, -1)
            if not wanted or wanted[0] < began or wanted[0] > last + layout.RUN_MAX:
                break
            if last >= wanted[0]:
                for entry in entries_in(archive.get(name) or b"", name):
                    while wanted and wanted[0] < entry.number:
                        wanted.popleft()
                    if wanted and wanted[0] == entry.number:
                        yield entry
                        wanted.popleft()
        if wanted and wanted[0] == first:
            wanted.popleft()


def archived_changes(archive: ReadableArchive, folder: str) -> Iterator[Seal]:
    """Changes of the key, the oldest first."""
    for name in archive.names(layout.keys(folder)):
        if name.endswith(".json"):
            yield seal_in(archive.get(name))


def changes_of_all_epochs(archive: ReadableArchive, log: str, epoch: int) -> Iterator[Seal]:
    """Changes of the key of this log, the oldest epoch first, up to `epoch`: a ledger that lost all knows those alone."""
    for each in range(max(1, epoch - EPOCHS_MAX + 1), epoch + 1):
        yield from archived_changes(archive, layout.folder(log, each))


def archived_keys(archive: ReadableArchive, folder: str) -> Iterator[PublicKey]:
    """Public keys that heads there are signed with. Believe none of them but by its fingerprint."""
    for name in archive.names(layout.keys(folder)):
        if name.endswith(".pem"):
            try:
                yield public_key_from((archive.get(name) or b"").decode("ascii", "replace"))
            except NotAPublicKey:
                continue


def seal_in(stored: bytes | None) -> Seal:
    """NO_SEAL where it cannot be read."""
    try:
        return seal_from(stored or b"")
    except BadSeal:
        return NO_SEAL
