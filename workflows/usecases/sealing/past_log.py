"""The audit log with what has left the ledger, which the archive alone has: for whoever signs or reads all of it anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from workflows.core.audit_check import AuditState, StoredEntry
from workflows.core.seal import layout
from workflows.core.seal.hidden import HiddenWords
from workflows.core.seal.layout import ArchivedEntry, BadRun
from workflows.usecases.sealing.archived import EPOCHS_MAX, archived_at, archived_entries

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive


class Log(Protocol):
    """As a `ports.Ledger` has it."""

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]: ...
    def audit_state(self) -> AuditState: ...
    def head(self) -> int: ...


@dataclass(frozen=True, slots=True)
class CarriedEntry(StoredEntry):
    """One that has left the ledger. `hidden`: its words, as the archive has them."""

    hidden: HiddenWords | None = None


class LogWithPast:
    """`log`: the ledger's, from the entry `first` on; `folder`: where the archive has those before it. Raises ArchiveUnavailable,
    and BadRun.
    """

    def __init__(self, log: Log, archive: ReadableArchive, folder: str, first: int) -> None:
        self._log, self._archive, self._folder, self._first = log, archive, folder, first
        # Up to where the copies were read, and what comes behind.
        self._at = -1
        self._copies: Iterator[ArchivedEntry] = iter(())

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]:
        page = list(self._page(after, limit)) if after < self._first - 1 else []
        return page or self._log.stored_entries(after=max(after, self._first - 1), limit=limit)

    def audit_state(self) -> AuditState:
        return self._log.audit_state()

    def head(self) -> int:
        return self._log.head()

    def _page(self, after: int, limit: int) -> Iterator[CarriedEntry]:
        if after != self._at:
            self._copies = archived_entries(self._archive, self._folder, above=after)
        for copy in islice(self._copies, limit):
            self._at = copy.number
            if copy.number >= self._first:
                return
            if copy.digest:
                yield carried(copy)


def carried(copy: ArchivedEntry) -> CarriedEntry:
    return CarriedEntry(copy.number, copy.body.encode(), copy.digest, None, copy.link, copy.hidden)


def folder_with(archive: ReadableArchive, log: str, epoch: int, number: int, link: str = "") -> str:
    """Where the archive has this entry: in the newest epoch's folder up to `epoch` that has it; empty where none does. `link`:
    which it must have, unless that is not known. Raises ArchiveUnavailable.
    """
    for each in range(epoch, max(0, epoch - EPOCHS_MAX), -1):
        folder = layout.folder(log, each)
        try:
            copy = next(archived_at(archive, folder, (number,)), None)
        except BadRun:
            continue
        if copy is not None and (not link or copy.link == link):
            return folder
    return ""
