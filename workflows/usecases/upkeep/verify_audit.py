"""Goes over the whole audit log and all that stands beside it."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core import keys
from workflows.core.audit_check import AuditCheck
from workflows.ports import Ledger

PAGE = 1000


def faults(ledger: Ledger, check: AuditCheck, upto: int) -> Iterator[str]:
    """One sentence for each. `check` counts as it goes; entries above `upto` came after its state was read."""
    last = 0
    while page := [entry for entry in ledger.stored_entries(after=last, limit=PAGE) if entry.number <= upto]:
        yield from check.entries(page)
        last = page[-1].number
    yield from check.counts()
    yield from check.lists(ledger.audit_lists())
    yield from check.beyond(ledger.audit_state().upto)
    if not upto and not ledger.read(keys.ACTIVE_POLICY).items[keys.ACTIVE_POLICY].is_absent:
        yield "A policy is in force, and nothing says who put it there."


def all_faults(ledger: Ledger) -> list[str]:
    state = ledger.audit_state()
    return list(faults(ledger, AuditCheck(state), state.upto))
