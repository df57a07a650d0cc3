"""Whose signatures are believed: a key that the auditor brings along, and keys that followed it, each named by the one before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows.core.seal.public_key import PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, Head, KeyChange, Verify, fits, head_in, key_change_in


@dataclass(frozen=True, slots=True)
class _Reign:
    """Heads from `first` to `last`, an epoch and so many entries each, are this key's to sign. None: to this day.

    An epoch may begin below the size at which the key was changed: a key that was exchanged has no part in any later one.
    """

    key: PublicKey
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] | None = None

    def has(self, head: Head) -> bool:
        at = (head.epoch, head.size)
        return self.first <= at and (self.last is None or at <= self.last)


class Trust:
    """`key`: the auditor's, never one that came with what is checked. `changes`: as they were found, in
    any order; those that do not follow from `key` are left out, and `problems` says why. Of two of the same key the first counts.

    Of keys before the auditor's own nothing can be said but that they are named as such: their heads are compared, and what
    they sign proves nothing.
    """

    def __init__(self, key: PublicKey, verify: Verify, log: str, changes: Iterable[Seal] = ()) -> None:
        self._verify = verify
        self._log = log
        self._reigns = {key.fingerprint: _Reign(key)}
        self._former: set[str] = set()
        self.problems: list[str] = []
        by_old: dict[str, list[tuple[Seal, KeyChange]]] = defaultdict(list)
        by_new: dict[str, list[str]] = defaultdict(list)
        for seal, change in self._read(changes):
            by_old[change.old].append((seal, change))
            by_new[change.new].append(change.old)
        while self._follow(by_old[self.newest.fingerprint]):
            pass
        unseen = list(self._reigns)
        while unseen:
            before = set(by_new[unseen.pop()]) - self._reigns.keys() - self._former
            self._former |= before
            unseen += before

    @property
    def newest(self) -> PublicKey:
        return next(reign.key for reign in self._reigns.values() if reign.last is None)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The auditor's own, and those that followed."""
        return tuple(reign.key for reign in self._reigns.values())

    def head(self, seal: Seal) -> Head:
        """What a trusted key has signed. Raises BadSeal, also for a head of a key before the auditor's: see `is_former`."""
        head = head_in(seal.statement)
        if head.log != self._log:
            raise BadSeal("belongs to the log of another installation")
        reign = self._reigns.get(seal.key)
        if reign is None:
            raise BadSeal(f"is signed by another key ({seal.key[:12]}) than yours")
        if not reign.has(head):
            raise BadSeal(f"is signed by a key ({seal.key[:12]}) that was not in use then")
        if not fits(seal, reign.key, self._verify):
            raise BadSeal("carries a signature that does not fit: it, or what it says, was changed")
        return head

    def knows(self, fingerprint: str) -> bool:
        """Whether the chain of keys leads from the auditor's key to this one, or from this one to the auditor's."""
        return fingerprint in self._reigns or fingerprint in self._former

    def is_former(self, seal: Seal) -> bool:
        return seal.key in self._former

    def _read(self, changes: Iterable[Seal]) -> Iterable[tuple[Seal, KeyChange]]:
        for seal in changes:
            try:
                change = key_change_in(seal.statement)
            except BadSeal as problem:
                self.problems.append(f"A change of the key {problem}.")
                continue
            if change.log == self._log and seal.key == change.old:
                yield seal, change
            else:
                self.problems.append("A change of the key is of another log, or not signed by the key that it names.")

    def _follow(self, changes: Iterable[tuple[Seal, KeyChange]]) -> bool:
        """`changes`: of the newest key so far."""
        for seal, change in changes:
            old = self._reigns[change.old]
            if change.new in self._reigns:
                continue
            if not fits(seal, old.key, self._verify):
                self.problems.append(
                    f"The change to the key {change.new[:12]} is not signed by the key before it: somebody replaced the key."
                )
                continue
            at = (change.epoch, change.size)
            self._reigns[change.old] = _Reign(old.key, old.first, at)
            self._reigns[change.new] = _Reign(public_key_from(change.new_key), at)
            return True
        return False


def key_named(fingerprint: str, candidates: Sequence[PublicKey]) -> PublicKey | None:
    """The key with this fingerprint, all 64 digits: wherever it was found, the fingerprint is what it is believed for."""
    return next((key for key in candidates if key.fingerprint == fingerprint.lower()), None)
