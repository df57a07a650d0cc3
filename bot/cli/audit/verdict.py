"""What a check of the audit log comes to, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.core.audit_check import number_in

if TYPE_CHECKING:
    from bot.cli.audit.exported import LogState
    from workflows.core.audit_check import AuditCheck
    from workflows.core.seal.check import SealCheck
    from workflows.core.seal.public_key import PublicKey
    from workflows.core.seal.trust import Trust

# So many sentences are kept for a program; all are counted.
KEPT_MAX = 1000
_SHOWN = 12


@dataclass
class Verdict:
    """`given`: the auditor's own key. `compared`: whether there was an archive to compare with. `expects`: whether a head was
    brought along. `notes`: sentences that are no faults.
    """

    check: AuditCheck
    seals: SealCheck
    state: LogState
    given: PublicKey | None
    trust: Trust | None
    compared: bool
    expects: bool
    notes: list[str] = field(default_factory=list)
    count: int = 0
    kept: list[str] = field(default_factory=list)
    _first: int = 0

    def add(self, fault: str) -> None:
        self.count += 1
        if len(self.kept) < KEPT_MAX:
            self.kept.append(fault)
        number = number_in(fault)
        if number and (not self._first or number < self._first):
            self._first = number

    @property
    def first(self) -> int:
        """Before this entry nothing is at fault; 0 where no fault names one."""
        return min((number for number in (self._first, self.seals.first) if number), default=0)

    @property
    def unsealed(self) -> int:
        return max(0, self.state.audit.upto - (self.seals.whole.size if self.seals.whole else 0))

    def lines(self) -> Iterator[str]:
        if not self.check.count and not self.count:
            yield "The audit log is empty."
            return
        erased = f" The words of {self.check.erased} were erased." if self.check.erased else ""
        yield f"{self.check.count} entries, {self.count} faults.{erased}"
        yield from self._away()
        if self.first:
            yield f"Begin at #{self.first}: before it nothing is at fault."
        yield from self.notes
        yield from self._sealed()
        if not self.count:
            yield from self._what_is_left()

    def _away(self) -> Iterator[str]:
        """What has left the ledger for the archive."""
        looked = "and were compared there" if self.compared else "which was not looked at: give --archive"
        if self.check.first > 1:
            which = "#1 is" if self.check.first == 2 else f"#1 to #{self.check.first - 1} are"
            yield f"{which} in the archive alone, {looked.replace('were', 'was') if self.check.first == 2 else looked}."
        if self.check.away:
            looked = "and are there" if self.compared else "which was not looked at: give --archive"
            yield f"The words of {len(self.check.away)} entries are in the archive alone, {looked}."

    def _sealed(self) -> Iterator[str]:
        whole = self.seals.whole
        if whole is None:
            if self.state.seal is None:
                yield "Nothing is sealed yet: no worker that has a key has signed the log (docs/audit.md)."
            return
        since = f" {self.unsealed} entries since are not sealed yet." if self.unsealed and not self.count else ""
        yield f"Whole up to head {whole.shown} of {whole.at:%Y-%m-%d %H:%M:%S} UTC.{since}"
        if self.given is None:
            yield "Signatures were not checked against a key of yours: give --key."
        else:
            yield f"Signed by your key {self.given.fingerprint[:_SHOWN]}{self._followed()}."
        if self.compared:
            yield f"{self.seals.compared} entries compared with the archive."

    def _followed(self) -> str:
        if self.trust is None or self.trust.newest == self.given:
            return ""
        return f", which handed over to {self.trust.newest.fingerprint[:_SHOWN]}"

    def _what_is_left(self) -> Iterator[str]:
        """What a person should still do, because this check alone cannot find it."""
        if self.seals.whole is None:
            yield "Compare some numbers and digests with the receipts in the chat: those stand outside of this record."
        elif not self.compared and not self.expects:
            yield (
                "A log that was cut, and set back to an older head, looks whole from here: compare this head with the newest "
                "digest in chat (--expect-head), or give --archive."
            )

    def as_json(self) -> dict[str, Any]:
        whole = self.seals.whole
        head = (
            {"head": whole.shown, "size": whole.size, "root": whole.root, "at": whole.at.isoformat()} if whole else None
        )
        return {
            "entries": self.check.count,
            "faults": self.count,
            "sentences": self.kept,
            "notes": self.notes,
            "first": self.first or None,
            "erased": self.check.erased,
            **({"first_here": self.check.first} if self.check.first > 1 else {}),
            **({"words_in_archive": len(self.check.away)} if self.check.away else {}),
            "whole_up_to": head,
            "unsealed": self.unsealed,
            "key": self.given.fingerprint if self.given else None,
            "compared_with_archive": self.seals.compared if self.compared else None,
        }
