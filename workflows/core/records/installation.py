"""This installation's name: what is marked at a target, and what is signed, says whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """Made once, by chance, and kept for ever. `id`: 32 hex digits; it names the audit log, too.

    `epoch`: raised where the ledger's past is not what it was: it was made anew from the archive, or an older one was accepted.
    """

    id: str
    made_at: datetime
    epoch: int = 1
    # When it was raised last, on the ledger's clock: what was seen there before that is accepted as gone.
    raised_at: datetime | None = None
