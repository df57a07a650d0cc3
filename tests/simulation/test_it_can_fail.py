"""The judge finds each promise that is broken by hand. All but one of them are looked for by `make soak`."""

from __future__ import annotations

import pytest

from tests.simulation.breaks import BREAKS
from tests.simulation.day import Told
from tests.simulation.shrink import live, shrink

DAYS_MAX = 150


def found(name: str, days: int) -> Told:
    broken = BREAKS[name]
    for seed in range(1, days + 1):
        with broken.does():
            told = live(seed)
        if told.broken:
            return told
    raise AssertionError(f"{name}: nothing was found on {days} days")


def test_an_end_that_nobody_stored_is_found_at_once() -> None:
    told = found("no_stored_end", 3)
    assert told.broken.startswith(BREAKS["no_stored_end"].found_as)


@pytest.mark.soak
def test_a_story_that_goes_wrong_is_told_with_as_little_as_it_takes() -> None:
    told = found("no_stored_end", 3)
    with BREAKS["no_stored_end"].does():
        short = shrink(told)
        again = live(told.seed, frozenset(act.number for act in short.acts))
    assert len(short.acts) <= 2
    assert again.digest == short.digest, "a story is told again to the letter"


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(BREAKS))
def test_a_broken_promise_is_found(name: str) -> None:
    told = found(name, DAYS_MAX)
    assert told.broken.partition(":")[0] in BREAKS[name].found_as, told.broken
