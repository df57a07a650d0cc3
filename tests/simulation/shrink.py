"""A story that goes wrong, told with as little of what people did as it takes (Zeller and Hildebrandt: Simplifying and isolating
failure-inducing input, 2002).
"""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.day import Day, Told

Live = Callable[[int, frozenset[int] | None], Told]


def live(seed: int, only: frozenset[int] | None = None) -> Told:
    return Day(seed, only).live()


def shrink(told: Told, again: Live = live, tries: int = 120) -> Told:
    """The same day without the acts that do not matter: the shortest found that breaks the same promise."""
    best, promise = told, _promise(told)
    size = max(1, len(told.acts) // 2)
    while tries > 0:
        shorter = None
        for start in range(0, len(best.acts), size):
            left = frozenset(act.number for act in (*best.acts[:start], *best.acts[start + size :]))
            found = again(told.seed, left)
            tries -= 1
            if found.broken and _promise(found) == promise:
                shorter = found
                break
            if tries <= 0:
                break
        if shorter is not None:
            best = shorter
        elif size == 1:
            return best
        else:
            size = max(1, size // 2)
    return best


def _promise(told: Told) -> str:
    return told.broken.partition(":")[0]
