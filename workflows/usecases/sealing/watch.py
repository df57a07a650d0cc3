"""Looks from beside whether the audit log is sealed: whoever should do it may not be there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from workflows.core import keys
from workflows.core.records.oversight import Trouble
from workflows.core.records.seal import SealState
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.troubles import Failure, is_over, note

# How often a worker looks, in seconds.
LOOK_EVERY_S = 20.0
# An entry is sealed within two seconds; nobody is called before it has been so long that something must be wrong.
BEHIND_S = 30.0


class SealWatch:
    """Of one process. `seals`: whether it has the key. Costs one read a look."""

    def __init__(self, ctx: Context, monotonic_s: Callable[[], float], *, seals: bool) -> None:
        self._ctx = ctx
        self._monotonic_s = monotonic_s
        self._seals = seals
        # Since when entries have not been sealed, and how many were.
        self._behind: tuple[int, float] | None = None

    def look(self) -> None:
        """Raises LedgerUnreachable."""
        snapshot = self._ctx.ledger.read(keys.SEAL, keys.trouble(keys.SEAL))
        state = snapshot.readable(keys.SEAL, SealState)
        if state is None:
            if self._seals:
                # Nothing was ever sealed, or what says so cannot be read: the sealer begins, or says why not.
                self._ctx.ledger.remind(keys.SEAL, 0)
            return
        if state.size >= self._ctx.ledger.newest_seen():
            self._behind = None
        elif self._behind is None or self._behind[0] != state.size:
            self._behind = state.size, self._monotonic_s()
        elif self._monotonic_s() - self._behind[1] >= BEHIND_S:
            self._tell(snapshot, state)

    def _tell(self, snapshot: Snapshot, state: SealState) -> None:
        known = snapshot.readable(keys.trouble(keys.SEAL), Trouble)
        if known is not None and not is_over(known, snapshot.now) and not known.words.startswith(_NOBODY):
            return  # whoever should do it says why it does not
        again_at = snapshot.now + timedelta(seconds=2 * LOOK_EVERY_S)
        since = f"nothing after #{state.size} of {state.at:%Y-%m-%d %H:%M:%S} UTC is sealed"
        note(self._ctx, keys.SEAL, Failure(f"{_NOBODY}: {since}", again_at=again_at))


_NOBODY = "no worker that has PRODACCESS_AUDIT_KEY does it"
