"""One day on one seed: a morning on which everybody is known, some minutes on which people act and things fail, a calm evening.

Day(seed).live() -> Told
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from tests.simulation import people, weather
from tests.simulation.dice import Dice
from tests.simulation.ending import Ending
from tests.simulation.fallback import FallBack
from tests.simulation.house import House
from tests.simulation.judge import Judge
from tests.simulation.people import Act, People
from tests.simulation.processes import Crew
from tests.simulation.scheduler import Process
from tests.simulation.story import Story
from tests.simulation.town import PEOPLE
from tests.simulation.weather import Trouble
from tests.support.world import account
from workflows.ports import Durability
from workflows.targets.aws.kinds import AwsKind
from workflows.usecases.drift.ledger_side import MARK_LENGTH
from workflows.usecases.drift.standing import ask_for_pass
from workflows.usecases.oversight.policy_activation import activate
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.installation import installation

DAY_S = 420.0
ACTS = (30, 45, 60)
MORNING_S = 1.0


@dataclass
class Told:
    """What came of one day. `broken`: the first promise that was broken, in words; empty: none was."""

    seed: int
    acts: tuple[Act, ...]
    broken: str = ""
    story: str = ""
    digest: str = ""
    lives: int = 0
    given: int = 0
    steps: int = 0
    late_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)


class BrokenPromise(Exception):
    """The day is over: a promise was broken."""


class Day:
    """`only`: the numbers of the acts that are played; None: all of them."""

    def __init__(self, seed: int, only: frozenset[int] | None = None) -> None:
        dice = Dice(seed)
        self.seed = seed
        drawn = people.draw(dice.apart("people"), dice.pick(ACTS), DAY_S)
        self.acts = tuple(act for act in drawn if only is None or act.number in only)
        self.story = Story()
        self.house = House(seed, weather.draw(dice.apart("weather"), DAY_S), dice.apart("house"), self.story)
        self.crew = Crew(self.house)
        self.judge = Judge(self.house)
        self.worst = FallBack(self.house, self.crew, self.judge, dice.apart("worst"))
        self.people = People(self.house, self.crew, self.judge, dice.apart("acting"))

    def live(self) -> Told:
        with quiet():
            try:
                self._morning()
                self._day()
                Ending(self.house, self.judge, self.people, self._until).calm()
            except BrokenPromise:
                pass
            finally:
                self.house.scheduler.end()
        return self._told()

    def _until(self, until_s: float) -> None:
        self.house.scheduler.run_until(until_s, self._look)
        self._look()

    def _look(self) -> None:
        self.judge.look()
        if self.judge.broken:
            raise BrokenPromise

    # ------------------------------------------------------------ its parts

    def _morning(self) -> None:
        """Everybody has used it before, and a policy is in force."""
        house = self.house
        house.weather.bad = False
        nobody = Process("installer", "worker", "one")
        parts = house.parts(nobody)

        def install() -> None:
            policy = parts.policy.current()
            activate(parts.context, policy, summary=lambda _: {}, difference=lambda *_: (), next_slot=_no_slot)
            for who in PEOPLE:
                whose(parts.context, policy, house.town.refresh_person(account(who), policy))
            house.town.refresh_groups(policy, tuple(policy.groups))
            house.targets[AwsKind.IAM_POLICY].mark = installation(parts.context).id[:MARK_LENGTH]
            if house.compares:
                ask_for_pass(parts.context)

        house.scheduler.spawn(nobody, "install", install)
        self._until(MORNING_S)
        self.crew.start_all()
        self._until(MORNING_S + 4)
        house.weather.bad = True

    def _day(self) -> None:
        self.people.plan(self.acts)
        if self.house.falls_back:
            self.worst.plan()
        outside = Process("the world", "world", "elsewhere")
        for trouble in self.house.weather.troubles:
            self.house.scheduler.spawn(
                outside, trouble.what, lambda it=trouble: self._happens(it), after_s=trouble.at_s
            )
        self._until(MORNING_S + 4 + DAY_S + 30)
        self.house.weather.bad = False

    def _happens(self, trouble: Trouble) -> None:
        house = self.house
        house.trouble(trouble.lasts_s)
        house.story.fault(
            trouble.what, f"{trouble.what}, for {trouble.lasts_s:g} s" if trouble.lasts_s else trouble.what
        )
        begin, end = self._trouble(trouble)
        begin()
        house.scheduler.pause(trouble.lasts_s)
        end()
        if trouble.lasts_s:
            house.story.tell(f"no more: {trouble.what}")

    def _trouble(self, trouble: Trouble) -> tuple[Any, Any]:
        house, away = self.house, self.house.ways.away

        def gone(*ports: str) -> tuple[Any, Any]:
            return (
                lambda: away.update({port: f"the {port} does not answer (simulated)" for port in ports}),
                lambda: [away.pop(port, None) for port in ports],
            )

        def dead(*kinds: str) -> tuple[Any, Any]:
            return lambda: [house.died(one) for one in list(house.living) if one.kind in kinds], lambda: None

        return {
            "Redis is away": lambda: gone("ledger", "queue"),
            "Redis is full": lambda: (
                lambda: setattr(house.ledger, "full", True),
                lambda: setattr(house.ledger, "full", False),
            ),
            "Redis may forget": lambda: (
                lambda: setattr(house.ledger, "is_durable", Durability(False, "verify", "appendonly is off")),
                lambda: setattr(house.ledger, "is_durable", Durability(True, "verify")),
            ),
            "the chat is away": lambda: gone("chat", "directory"),
            "the target is away": lambda: gone("target"),
            "the target throttles": lambda: (
                lambda: setattr(house.targets, "throttles", True),
                lambda: setattr(house.targets, "throttles", False),
            ),
            "reads at the target are behind": lambda: (lambda: self._behind(8.0), lambda: self._behind(0.0)),
            "all workers die": lambda: dead("worker"),
            "all clocks die": lambda: dead("clock"),
            "everything dies": lambda: dead("web", "worker", "clock"),
            "Redis's clock is set": lambda: (lambda: house.set_clock(trouble.by_s), lambda: None),
        }[trouble.what]()

    def _behind(self, seconds: float) -> None:
        """Standing access that reads do not show cannot be known; that is a fault of the day, and not of the bot."""
        if not seconds or not self.judge.standing:
            for target in self.house.targets:
                target.stale_s = seconds

    def _told(self) -> Told:
        judge = self.judge
        given = sum(1 for grant in judge.grants.values() if grant.activated_at is not None)
        return Told(
            self.seed,
            self.acts,
            judge.broken[0] if judge.broken else "",
            self.story.text(),
            self.story.digest,
            len(judge.requests),
            given,
            self.house.scheduler.steps,
            judge.late_s,
            self.story.count,
        )


def _no_slot(*_: object) -> Any:
    raise AssertionError("no digest is planned")


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged, and nothing is collected in the middle of a step."""
    before, collects = structlog.get_config(), gc.isenabled()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50),
        processors=[_drop],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
        if collects:
            gc.enable()


def _drop(*_: object) -> Any:
    raise structlog.DropEvent
