"""What a process saw in the ledger and misses there counts no more where an operator has accepted the ledger as it is."""

from __future__ import annotations

from typing import Protocol

from workflows.core import keys
from workflows.core.records.installation import Installation
from workflows.ports import Ledger, LostEntries, Snapshot


class HasLedger(Protocol):
    @property
    def ledger(self) -> Ledger: ...


def accepted(ctx: HasLedger, snapshot: Snapshot, lost: LostEntries) -> bool:
    """Whether they did, after this process saw what is lost: then it takes the ledger as it is from now on.

    `snapshot`: with `keys.INSTALLATION`. Raises LedgerUnreachable.
    """
    found = snapshot.readable(keys.INSTALLATION, Installation)
    if found is None or found.raised_at is None or found.raised_at <= lost.seen.at:
        return False
    take_as_it_is(ctx)
    return True


def take_as_it_is(ctx: HasLedger) -> None:
    """What this process remembers from now on is what stands there now."""
    ctx.ledger.trust()
    ctx.ledger.now()


def accepted_meanwhile(ctx: HasLedger) -> bool:
    """The same, for whoever was just told that the ledger is perhaps an older copy: a press in the second after an operator
    has accepted it is not refused for what only this process still believes.
    """
    lost = ctx.ledger.lost()
    snapshot = ctx.ledger.read(keys.INSTALLATION, keys.LEDGER_DOUBT)
    return lost is not None and snapshot.items[keys.LEDGER_DOUBT].is_absent and accepted(ctx, snapshot, lost)
