"""The log behind some entry, though its beginning has left the ledger."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.records.retained import Retained
from workflows.ports import Ledger
from workflows.usecases.sealing.archivist import Archivist
from workflows.usecases.sealing.noted import Seen
from workflows.usecases.sealing.past_log import Log


def whole_log(archivist: Archivist, ledger: Ledger, seen: Seen, size: int) -> Log:
    """All behind the first `size` entries: what has left the ledger is read where it is, to be signed in another epoch.

    Raises NotSealed where it cannot be read.
    """
    stands = seen.snapshot.readable(keys.RETAINED, Retained)
    away = stands is not None and size < stands.first - 1
    return archivist.past(ledger, seen.made, stands) if away else ledger
