"""A few days on fixed seeds; thousands of lives are lived by `make soak`, and by hand: `python -m tests.simulation`."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.simulation.__main__ import story
from tests.simulation.shrink import live, shrink

ROOT = Path(__file__).parents[2]
TELL = "from tests.simulation.shrink import live; print(live({}).digest)"


DAYS = (22, 5)
lived = cache(live)


@pytest.mark.parametrize("seed", DAYS)
def test_no_promise_is_broken_on_this_day(seed: int) -> None:
    told = lived(seed)
    assert not told.broken, story(shrink(told))
    assert told.given, "a day on which nobody was given anything says little"
    assert told.faults, "a day on which nothing goes wrong says little"


def test_a_day_is_the_same_whenever_it_is_told_and_however_python_hashes() -> None:
    """Nothing in it hangs on the order of a set, on the time, or on a thread."""
    # This process hashes in its own way.
    command = [sys.executable, "-c", TELL.format(DAYS[0])]
    env = {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert again.stdout.strip() == lived(DAYS[0]).digest
