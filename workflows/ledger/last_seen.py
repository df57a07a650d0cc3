"""The newest audit entry that this process saw, and whether the ledger still has it.

A server that took over without the last commits, or that an older copy was put on, answers as if nothing were. Each read and
commit carries what was seen last; the scripts say whether it still stands there (see seen_before.lua).
"""

from __future__ import annotations

import re
from datetime import datetime

from workflows.ports import Head, LostEntries

_HEAD = re.compile(r"([1-9][0-9]{0,15}):([0-9a-f]{40})")


class LastSeen:
    """Shared between threads without a lock: its parts are replaced as a whole."""

    def __init__(self) -> None:
        self._seen: Head | None = None
        self._lost: LostEntries | None = None

    @property
    def head(self) -> Head | None:
        """What to ask with. Answers are handed to `heard` with it."""
        return self._seen

    @property
    def lost(self) -> LostEntries | None:
        return self._lost

    def forget(self) -> None:
        self._seen = self._lost = None

    def heard(self, asked: Head | None, stands: bool, newest: str, at: datetime) -> None:
        """`newest`: `<number>:<link>` as the ledger has it, or anything else where it has none. `at`: its time."""
        found = head_of(newest, at)
        known = self._seen
        if not stands:
            # Somebody may have trusted the ledger meanwhile.
            if asked is not None and known is not None:
                self._lost = LostEntries(asked, found.number if found else 0)
            return
        if known is not None and asked is not None:
            self._lost = None
        if found is not None and (known is None or found.number >= known.number):
            self._seen = found


def head_of(words: str, at: datetime) -> Head | None:
    match = _HEAD.fullmatch(words)
    return Head(int(match[1]), match[2], at) if match else None


def word(head: Head | None) -> str:
    """As it stands in the ledger; empty for none."""
    return f"{head.number}:{head.link}" if head is not None else ""
