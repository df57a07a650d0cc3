"""Accounts that a chat has named and nobody has looked up: in the background, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from workflows.core.identity import Account
from workflows.core.people import is_fresh
from workflows.ports import DirectoryUnreachable

AT_ONCE = 20
# Who was asked about is not asked about again at once.
KEPT_FOR = timedelta(minutes=5)


class Introductions:
    """Of one chat and process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._asked_at: dict[Account, datetime] = {}

    def make(self, accounts: Iterable[Account], look_up: Callable[[Account], object]) -> None:
        """Look up a few of those who were not lately; the others another time. `look_up` may raise DirectoryUnreachable."""
        now = self._now()
        self._asked_at = {who: at for who, at in self._asked_at.items() if is_fresh(at, now, KEPT_FOR)}
        fresh = sorted((who for who in accounts if who not in self._asked_at), key=lambda who: who.id)
        for account in fresh[:AT_ONCE]:
            try:
                look_up(account)
            except DirectoryUnreachable as problem:
                if problem.after_s:
                    return
            # One that the chat does not show takes no other's turn.
            self._asked_at[account] = now
