"""Days on seeds 7, 8, 9 ... until so many lives were lived, and a table of what went wrong on them.

    python -m tests.simulation --seed 7 --lives 500

A day on which a promise is broken is told with as little of it as it takes, and ends the run with exit code 1. `--only 3,8,12`
plays these acts of one day alone: that is how such a story is told again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.day import Told
from tests.simulation.shrink import live, shrink


@dataclass
class Sum:
    days: int = 0
    lives: int = 0
    given: int = 0
    steps: int = 0
    late_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[Told] = field(default_factory=list)

    def add(self, told: Told) -> None:
        self.days += 1
        self.lives += told.lives
        self.given += told.given
        self.steps += told.steps
        self.late_s = max(self.late_s, told.late_s)
        self.faults += told.faults
        if told.broken:
            self.broken.append(told)

    def table(self, took_s: float) -> str:
        lines = [
            ("days", self.days),
            ("lives", self.lives),
            ("of them given", self.given),
            ("steps", self.steps),
            ("faults", sum(self.faults.values())),
            *((f"  {kind}", times) for kind, times in sorted(self.faults.items())),
            ("an end after the last fault, at most", f"{self.late_s:.1f} s"),
            ("promises broken", len(self.broken)),
            ("time", f"{took_s:.0f} s"),
        ]
        return "\n".join(f"{name:<40}{value:>12}" for name, value in lines)


def run(seed: int, lives: int) -> Sum:
    """Until so many lives were lived, or a promise was broken."""
    found = Sum()
    while found.lives < lives and not found.broken:
        found.add(live(seed + found.days))
    return found


def story(told: Told) -> str:
    numbers = ",".join(str(act.number) for act in told.acts)
    again = f"python -m tests.simulation --seed {told.seed} --only {numbers or 'none'}"
    return f"{told.story}\n\nBroken on seed {told.seed}: {told.broken}\nTell it again: {again}"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first day")
    parser.add_argument("--lives", type=int, default=500, help="how many lives at least")
    parser.add_argument("--only", help="the numbers of the acts to play, of one day alone")
    parser.add_argument("--story", action="store_true", help="tell the day of the seed, whatever comes of it")
    given = parser.parse_args(arguments)
    if given.only is not None or given.story:
        only = frozenset(int(number) for number in given.only.split(",") if number.isdigit()) if given.only else None
        told = live(given.seed, only)
        say(story(told) if told.broken else f"{told.story}\n\nNo promise was broken on seed {told.seed}.")
        return 1 if told.broken else 0
    began_s = time.monotonic()
    found = run(given.seed, given.lives)
    for told in found.broken:
        say(story(shrink(told)) + "\n")
    say(found.table(time.monotonic() - began_s))
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
