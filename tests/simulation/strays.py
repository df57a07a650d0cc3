"""Access that is named as ours is, and that somebody else gave: what may be taken away of it, and when, as the judge sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.house import UNSEEN_S, House
from tests.simulation.law import TOOLS_ROLE, Law
from tests.simulation.votes import Votes
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.drift import Drift, DriftPass
from workflows.core.records.target import Observation, Resource
from workflows.ports import Change

# "Seen twice, 10 minutes apart", less what lies between a list and its record.
APART_S = 570.0
# What was seen for so long, and could be taken away, is.
TAKEN_AFTER_S = 1_000.0
# When people may be asked about it at the latest: ten minutes, and passes two minutes apart.
SETTLED_AFTER_S = 900.0
AT_ONCE_MAX = 5
PROMISE = "what comes from nowhere goes after two looks, or when people say so"
Wrong = Callable[[str, str], None]


@dataclass
class Stray:
    """`looks`: when a list had it, in seconds. `number`: of the request that its name says."""

    resource: Resource
    number: int
    put_s: float
    looks: list[float] = field(default_factory=list)
    asked: bool = False
    agreed: bool = False
    left: bool = False
    removing: bool = False


class Strays:
    """`of`: by holding, what is there. `hold`: the number of the question that is open, and what it is about."""

    def __init__(self, house: House, votes: Votes, wrong: Wrong) -> None:
        self._house, self._votes, self._wrong = house, votes, wrong
        self.of: dict[str, Stray] = {}
        self.hold: tuple[int, tuple[str, ...]] = (0, ())
        self.looked_s = -1e9
        self._pressed_s = self.epoch_s = -1e9
        self._taken: Counter[str] = Counter()
        house.targets.listed = self.listed

    @property
    def _now_s(self) -> float:
        return self._house.scheduler.now_s

    def put(self, resource: Resource, number: int) -> None:
        self.of[resource.holding] = Stray(resource, number, self._now_s)

    def listed(self, seen: Iterable[Observation]) -> None:
        self.looked_s = self._now_s
        for one in seen:
            stray = self.of.get(one.resource.holding) if one.resource else None
            if stray is not None:
                stray.looks.append(self._now_s)

    def fell_back(self, lost: dict[str, Resource]) -> None:
        """What only a newer ledger knows of is named as ours is; and a question may be open again that was answered."""
        for holding, resource in lost.items():
            thing = resource.ids["thing"].rpartition("-")[2]
            if thing.isdigit():
                self.of.setdefault(holding, Stray(resource, int(thing), self._now_s))
        stands = self._house.ledger._versioned(keys.DRIFT_PROGRESS).record
        if isinstance(stands, DriftPass):
            self.hold = stands.hold, stands.held
        for stray in self.of.values():
            stray.agreed = stray.left = stray.removing = False

    # ------------------------------------------------------------ what is committed

    def heard(self, event: AuditEvent, change: Change, law: Law, missed_s: dict[str, float]) -> None:
        if event.event is Event.DRIFT_HELD:
            self._held(event)
        elif event.event is Event.DRIFT_DECIDED:
            self._decided(event, change)
        elif event.event is Event.DRIFT_REMOVAL_STARTED:
            self._begins(event, law)
        elif event.event is Event.DRIFT_REMOVED or event.facts.get("proof") == "absence_read_back":
            self._over(event, missed_s)

    def _held(self, event: AuditEvent) -> None:
        found = tuple(event.facts["holdings"].split())
        self.hold = int(event.facts["hold"]), found
        # Of many the card names some, and counts the others.
        more = int(event.facts["count"]) > len(found)
        for holding, stray in self.of.items():
            stray.asked = stray.asked or more or holding in found

    def _decided(self, event: AuditEvent, change: Change) -> None:
        number, _ = self.hold
        if event.facts["decision"] == "over" or int(event.facts["hold"]) != number:
            self.hold = number, ()
            return
        who = event.private["actor"]
        if not self._votes.may_press(who):
            self._wrong("the panic group says", f"{who} decided what becomes of access that nobody knows")
        for record in change.puts.values():
            stray = self.of.get(record.id) if isinstance(record, Drift) else None
            if stray is not None:
                stray.agreed, stray.left = event.facts["decision"] == "remove", event.facts["decision"] == "leave"
        if event.facts["decision"] == "remove":
            self._pressed_s = self._now_s
        self.hold = number, ()

    def _begins(self, event: AuditEvent, law: Law) -> None:
        stray = self.of.get(event.facts["holding"])
        if stray is None:
            self._wrong("standing access is left as it was", f"{event.private['title']} is about to be taken away")
            return
        stray.removing, title = True, stray.resource.title
        if not law.revokes or law.without == TOOLS_ROLE:
            self._wrong("the policy in force decides", f"{title} is taken away, and the policy says alert")
        if stray.left:
            self._wrong(PROMISE, f"{title} is taken away, and people said that it stays")
        clock_s = self._house.clock_set_s
        if stray.looks[-1] - stray.looks[0] < APART_S and clock_s < stray.looks[0]:
            self._wrong(PROMISE, f"{title} was seen for {stray.looks[-1] - stray.looks[0]:.0f} s alone")
        if not stray.agreed:
            self._unasked(event, stray)

    def _unasked(self, event: AuditEvent, stray: Stray) -> None:
        title = stray.resource.title
        self._taken[event.subject] += 1
        if self._taken[event.subject] > AT_ONCE_MAX:
            self._wrong(PROMISE, f"{title} is taken away as number {self._taken[event.subject]} of one pass")
        if self._pressed_s < self._house.clock_set_s < self._now_s - UNSEEN_S:
            self._wrong(PROMISE, f"{title} is taken away, and the clock was set before")
        if self._pressed_s < self.epoch_s:
            self._wrong(PROMISE, f"{title} is taken away, and the ledger was an older copy of itself")
        if stray.number > self._house.ledger._ids:
            self._wrong(PROMISE, f"{title} is taken away, and its number was never given out")

    def _over(self, event: AuditEvent, missed_s: dict[str, float]) -> None:
        stray = self.of.get(event.facts["holding"])
        if stray is None:
            return
        if missed_s.get(stray.resource.holding, -1.0) < stray.put_s:
            title = stray.resource.title
            self._wrong("nothing is announced that was not verified", f"{title} is gone, and nobody saw that")
        del self.of[stray.resource.holding]

    # ------------------------------------------------------------ what is done at the target, and what is there

    def takes(self, resource: Resource) -> None:
        stray = self.of.get(resource.holding)
        if stray is not None and not stray.removing:
            self._wrong(PROMISE, f"{resource.title} is taken away, and nothing says so")

    def settled_s(self) -> float:
        """When what came last was seen for long enough, and one pass more."""
        return max((stray.put_s + SETTLED_AFTER_S for stray in self.of.values()), default=0.0)

    def overdue(self, law: Law) -> list[str]:
        """What should be gone by now. What people were asked about, and have not answered, is not among it."""
        if not law.revokes or law.without == TOOLS_ROLE or self._house.clock_was_set:
            return []
        return [
            f"{stray.resource.title} ({holding[:8]}) comes from nowhere, and is there"
            for holding, stray in self.of.items()
            if not stray.left
            and (stray.agreed or not stray.asked)
            and stray.looks
            and stray.looks[-1] - stray.looks[0] > TAKEN_AFTER_S
        ]
