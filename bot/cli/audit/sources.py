"""The log in Redis, as what is checked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.cli.audit.exported import PAGE, LogState, line_of, state_line
from bot.cli.audit.of_export import Copies
from workflows.core import keys
from workflows.core.audit_check import AuditCheck, StoredEntry
from workflows.core.records.installation import Installation
from workflows.core.seal.past import past_of
from workflows.ports import CorruptRecord
from workflows.usecases.upkeep.verify_audit import faults, retained_of, seal_of

if TYPE_CHECKING:
    from workflows.core.seal.check import SealCheck
    from workflows.ports import Ledger


class OfLedger:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.state = state_of(ledger)
        self.copies: Copies | None = None

    def faults(self, check: AuditCheck, seals: SealCheck) -> Iterator[str]:
        past = past_of(self.state.retained, self.copies)
        return faults(self._ledger, check, self.state.audit.upto, seals, time.sleep, past)

    def entries(self, after: int) -> Iterator[StoredEntry]:
        past = past_of(self.state.retained, self.copies)
        yield from (entry for entry in past.entries() if entry.number > after) if past is not None else ()
        while page := self._ledger.stored_entries(after=after, limit=PAGE):
            yield from page
            after = page[-1].number


def state_of(ledger: Ledger) -> LogState:
    """The seal first: entries may come meanwhile, and then it is the older one."""
    seal = seal_of(ledger)
    made = ledger.read(keys.INSTALLATION).readable(keys.INSTALLATION, Installation)
    retained = retained_of(ledger)
    return LogState(ledger.audit_state(), made, seal, retained)


def export_lines(
    ledger: Ledger, state: LogState, unreadable: list[str], *, after: int = 0, upto: int | None = None
) -> Iterator[dict[str, Any]]:
    """Entries above `after`, up to `upto`, as lines of an export; `state` is on the last one. `unreadable`: is handed a sentence
    for each that is left out.
    """
    last: dict[str, Any] | None = None
    for line in _lines(ledger, after, unreadable):
        if upto is not None and line["number"] > upto:
            break
        if last is not None:
            yield last
        last = line
    if last is not None:
        yield {**last, "log": state_line(state)}


def _lines(ledger: Ledger, after: int, unreadable: list[str]) -> Iterator[dict[str, Any]]:
    while page := ledger.stored_entries(after=after, limit=PAGE):
        for stored in page:
            try:
                yield line_of(stored)
            except CorruptRecord as problem:
                unreadable.append(str(problem))
        after = page[-1].number
