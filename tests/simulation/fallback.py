"""An older copy of Redis comes back: whatever came after it is forgotten, and after a while an operator sees to it.

Where there is an archive the record is made again from it, with everything stopped; else it is accepted as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.simulation.dice import Dice
from tests.simulation.house import ARCHIVE, House, Parts
from tests.simulation.judge import Judge
from tests.simulation.port import Port
from tests.simulation.processes import Crew
from tests.simulation.scheduler import Process
from tests.support.archives import target_terms
from tests.support.sealed_log import OURS, verify
from workflows.core import keys
from workflows.core.records.installation import Installation
from workflows.core.seal.layout import folder
from workflows.core.seal.statement import head_in
from workflows.core.seal.trust import Trust
from workflows.ledger.codec import audit_entry
from workflows.ports import ArchiveUnavailable, LedgerUnreachable
from workflows.signing.words import Cipher
from workflows.usecases.sealing.archived import archived_heads
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.ledger_doubt import accept
from workflows.usecases.upkeep import rebuild
from workflows.usecases.upkeep.rebuild_reading import Archived, NothingProven, read

WHO = "Rosa Ops"
# When it happens, how old the copy is, and when somebody looks.
TIMES_S, AGES_S, COMES_S = (100.0, 390.0), (3.0, 15.0, 60.0, 120.0), (45.0, 90.0)
# How long somebody waits until nothing fails any more, at most.
CALM_S, CALM_MAX_S = 20.0, 150.0
TRIES, AGAIN_S = 60, 5.0


@dataclass
class Lost:
    """`number`: of the last entry that the copy has; `newest`: of the last one that there was, `archived`: in the archive."""

    number: int
    newest: int
    archived: int


class FallBack:
    def __init__(self, house: House, crew: Crew, judge: Judge, dice: Dice) -> None:
        self.house, self.crew, self.judge = house, crew, judge
        self._dice = dice
        self._outside = Process("the worst day", "world", "elsewhere")
        self._copy: Any = None
        # Whether all processes are stopped meanwhile: then nobody remembers what is lost.
        self.forgotten = dice.chance(350) and house.archive is not None
        self._at_s, self._age_s = dice.between(*TIMES_S), dice.pick(AGES_S)

    def plan(self) -> None:
        spawn = self.house.scheduler.spawn
        spawn(self._outside, "a copy", self._keep, after_s=self._at_s - self._age_s)
        spawn(self._outside, "an older copy", self._falls_back, after_s=self._at_s)

    def _keep(self) -> None:
        self._copy = self.house.ledger.copy(), self.house.directory_copy()

    # ------------------------------------------------------------ it comes back

    def _falls_back(self) -> None:
        house, ledger = self.house, self.house.ledger
        house.story.fault("an older copy", f"a copy of Redis comes back that is {self._age_s:g} s old")
        house.trouble(0.0)
        if self.forgotten:
            self.crew.stop_all()
        was, archived = ledger.entries(limit=1_000_000), self._archived()
        ledger.put_back(self._copy[0])
        house.directory_put_back(self._copy[1])
        lost = Lost(ledger.head(), len(was), archived)
        self.judge.fell_back(frozenset(entry.subject for entry in was[lost.number :]), known=not self.forgotten)
        if self.forgotten:
            ledger.trust()
            house.scheduler.pause(self._dice.pick((0.5, 5.0)))
            self.crew.start_all()
            house.trouble(0.0)
        self._wait(lost)
        self._sees_to_it(lost)

    def _wait(self, lost: Lost) -> None:
        """Somebody comes, in a while, and when it is calm."""
        scheduler, began_s = self.house.scheduler, self.house.scheduler.now_s
        scheduler.pause(self._dice.between(*COMES_S))
        while scheduler.now_s < self.house.fault_until_s + CALM_S and scheduler.now_s < began_s + CALM_MAX_S:
            scheduler.pause(5.0)

    def _sees_to_it(self, lost: Lost) -> None:
        house = self.house
        calm = house.scheduler.now_s >= house.fault_until_s + CALM_S
        noticed = not house.ledger._versioned(keys.LEDGER_DOUBT).is_absent
        if not noticed:
            if calm and lost.number < (lost.archived if self.forgotten else lost.newest):
                self.judge.wrong("an older copy is noticed", f"#{lost.number + 1} to #{lost.newest} are gone")
            self.judge.overlooked()
            return
        if self._archived():
            self._rebuilds()
            house.scheduler.pause(self._dice.pick((2.0, 30.0)))
        self._repeats("accepts the ledger", lambda parts: accept(parts.context, WHO, "looked at it"))
        self.judge.accepted()

    def _archived(self) -> int:
        """How far the archive was signed, in the first epoch."""
        if self.house.archive is None:
            return 0
        made = self.house.ledger._versioned(keys.INSTALLATION).record
        assert isinstance(made, Installation)
        heads = archived_heads(self.house.archive, folder(made.id, 1), above=-1)
        return max((head_in(seal.statement).size for seal in heads), default=0)

    # ------------------------------------------------------------ an operator

    def _rebuilds(self) -> None:
        self.crew.stop_all()
        self.judge.rebuilding = True
        try:
            self._repeats("makes the record again", self._rebuild)
        finally:
            self.judge.rebuilding = False
        self.house.trouble(0.0)
        self.crew.start_all()
        self.house.trouble(0.0)

    def _repeats(self, what: str, do: Any) -> None:
        """Until it was done to its end: no error is the last word, and no death."""
        for _ in range(TRIES):
            process = Process(f"operator-{self.house.scheduler.steps}", "operator", "one")
            self.house.living.append(process)
            done: list[bool] = []
            self.house.story.tell(f"an operator {what}")
            self.house.scheduler.spawn(process, what, lambda process=process, done=done: self._runs(process, do, done))
            while not process.dead and not done:
                self.house.scheduler.pause(1.0)
            if not process.dead:
                self.house.living.remove(process)
            if done and done[0]:
                return
            self.house.scheduler.pause(AGAIN_S)
        self.judge.wrong("the record can be made again", f"an operator {what} in vain, {TRIES} times")

    def _runs(self, process: Process, do: Any, done: list[bool]) -> None:
        parts = self.house.parts(process)
        try:
            do(parts)
        except (LedgerUnreachable, ArchiveUnavailable) as problem:
            self.house.story.tell(f"the operator reads: {problem}")
            done.append(False)
        else:
            done.append(True)

    def _rebuild(self, parts: Parts) -> None:
        made = parts.ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
        archive: Any = Port(self.house.archive, ARCHIVE, parts.process, self.house.ways)
        shown = Shown(parts.ledger, Cipher())
        archived = Archived(archive, made.id, 1, Trust(OURS, verify, made.id), shown)
        try:
            found = read(parts.ledger, archived, audit_entry)
        except NothingProven as problem:
            self.judge.wrong("the record can be made again", f"nothing is proven: {problem}")
            return
        plan = rebuild.plan(parts.context, found, target_terms)
        self.house.story.tell(f"what is done: {plan}")
        if not plan.is_empty:
            rebuild.carry_out(parts.context, archived, found, plan, parts.ledger.put_back_entries, WHO)
        self.judge.made_again(found.size)
