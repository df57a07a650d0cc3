"""The ledger as if nothing had left it: what is not there any more is read in the archive. For whoever only looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.audit_check import StoredEntry
from workflows.core.seal.layout import ArchivedEntry, BadRun
from workflows.ports import ArchiveUnavailable, Ledger, ReadableArchive, Snapshot, Versioned
from workflows.usecases.sealing.archived import archived_at
from workflows.usecases.sealing.closed_past import ClosedPast
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.sealing.past_log import CarriedEntry, LogWithPast

# Entries as people read them: `codec.readable_entries`, without those that cannot be.
Readable = Callable[[Iterable[StoredEntry], Collection[Event] | None], Sequence[AuditEntry]]
_KINDS = ("request:", "grant:", "review:")


@dataclass(frozen=True, slots=True)
class Archived:
    """`archive`, and `folder` in it: of the epoch that has the entries before `first`."""

    archive: ReadableArchive
    folder: str
    first: int
    shown: Shown


class LedgerWithPast:
    """A `ports.Ledger` for reading: all else goes to the ledger itself. Raises ArchiveUnavailable besides."""

    def __init__(self, ledger: Ledger, past: ClosedPast, archived: Archived, readable: Readable) -> None:
        self._ledger, self._past, self._archived, self._readable = ledger, past, archived, readable
        self._log = LogWithPast(ledger, archived.archive, archived.folder, archived.first)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    # ------------------------------------------------------------ records

    def read(self, *names: str, commit_id: str | None = None) -> Snapshot:
        found = self._ledger.read(*names, commit_id=commit_id)
        items = {name: self._versioned(name, item) for name, item in found.items.items()}
        return replace(found, items=items)

    def _versioned(self, name: str, item: Versioned) -> Versioned:
        if name == keys.RETAINED:
            # Nothing has left what this reads.
            return Versioned(0, None)
        if not item.is_absent or not name.startswith(_KINDS):
            return item
        story = self._past.story(name.partition(":")[2])
        if story is None:
            return item
        record = story.records.get(name)
        if story.problem and name.startswith("request:"):
            return Versioned(1, None, story.problem)
        return Versioned(1, record) if record is not None else item

    def members(
        self,
        index: str,
        *,
        low: float | None = None,
        high: float | None = None,
        limit: int = 1000,
        newest: bool = False,
    ) -> Sequence[str]:
        """What has left stands before what is there: it is older, but for a few that something kept."""
        here = self._ledger.members(index, low=low, high=high, limit=limit, newest=newest)
        left = {keys.RECENT: self._past.asked, keys.CLOSED: self._past.ended}.get(index)
        if left is None:
            return here
        gone = list(dict.fromkeys(left(-math.inf if low is None else low, math.inf if high is None else high)))
        both = (*here, *reversed(gone)) if newest else (*gone, *here)
        return list(dict.fromkeys(both))[:limit]

    # ------------------------------------------------------------ the audit log

    def entries(
        self, *, after: int = 0, limit: int = 100, events: Collection[Event] | None = None
    ) -> Sequence[AuditEntry]:
        while stored := self.stored_entries(after=after, limit=limit):
            if found := self._readable(stored, events):
                return found
            after = stored[-1].number
        return []

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]:
        with _told():
            return self._with_words(self._log.stored_entries(after=after, limit=limit))

    def entries_of(self, subject: str, *, after: int = 0) -> Sequence[AuditEntry]:
        story = self._past.story(subject) if subject.startswith("PA-") else None
        if story is None or story.problem:
            return self._ledger.entries_of(subject, after=after)
        with _told():
            copies = archived_at(self._archived.archive, self._archived.folder, story.entries)
            return self._readable([self._stored(copy) for copy in copies if copy.number > after], None)

    def _with_words(self, page: Sequence[StoredEntry]) -> Sequence[StoredEntry]:
        """With the words that the archive alone has."""
        lacking = [entry.number for entry in page if entry.private is None and not isinstance(entry, CarriedEntry)]
        there = archived_at(self._archived.archive, self._archived.folder, lacking) if lacking else ()
        copies = {copy.number: copy for copy in there}
        return [self._whole(entry, copies.get(entry.number)) for entry in page]

    def _whole(self, entry: StoredEntry, copy: ArchivedEntry | None) -> StoredEntry:
        if isinstance(entry, CarriedEntry):
            copy = ArchivedEntry(entry.number, entry.body.decode(), entry.digest, entry.link, None, entry.hidden)
        words = self._archived.shown(copy) if copy is not None and entry.private is None else None
        if words is None:
            return StoredEntry(entry.number, entry.body, entry.digest, entry.private, entry.link)
        return StoredEntry(entry.number, entry.body, entry.digest, words.encode(), entry.link)

    def _stored(self, copy: ArchivedEntry) -> StoredEntry:
        words = self._archived.shown(copy)
        private = words.encode() if words is not None else None
        return StoredEntry(copy.number, copy.body.encode(), copy.digest, private, copy.link)


@contextmanager
def _told() -> Iterator[None]:
    """What the archive has and cannot be read is as good as not there."""
    try:
        yield
    except BadRun as problem:
        raise ArchiveUnavailable(str(problem).rstrip(".")) from None
