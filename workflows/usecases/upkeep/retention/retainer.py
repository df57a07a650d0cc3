"""What is over leaves the ledger once the archive has it: a bite an hour, and one after the other where much is there.

Nothing leaves that was not read back from the archive. A run that is killed anywhere has lost nothing: the archive has something
twice then, or the ledger has not yet let go of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.retained import Retained
from workflows.ports import Archive, ArchiveConflict, ArchiveUnavailable, Change, PolicyUnavailable, WordsCipher
from workflows.usecases.shared.context import Context
from workflows.usecases.upkeep.retention.ground import REMEMBERED_S, ground_of
from workflows.usecases.upkeep.retention.letting_go import LettingGo
from workflows.usecases.upkeep.retention.reading_back import NotThere
from workflows.usecases.upkeep.retention.shelving import Encode
from workflows.usecases.upkeep.retention.trimming import Trimming

# When there is more to do, and when there is not.
SOON, LATER = timedelta(seconds=5), timedelta(hours=1)
# Of the entries that say what has left. Chat tells nothing of it.
SUBJECT = "retained-log"
NO_ARCHIVE = "the worker that seals has no archive (PRODACCESS_AUDIT_BUCKET)"


class Retainer:
    """`archive`: None where this process has none; then nothing leaves. `encode`: see `shelving`."""

    def __init__(self, ctx: Context, archive: Archive | None, cipher: WordsCipher, encode: Encode) -> None:
        self._ctx, self._archive, self._cipher, self._encode = ctx, archive, cipher, encode

    def bite(self) -> None:
        """Let some of it go, and say when to come again: not where the policy keeps all for ever. Raises LedgerUnreachable."""
        try:
            policy = self._ctx.policy.current()
        except PolicyUnavailable:
            self._again(LATER)
            return
        if policy.retention is None:
            self._again(None)
            return
        self._again(SOON if self._some(policy, policy.retention) else LATER)

    def _some(self, policy: Policy, retention: timedelta) -> bool:
        """Whether there is more to do now. Why nothing may leave is noted."""
        try:
            if self._archive is None:
                raise NotThere(NO_ARCHIVE)
            requests = LettingGo(self._ctx, self._archive, self._cipher, self._encode)
            more = requests.page(ground_of(self._ctx, policy, retention), SUBJECT)
            entries = Trimming(self._ctx, self._archive, self._cipher)
            return entries.trim(ground_of(self._ctx, policy, retention), SUBJECT) or more
        except (NotThere, ArchiveUnavailable) as problem:
            self._stays(problem.words)
        except ArchiveConflict as problem:
            self._stays(str(problem))
        return False

    def _stays(self, why: str) -> None:
        """Nothing leaves for now: on the ledger where that is news."""
        snapshot = self._ctx.ledger.read(keys.RETAINED)
        stands = snapshot.readable(keys.RETAINED, Retained)
        if snapshot.items[keys.RETAINED].problem or (stands is not None and stands.why == why):
            return
        version = snapshot.items[keys.RETAINED].version
        change = Change(
            commit_id=f"retained:stays:{version}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads={keys.RETAINED: version},
            puts={keys.RETAINED: replace(stands or Retained(), why=why)},
            removes_access=True,
            remembered_s=REMEMBERED_S,
        )
        self._ctx.ledger.commit(change)

    def _again(self, after: timedelta | None) -> None:
        now = self._ctx.ledger.now()
        change = Change(
            commit_id=f"retained:again:{self._ctx.chance.hex(16)}",
            at=now,
            reads={},
            due={keys.RETAINED: None if after is None else now + after},
            removes_access=True,
            remembered_s=REMEMBERED_S,
        )
        self._ctx.ledger.commit(change)
