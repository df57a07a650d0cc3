"""Goes over the whole audit log and all that stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workflows.core import keys
from workflows.core.audit_check import AuditCheck, StoredEntry, by_number
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal.check import SealCheck
from workflows.core.seal.past import Past, begun, past_of
from workflows.ports import Ledger

PAGE = 1000
# The sealer notes a head within milliseconds; one that was killed in between leaves it to the next, within seconds.
NOTED_TRIES, NOTED_PAUSE_S = 10, 0.5


def no_wait(_seconds: float) -> None:
    """For whoever looks at a ledger that nobody writes to."""


def faults(
    ledger: Ledger,
    check: AuditCheck,
    upto: int,
    seals: SealCheck | None = None,
    wait: Callable[[float], object] = no_wait,
    past: Past | None = None,
) -> Iterator[str]:
    """One sentence for each. `check` counts as it goes; entries above `upto` came after its state was read. `seals`: made with
    the ledger's seal as it was before that state was read. `wait`: sleeps, while the sealer may be about to note a head. `past`:
    what has left for the archive; None: nothing has.
    """
    last = past.first - 1 if past is not None else 0
    yield from begun(check, seals, past)
    while page := [entry for entry in ledger.stored_entries(after=last, limit=PAGE) if entry.number <= upto]:
        found = list(check.entries(page))
        if seals is not None:
            found += seals.entries(page)
        yield from by_number(found)
        last = page[-1].number
    yield from check.counts(_later(ledger, upto))
    yield from check.lists(ledger.audit_lists())
    # What the archive has by now is read before what the ledger says of itself: the other way round a new head looks like a cut.
    if seals is not None:
        yield from seals.drain()
        _until_noted(ledger, seals, wait)
    counted = ledger.audit_state().upto
    yield from check.beyond(counted)
    if seals is not None:
        yield from seals.finish(counted, seal_of(ledger))
    if not upto and not ledger.read(keys.ACTIVE_POLICY).items[keys.ACTIVE_POLICY].is_absent:
        yield "A policy is in force, and nothing says who put it there."


def _later(ledger: Ledger, after: int) -> Iterator[StoredEntry]:
    while page := ledger.stored_entries(after=after, limit=PAGE):
        yield from page
        after = page[-1].number


def _until_noted(ledger: Ledger, seals: SealCheck, wait: Callable[[float], object]) -> None:
    """A head goes to the archive first, then onto the ledger. Where the ledger is an older one, it never comes."""
    for _ in range(NOTED_TRIES):
        if not seals.is_ahead(seal_of(ledger)):
            return
        wait(NOTED_PAUSE_S)


def all_faults(ledger: Ledger) -> list[str]:
    past, state = past_of(retained_of(ledger)), ledger.audit_state()
    return list(faults(ledger, AuditCheck(state), state.upto, past=past))


def retained_of(ledger: Ledger) -> Retained | None:
    """What has left for the archive, by the ledger; None where nothing has, or where that cannot be read."""
    return ledger.read(keys.RETAINED).readable(keys.RETAINED, Retained)


def seal_of(ledger: Ledger) -> SealState | None:
    """How far the log is sealed, by the ledger; None where it is not, or where that cannot be read."""
    return ledger.read(keys.SEAL).readable(keys.SEAL, SealState)
