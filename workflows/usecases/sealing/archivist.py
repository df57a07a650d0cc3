"""Puts sealed runs and heads into the archive, in this order: the run, its head, then the ledger's own note of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from workflows.core.audit_check import StoredEntry
from workflows.core.ledger_doubt import Sign
from workflows.core.records.installation import Installation
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.public_key import Seal
from workflows.ports import Archive, ArchiveConflict, ArchiveUnavailable, Verifier
from workflows.usecases.sealing.archived import archived_heads, changes_of_all_epochs
from workflows.usecases.sealing.batch import BATCH, copies
from workflows.usecases.sealing.ground import Distrusted, NotSealed
from workflows.usecases.sealing.hiding import Hiding
from workflows.usecases.sealing.keeping import Keeper
from workflows.usecases.sealing.past_log import Log, LogWithPast, folder_with

T = TypeVar("T")

# An archive that could not be reached is left alone for so long, in seconds: sealing does not wait for it.
AGAIN_S = 15.0
# Whether what is kept there could be changed is asked so often, in seconds.
LOOK_EVERY_S = 600.0


class Archivist:
    """`archive`: None where there is none; then nothing is kept and nothing is ever wrong. `hiding`: None where words are not.

    All raise Distrusted where the archive has something else under a name that it should have; `keep` and `catch_up` raise
    HeadTaken where that is a head.
    """

    def __init__(
        self,
        archive: Archive | None,
        monotonic_s: Callable[[], float],
        verify: Verifier,
        hiding: Hiding | None = None,
    ) -> None:
        self._archive = archive
        self._keeper = Keeper(verify, hiding)
        self._monotonic_s = monotonic_s
        self._failed_at_s: float | None = None
        self._looked_at_s: float | None = None
        self._junk = ""
        self._looked_for = ""
        # Why nothing can be kept, or what is kept could be changed; empty where all is well.
        self.problem = ""

    @property
    def is_there(self) -> bool:
        return self._archive is not None

    @property
    def works(self) -> bool:
        """It did not fail a moment ago."""
        failed_s = self._monotonic_s() - self._failed_at_s if self._failed_at_s is not None else AGAIN_S
        return self._archive is not None and failed_s >= AGAIN_S

    def newer_head(self, folder: str, size: int, is_ours: Callable[[Seal], bool]) -> Seal | None:
        """One of the archive's heads of more than `size` entries, of which the ledger does not know, or no more; None where there
        are none. What nobody of ours has signed proves nothing against the ledger: it is a problem of the archive's.
        """

        def found(archive: Archive) -> Seal | None:
            self._junk = ""
            for seal in archived_heads(archive, folder, above=size):
                if is_ours(seal):
                    return seal
                self._junk = f"Somebody has put a head into the archive, below {folder}, that our key has not signed."
            return None

        return self._try(found, None)

    def look_once(self, folder: str, look: Callable[[Archive], None]) -> None:
        """On behalf of this log, until `look` came to its end once; it may raise Distrusted."""

        def done(archive: Archive) -> None:
            look(archive)
            self._looked_for = folder

        if self._looked_for != folder:
            self._try(done, None)

    def changes(self, log: str, epoch: int) -> tuple[Seal, ...]:
        """Of the key, in this epoch and before; nothing of it is proved."""
        return self._try(lambda archive: tuple(changes_of_all_epochs(archive, log, epoch)), ())

    def keep(self, folder: str, entries: Sequence[StoredEntry | int], state: SealState) -> bool:
        """The run that ends with this head, the head, and whose key it is. Returns whether that was done."""

        def kept(archive: Archive) -> bool:
            self._keeper.keys(archive, folder, state)
            if entries:
                self._keeper.run(archive, layout.run_name(folder, state.size - len(entries) + 1, state.size), entries)
            self._keeper.head(archive, folder, state)
            return True

        return self._try(kept, otherwise=False)

    def past(self, log: Log, made: Installation, stands: Retained | None) -> Log:
        """`log` with what has left it, as the archive has it. Raises NotSealed where that cannot be read."""
        if stands is None or stands.first <= 1:
            return log

        def found(archive: Archive) -> Log | None:
            folder = folder_with(archive, made.id, made.epoch, stands.first - 1, stands.link)
            return LogWithPast(log, archive, folder, stands.first) if folder else None

        there = self._try(found, None)
        if there is None:
            raise NotSealed(f"#1 to #{stands.first - 1} are in the archive alone, and cannot be read there")
        return there

    def catch_up(self, ledger: Log, folder: str, state: SealState) -> int:
        """One run of what the archive has not; with the last one goes the newest head. Returns how far it is then."""
        last = min(state.archived + BATCH, state.size)
        entries = copies(ledger, state.archived + 1, last)
        if last == state.size:
            return last if self.keep(folder, entries, state) else state.archived

        def kept(archive: Archive) -> int:
            self._keeper.run(archive, layout.run_name(folder, state.archived + 1, last), entries)
            return last

        return self._try(kept, state.archived)

    def _try(self, what: Callable[[Archive], T], otherwise: T) -> T:
        if self._archive is None or not self.works:
            return otherwise
        now_s = self._monotonic_s()
        try:
            found = what(self._archive)
        except ArchiveUnavailable as problem:
            self._failed_at_s, self._looked_at_s, self.problem = self._monotonic_s(), None, problem.words
            return otherwise
        except ArchiveConflict as problem:
            words = f"the archive has something else than the ledger under {problem.name}"
            raise Distrusted(Sign.ARCHIVE_DIFFERS, words, {}) from None
        self._failed_at_s = None
        if self._looked_at_s is None or now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s, self.problem = now_s, self._archive.problem() or self._junk
        self.problem = self.problem or self._keeper.taken
        return found
