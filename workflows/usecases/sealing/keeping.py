"""How what was sealed gets into the archive where somebody may have taken its names. Only what our keys have signed, or what the
ledger has as well, says anything about the ledger: all else is somebody's, and is gone round and told.

It is safe to go round. Another name is made from the content, which nobody knows before it is written, so that it cannot be taken
beforehand; it sorts before the taken one, so that whoever reads the archive meets ours first; and what is archived is proved by
its head's signature, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflows.core.audit_check import StoredEntry
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.hidden import NO_WORDS
from workflows.core.seal.key_chain import signed_changes
from workflows.core.seal.public_key import NotAPublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, KeyChange, fits, head_in, key_change_in, seal_from, seal_json
from workflows.ports import Archive, ArchiveConflict, Verifier
from workflows.usecases.sealing.archived import seal_in
from workflows.usecases.sealing.hiding import Hiding
from workflows.usecases.sealing.past_log import CarriedEntry


class HeadTaken(Exception):
    """The archive has another head, `seal`, of as many entries: another sealer may have stood still and gone on."""

    def __init__(self, seal: Seal) -> None:
        super().__init__(seal.statement)
        self.seal = seal


class Keeper:
    """All raise ArchiveConflict where the archive has something under a name of ours that the ledger lacks, and should have."""

    def __init__(self, verify: Verifier, hiding: Hiding | None) -> None:
        self._verify, self._hiding = verify, hiding
        self._kept: set[str] = set()
        # What somebody has put where ours should be, in a sentence; empty where nobody has.
        self.taken = ""

    def run(self, archive: Archive, name: str, entries: Sequence[StoredEntry | int]) -> None:
        carried = {
            one.number: one.hidden for one in entries if isinstance(one, CarriedEntry) and one.hidden is not None
        }
        hidden = self._hiding.of(entries) if self._hiding is not None else NO_WORDS
        run = layout.run_of(entries, {**carried, **hidden})
        try:
            archive.put(name, run)
        except ArchiveConflict:
            # Whoever wrote it, and died before that was noted, may have met words, or keys, that were erased since.
            there = archive.get(name) or b""
            if layout.same_entries(there, run, name):
                return
            if layout.has_some_of(there, run, name):
                # Entries that stood in the ledger go on otherwise there.
                raise
            self._aside(archive, name, run)

    def head(self, archive: Archive, folder: str, state: SealState) -> None:
        """Raises HeadTaken where a key of ours has signed the one that is there."""
        name, content = layout.head_name(folder, state.size), seal_json(state.seal)
        try:
            archive.put(name, content)
        except ArchiveConflict:
            there = seal_in(archive.get(name))
            if _is_head_of_ours(there, state, self._verify):
                raise HeadTaken(there) from None
            self._aside(archive, name, content)

    def keys(self, archive: Archive, folder: str, state: SealState) -> None:
        """Whose key it is, and the changes that lead to it."""
        texts = {layout.public_key_name(folder, state.seal.key): state.public_key.encode()}
        epoch = head_in(state.seal.statement).epoch
        for seal in state.key_changes:
            change = key_change_in(seal.statement)
            name = layout.key_change_name(folder, change.size)
            if change.epoch != epoch or name in texts:
                name = layout.carried_change_name(folder, change.size, change.new)
            texts[name] = seal_json(seal)
        for name, text in texts.items():
            if name not in self._kept:
                self._key(archive, name, text, state)
                self._kept.add(name)

    def _key(self, archive: Archive, name: str, text: bytes, state: SealState) -> None:
        try:
            archive.put(name, text)
        except ArchiveConflict:
            if _is_change_of_ours(archive.get(name) or b"", state, self._verify):
                raise
            self._aside(archive, name, text)

    def _aside(self, archive: Archive, name: str, content: bytes) -> None:
        archive.put(layout.aside(name, content), content)
        self.taken = (
            f"Somebody has put something into the archive under the name {name}, which no key of ours has signed; "
            "ours stands beside it."
        )


def _is_head_of_ours(seal: Seal, state: SealState, verify: Verifier) -> bool:
    """Whether the key that signs now, or one before it, has signed a head of this log and epoch."""
    own = head_in(state.seal.statement)
    try:
        head = head_in(seal.statement)
        keys = [public_key_from(state.public_key), *(public_key_from(one.old_key) for one in _changes(state, verify))]
    except (BadSeal, NotAPublicKey):
        return False
    return (head.log, head.epoch) == (own.log, own.epoch) and any(fits(seal, key, verify) for key in keys)


def _is_change_of_ours(stored: bytes, state: SealState, verify: Verifier) -> bool:
    """Whether a key of ours has named another one than the ledger says."""
    log = head_in(state.seal.statement).log
    ours = {state.seal.key, *(one.old for one in _changes(state, verify))}
    try:
        return any(change.old in ours for _, change in signed_changes(log, [seal_from(stored)], verify))
    except BadSeal:
        return False


def _changes(state: SealState, verify: Verifier) -> list[KeyChange]:
    return [change for _, change in signed_changes(head_in(state.seal.statement).log, state.key_changes, verify)]
