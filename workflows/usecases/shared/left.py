"""What has left the ledger for the archive, for those who have no archive and must say so."""

from __future__ import annotations

from datetime import datetime

from workflows.core import keys
from workflows.core.records.retained import Retained
from workflows.ports import Ledger


def left_before(ledger: Ledger) -> datetime | None:
    """When the newest request that has left was made: what is older may not be here. None where none has."""
    stands = ledger.read(keys.RETAINED).readable(keys.RETAINED, Retained)
    return stands.before if stands is not None else None
