"""What the archive has, held against its signed heads and against the ledger, in one pass and flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from workflows.core.absent_words import NumberRanges, numbers_in
from workflows.core.audit import AuditEntry, Event
from workflows.core.audit_check import StoredEntry
from workflows.core.rebuild.stories import Stories
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import ArchivedEntry, BadRun, folder
from workflows.core.seal.public_key import Seal
from workflows.core.seal.statement import Head
from workflows.core.seal.trust import Trust
from workflows.ports import Archive, CorruptRecord, Ledger
from workflows.usecases.sealing.archived import archived_entries, archived_heads
from workflows.usecases.upkeep.verify_audit import retained_of

_AT_ONCE = 500
_FAULTS_MAX = 20
# A ledger that was rolled back says nothing of how far it was sealed.
_SEALED = SealState(1 << 62, "", (), datetime.max.replace(tzinfo=UTC), Seal("", "", ""))


@dataclass(frozen=True, slots=True)
class Archived:
    """One installation's entries in an archive. `log`: its id. `trust`: by the auditor's key. `words`: reads hidden ones where
    their keys are still there. Raises ArchiveUnavailable.
    """

    archive: Archive
    log: str
    epoch: int
    trust: Trust
    words: Callable[[ArchivedEntry], str | None] = lambda entry: entry.words

    @property
    def folder(self) -> str:
        return folder(self.log, self.epoch)

    def entries(self, above: int = 0) -> Iterator[ArchivedEntry]:
        for entry in archived_entries(self.archive, self.folder, above=above):
            yield entry if entry.hidden is None else replace(entry, words=self.words(entry))


@dataclass(frozen=True, slots=True)
class Reading:
    """`head`: the newest that is signed by a trusted key and whose root the archive's entries give: what comes behind it is not
    used. `common`: so many entries the ledger has, too, and `link` is its link of the newest of them. `faults`: what is wrong
    with the archive, a sentence each. `erased`: entries whose words were erased; `people`: so many were erased by entries that
    the ledger lacks.
    """

    head: Head
    common: int
    link: str
    stories: Stories
    faults: tuple[str, ...]
    erased: NumberRanges = field(default_factory=NumberRanges)
    people: int = 0

    @property
    def size(self) -> int:
        return self.head.size


class NothingProven(Exception):
    """No signed head fits the archive's entries; the message says why, a sentence a line."""


def read(ledger: Ledger, archived: Archived, entry: Callable[[StoredEntry], AuditEntry]) -> Reading:
    """`entry` reads one, and raises CorruptRecord. Raises NothingProven, ArchiveUnavailable, LedgerUnreachable."""
    return _Pass(ledger, archived, entry).read()


class _Pass:
    def __init__(self, ledger: Ledger, archived: Archived, entry: Callable[[StoredEntry], AuditEntry]) -> None:
        self._archived, self._entry = archived, entry
        self._check = SealCheck(None, archived.trust, heads=archived_heads(archived.archive, archived.folder))
        self._past = retained_of(ledger) or Retained()
        self._own = _own(ledger)
        self._next: StoredEntry | None = next(self._own, None)
        self._stories = Stories()
        self._common, self._link, self._alike = 0, "", True
        # What no head that was met so far stands for.
        self._unproven: list[ArchivedEntry] = []
        self._head: Head | None = None
        self._damaged = False
        self._faults: list[str] = []
        self._erasings: list[AuditEntry] = []

    def read(self) -> Reading:
        self._note(self._check.begin())
        last = 0
        try:
            for entry in self._archived.entries():
                last = entry.number
                self._unproven.append(entry)
                self._note(self._check.entries([stored(entry)]))
                if not entry.is_intact:
                    self._damaged = True
                    self._note([f"#{last} was changed in the archive: its digest is another one."])
                head = self._check.whole
                if head is not None and head.size >= last and not self._damaged:
                    self._head = head
                    self._take()
        except BadRun as problem:
            self._note([str(problem)])
        self._note(self._check.finish(last, _SEALED))
        if self._head is None:
            raise NothingProven("\n".join(self._faults) or "There is no signed head of this installation.")
        erased = NumberRanges.joined(
            one for entry in self._erasings for one in numbers_in(entry.facts).below(entry.number).ranges
        )
        people = sum("done" in entry.facts and entry.number > self._common for entry in self._erasings)
        return Reading(self._head, self._common, self._link, self._stories, tuple(self._faults), erased, people)

    def _note(self, faults: Iterable[str]) -> None:
        for fault in faults:
            if len(self._faults) < _FAULTS_MAX:
                self._faults.append(fault)

    def _take(self) -> None:
        for entry in self._unproven:
            self._compare(entry)
            if entry.digest:
                self._tell(entry)
        self._unproven.clear()

    def _tell(self, archived: ArchivedEntry) -> None:
        try:
            entry = self._entry(stored(archived))
        except CorruptRecord as problem:
            self._note([f"{problem}; what it says is left out"])
            return
        if entry.event is Event.PERSON_ERASED:
            self._erasings.append(entry)
        self._stories.take(entry)

    def _compare(self, entry: ArchivedEntry) -> None:
        own = self._next
        same = own is not None and own.number == entry.number and own.digest == entry.digest
        if not entry.digest and (own is None or own.number > entry.number):
            return  # there was none of this number
        if entry.number < self._past.first:
            self._compare_left(entry)
            return
        if own is None or not same or not self._alike:
            self._alike, self._stories.beyond = False, True
            return
        self._common, self._link = entry.number, own.link
        self._next = next(self._own, None)

    def _compare_left(self, entry: ArchivedEntry) -> None:
        """What has left the ledger for the archive is not lacking there, as long as the ledger's next one follows from it."""
        last = entry.number == self._past.first - 1
        if last and self._past.link and self._past.link != entry.link:
            self._alike, self._stories.beyond = False, True
        elif self._alike:
            self._common, self._link = entry.number, entry.link


def _own(ledger: Ledger) -> Iterator[StoredEntry]:
    last = 0
    while page := ledger.stored_entries(after=last, limit=_AT_ONCE):
        yield from page
        last = page[-1].number


def stored(entry: ArchivedEntry) -> StoredEntry:
    """As the ledger keeps it; it gets its link there."""
    words = entry.words.encode() if entry.words is not None else None
    return StoredEntry(entry.number, entry.body.encode(), entry.digest, words, entry.link)
