"""An installation in memory that lets go of what is over: it seals, archives, and chat has told all that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from tests.support import build
from tests.support.sealing import MemoryArchive, sealer
from tests.support.world import World
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.core.records.retained import Retained
from workflows.ledger.codec import encode
from workflows.signing.words import Cipher
from workflows.usecases.upkeep.retention.retainer import Retainer

KEPT_FOR = timedelta(days=90)


class Retaining:
    """`world`, its `archive`, and a process that has the key."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.world = World(replace(policy or build.policy(), retention=KEPT_FOR))
        self.archive = MemoryArchive()
        self.sealer = sealer(self.world, self.archive)

    @property
    def retainer(self) -> Retainer:
        """A process that was just started."""
        return Retainer(self.world.ctx, self.archive, Cipher(), encode)

    # ------------------------------------------------------------ what happens

    def life(self, who: PersonId = build.DANA, **asked: object) -> str:
        """Asked for, agreed to, given, ended by time, and looked at for the last time."""
        id_ = self.world.active(who, **asked)
        self.world.advance(3_700, 100)
        self.world.advance(1_000, 100)
        return id_

    def settle(self) -> None:
        """Chat tells all, and what was written is sealed and archived."""
        told = [item for item in self.world.ledger.due if item.startswith("chat:")]
        for item in told:
            self.world.ledger.due.pop(item)
        self.sealer.seal()

    def later(self, days: float = 91) -> None:
        self.world.clock.advance(days * 86_400)

    def bite(self) -> Retained:
        """One. Returns what is noted then."""
        self.settle()
        self.retainer.bite()
        return self.noted

    def bites(self) -> int:
        """One after the other, until there is no more to do now. Returns how many."""
        for number in range(1, 500):
            self.bite()
            if self.world.ledger.due[keys.RETAINED] - self.world.clock.now().timestamp() > 60:
                return number
        raise AssertionError("it never comes to an end")

    # ------------------------------------------------------------ what there is

    @property
    def noted(self) -> Retained:
        found = self.world.ledger.read(keys.RETAINED).get(keys.RETAINED, Retained)
        return found or Retained()

    def records_of(self, id_: str) -> list[str]:
        names = [keys.request(id_), keys.grant(id_), keys.review(id_), keys.signed(id_), keys.chat(id_)]
        found = self.world.ledger.read(*names)
        return [name for name in names if not found.items[name].is_absent]

    def said(self) -> Sequence[AuditEntry]:
        return [entry for entry in self.world.all_entries() if entry.event is Event.AUDIT_RETAINED]

    def words(self) -> Iterator[int]:
        """The numbers of entries that have their words."""
        return (entry.number for entry in self.world.ledger.stored_entries(limit=100_000) if entry.private is not None)
