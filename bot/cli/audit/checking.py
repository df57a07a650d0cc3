"""One log held against all that was given. `audit verify` and the verifier that goes with a bundle run this same code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.cli.audit.candidates import candidates, is_fingerprint, key_given
from bot.cli.audit.of_export import Source
from bot.cli.audit.older_epochs import older_epochs
from bot.cli.audit.other_logs import other_logs
from bot.cli.audit.verdict import Verdict
from workflows.core.audit_check import AuditCheck
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import ArchivedEntry, folder, runs, stands_aside
from workflows.core.seal.public_key import PublicKey, Seal
from workflows.core.seal.statement import BadSeal, ShownHead, head_in
from workflows.core.seal.trust import Trust
from workflows.signing.verify import verify
from workflows.usecases.sealing.archived import archived_entries, archived_heads, archived_keys, changes_of_all_epochs
from workflows.usecases.sealing.past_log import folder_with

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive


# Bytes that are added at a time to what is remembered of entries.
_MORE = 8_192


@dataclass
class Checking:
    """`key`: the auditor's, a file or a fingerprint, or empty. `unreachable`: what the archive raises where it does not answer.

    Raises NoKey, and what `unreachable` names.
    """

    found: Source
    key: str
    expected: tuple[ShownHead, ...]
    archive: ReadableArchive | None
    unreachable: type[Exception]
    given: PublicKey | None = field(init=False, default=None)
    trust: Trust | None = field(init=False)
    _with_words: bytearray = field(init=False, default_factory=bytearray)
    # What is no fault, and should be read.
    notes: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        state = self.found.state
        self.trust = self._trust()
        heads = archived_heads(self.archive, self.folder) if self.archive else ()
        runs = self._seen(archived_entries(self.archive, self.folder)) if self.archive else ()
        if self.archive is not None:
            self.found.copies = self._copies
        self.check = AuditCheck(state.audit)
        self.seals = SealCheck(state.seal, self.trust, expected=self.expected, heads=heads, runs=runs)

    def _copies(self) -> Iterator[ArchivedEntry]:
        """What has left the ledger. An epoch that has just begun has not all of it yet: then an older one has."""
        past, made = self.found.state.retained, self.found.state.installation
        if self.archive is not None and past is not None and made is not None:
            there = folder_with(self.archive, made.id, made.epoch, past.first - 1)
            yield from archived_entries(self.archive, there or self.folder)

    def _seen(self, runs: Iterable[ArchivedEntry]) -> Iterator[ArchivedEntry]:
        """The same; which of them have words is remembered, a bit each."""
        for copy in runs:
            place, bit = divmod(copy.number, 8)
            if len(self._with_words) <= place:
                self._with_words.extend(bytes(place - len(self._with_words) + _MORE))
            self._with_words[place] |= (copy.hidden is not None or copy.words is not None) << bit
            yield copy

    def _words_away(self) -> Iterator[str]:
        """Whether the archive has the words of which entries say so."""
        for first, last in self.check.away.ranges:
            for number in range(first, last + 1):
                place, bit = divmod(number, 8)
                if len(self._with_words) <= place or not self._with_words[place] >> bit & 1:
                    yield f"The words of #{number} left for the archive, and are not there."

    @property
    def folder(self) -> str:
        """Of this log in the archive."""
        made = self.found.state.installation
        return folder(made.id, made.epoch) if made else "no-log/"

    def _noted_as_archived(self) -> int:
        """So many entries are in this epoch's folder, by the ledger: a new epoch begins with none, until it is sealed."""
        seal, made = self.found.state.seal, self.found.state.installation
        try:
            return seal.archived if seal and made and head_in(seal.seal.statement).epoch == made.epoch else 0
        except BadSeal:
            return 0

    def verdict(self, tell: Callable[[str], object]) -> Verdict:
        """Checks all of it. `tell` is handed each fault as it is found."""
        found = Verdict(
            self.check,
            self.seals,
            self.found.state,
            self.given,
            self.trust,
            compared=self.archive is not None,
            expects=bool(self.expected),
            notes=self.notes,
        )
        self._chain()
        for fault in self._faults():
            found.add(fault)
            tell(fault)
        return found

    def _chain(self) -> None:
        """That a key which was lost could not hand over; its heads, or the new one's, are faults of their own."""
        seal = self.found.state.seal
        if (
            seal is not None
            and self.given is not None
            and self.trust is not None
            and not self.trust.knows(seal.seal.key)
        ):
            self.notes.append(
                f"The chain of keys does not lead from your key {self.given.fingerprint[:12]} to {seal.seal.key[:12]}, which has "
                "signed the newest head: yours was lost, and an operator began an epoch with that one, or somebody replaced it."
            )

    def _faults(self) -> Iterator[str]:
        try:
            yield from self.found.faults(self.check, self.seals)
            if self.archive is not None:
                yield from self._archived(self.archive)
        except self.unreachable as problem:
            yield f"The archive could not be read to its end: {problem}. Nothing is known of what was not compared."

    def _archived(self, archive: ReadableArchive) -> Iterator[str]:
        """What the archive has beside copies of this log."""
        made = self.found.state.installation
        yield from self._words_away()
        yield from self.seals.lacking(self._noted_as_archived())
        trusted = self.trust.keys if self.trust else ()
        knows = self.trust.knows if self.trust else lambda _key: True
        for found in older_epochs(archive, made, trusted, self.found.entries, knows) if made else ():
            if found.is_fault:
                yield found.words
            else:
                self.notes.append(found.words)
        self.notes += [
            f"Somebody had put something into the archive under the name of a run before it was kept; it stands in {name}."
            for name in archive.names(runs(self.folder))
            if stands_aside(name)
        ]
        yield from other_logs(archive, self.folder, trusted)

    def _trust(self) -> Trust | None:
        if not self.key:
            return None
        made = self.found.state.installation
        changes = list(self._changes())
        self.given = key_given(self.key, self._keys(changes) if is_fingerprint(self.key) else ())
        return Trust(self.given, verify, made.id if made else "", changes)

    def _changes(self) -> Iterator[Seal]:
        """Of the log, and those that the archive alone has, of whichever epoch."""
        seal, made = self.found.state.seal, self.found.state.installation
        own = seal.key_changes if seal else ()
        yield from own
        if self.archive is not None and made is not None:
            there = changes_of_all_epochs(self.archive, made.id, made.epoch)
            yield from (change for change in there if change not in own)

    def _keys(self, changes: list[Seal]) -> Iterator[PublicKey]:
        seal = self.found.state.seal
        yield from candidates(seal.public_key if seal else "", changes)
        if self.archive is not None:
            yield from archived_keys(self.archive, self.folder)
