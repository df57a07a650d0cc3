"""What is checked: an export of the log, or the log in Redis (`sources`). Both give the same check its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from bot.cli.audit.exported import LogState, pages, read_state
from workflows.core.audit_check import AuditCheck, StoredEntry, by_number
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import ArchivedEntry
from workflows.core.seal.past import begun, past_of

# The archive's entries, from the first on.
Copies = Callable[[], Iterable[ArchivedEntry]]


class Source(Protocol):
    """`state`: as it was before the first entry is read. `copies`: where there is an archive; what has left is read there."""

    state: LogState
    copies: Copies | None

    def faults(self, check: AuditCheck, seals: SealCheck) -> Iterator[str]: ...

    def entries(self, after: int) -> Iterator[StoredEntry]:
        """Those with higher numbers, in their order."""
        ...


class OfExport:
    """Lists of subjects stand in Redis alone, so that nothing is said of them here. Raises BadExport, and OSError."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.state = read_state(file)
        self.copies: Copies | None = None

    def faults(self, check: AuditCheck, seals: SealCheck) -> Iterator[str]:
        upto = self.state.audit.upto
        yield from begun(check, seals, past_of(self.state.retained, self.copies))
        for page in pages(self._file):
            known = [entry for entry in page if entry.number <= upto]
            yield from by_number([*check.entries(known), *seals.entries(known)])
        yield from check.counts(self.entries(upto))
        yield from seals.finish(upto, self.state.seal)

    def entries(self, after: int) -> Iterator[StoredEntry]:
        past = past_of(self.state.retained, self.copies)
        yield from (entry for entry in past.entries() if entry.number > after) if past is not None else ()
        for page in pages(self._file):
            yield from (entry for entry in page if entry.number > after)
