"""What has left the ledger for the archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Retained:
    """`first`: the first audit entry that stands here. `frontier`: the tree over all before it, as `merkle.Tree` has it, in hex;
    `link`: of the one before it, empty where it has none.

    `requests`: how many have left; `before`: when the newest of them was made. `at`: of the last look that came to its end.
    `looked`: how far the look over old requests has come, in seconds since the epoch; 0: it begins anew. `kept`: how many old
    ones that look has left where they are, and `why`: a sentence on what kept the newest of them, or all; empty: nothing does.
    """

    first: int = 1
    frontier: tuple[str, ...] = ()
    link: str = ""
    requests: int = 0
    before: datetime | None = None
    at: datetime | None = None
    looked: float = 0.0
    kept: int = 0
    why: str = ""
