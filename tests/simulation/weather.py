"""What goes wrong on one day, and how often: drawn once, so that each day is bad in its own way.

A day on which everything fails finds less than many days on which some things do (Groce and others: Swarm testing, 2012).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.dice import Dice

# What can happen at one call of a port. Out of 100,000 calls: seldom, now and then, often.
RATES = (15, 60, 250)
DIES_BEFORE, DIES_AFTER = "dies before", "dies after"
STOPS_BEFORE, STOPS_AFTER = "is stopped before", "is stopped after"
LATE, NO_ANSWER, NEVER_SENT, TWICE = "is late with", "gets no answer to", "does not get through with", "says twice"
EVERYWHERE = (DIES_BEFORE, DIES_AFTER, STOPS_BEFORE, STOPS_AFTER, LATE, NO_ANSWER, NEVER_SENT, TWICE)
# Only targets: they refuse, want to be left alone, take their time, and do things after nobody listens any more.
REFUSED, THROTTLED, SETTLES, FAILS_LATER, ACTS_LATE = (
    "is refused",
    "is throttled",
    "settles",
    "fails later",
    "acts late",
)
AT_TARGETS = (REFUSED, THROTTLED, SETTLES, FAILS_LATER, ACTS_LATE)
# A target is called a hundred times less often than the ledger.
TARGET_RATES = (500, 2_500, 10_000)
# Of the queue: a wake-up is lost, comes twice, overtakes others.
LOST, DOUBLED, OVERTAKES = "is lost", "comes twice", "overtakes"
AT_QUEUE = (LOST, DOUBLED, OVERTAKES)
QUEUE_RATES = (2_000, 8_000, 30_000)

TROUBLES = (
    "Redis is away",
    "Redis is full",
    "Redis may forget",
    "the chat is away",
    "the target is away",
    "the target throttles",
    "reads at the target are behind",
    "all workers die",
    "all clocks die",
    "everything dies",
    "Redis's clock is set",
)


@dataclass(frozen=True)
class Trouble:
    at_s: float
    what: str
    lasts_s: float
    # By how much a clock is set.
    by_s: float = 0.0


@dataclass
class Weather:
    """`rates`: out of 100,000 calls. `sky`: False: nothing goes wrong any more."""

    rates: dict[str, int] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    bad: bool = True

    def at(self, dice: Dice, *kinds: str) -> str:
        """What happens at this call; nothing, most of the time."""
        if not self.bad:
            return ""
        throw = dice.below(100_000)
        for kind in kinds:
            throw -= self.rates.get(kind, 0)
            if throw < 0:
                return kind
        return ""


def draw(dice: Dice, day_s: float) -> Weather:
    weather = Weather()
    for kinds, rates in ((EVERYWHERE, RATES), (AT_TARGETS, TARGET_RATES), (AT_QUEUE, QUEUE_RATES)):
        for kind in kinds:
            if dice.chance(550):
                weather.rates[kind] = dice.pick(rates)
    count = dice.below(5)
    weather.troubles = tuple(sorted((_trouble(dice, day_s) for _ in range(count)), key=lambda one: one.at_s))
    return weather


def _trouble(dice: Dice, day_s: float) -> Trouble:
    what, lasts_s = dice.pick(TROUBLES), dice.pick((2.0, 20.0, 70.0, 200.0))
    by_s = dice.pick((-3600.0, -600.0, -30.0, -7.0, 7.0, 600.0, 3600.0))
    at_s = dice.between(20.0, day_s - lasts_s - 20.0)
    return Trouble(at_s, what, 0.0 if what == "Redis's clock is set" else lasts_s, by_s)
