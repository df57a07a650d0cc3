"""Whether the ledger is the newest copy of itself. Pure.

A server that came up with an older copy, or that took over without the last commits, knows nothing of what was given since: it
would give it again, and never take it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Sign(StrEnum):
    """By what it shows."""

    GONE = "gone"  # its newest entry has a lower number than one that somebody saw there
    REPLACED = "replaced"  # under the number that somebody saw stands another entry
    ARCHIVE_AHEAD = "archive_ahead"  # the archive has entries that it has not
    ARCHIVE_DIFFERS = "archive_differs"  # the archive has other entries under the same numbers
    CHANGED = "changed"  # an entry does not fit its own digest or the one before it, or the newest seal was edited
    SAID = "said"  # an operator has put an older copy back


@dataclass(frozen=True, slots=True)
class LedgerDoubt:
    """While it stands, whatever it says, nothing is given.

    `epoch`: the highest that is known of, here or from wherever the doubt comes; the next one is above it. `facts`: of the entry
    that tells of it. `lacked`: number of the first entry that is put back from the archive, and how many move behind those; noted
    before that is done, because afterwards nobody sees it.
    """

    why: Sign
    since: datetime
    epoch: int
    facts: Mapping[str, str] = field(default_factory=dict)
    lacked: tuple[int, int] | None = None
