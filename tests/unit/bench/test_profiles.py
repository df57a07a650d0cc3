"""Where processor time goes: each sample counts once, for what our code was doing, and too few samples say nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import bench.__main__ as run
from bench.figures import at_most, figure
from bench.profiles import NoSampler, Profile, from_json, profile_of, sampled
from tests.support.waiting import eventually

STACKS = (
    "run (threading.py:982);_work_on (bot/worker.py:211);execute_command (redis/client.py:867);recv (socket.py:1) 60",
    "run (threading.py:982);_work_on (bot/worker.py:211);take (bot/jobs.py:9);call (botocore/client.py:3);get (redis/x.py:2) 30",
    "run (threading.py:982);_work_on (bot/worker.py:9);load (workflows/ledger/codec.py:8);loads (json/decoder.py:337) 9",
    "run (threading.py:982) 1",
)


def test_a_sample_counts_for_the_library_that_our_code_called_or_for_our_part_of_the_program() -> None:
    found = profile_of("ends", "the worker", STACKS)
    assert found.samples == 100
    assert list(found.parts) == [("redis", 0.6), ("botocore", 0.3), ("workflows/ledger", 0.09), ("Python", 0.01)]
    assert found.functions[0] == ("_work_on (bot/worker.py)", 0.6)
    assert sum(share for _, share in found.functions) == pytest.approx(0.99)


def test_a_few_samples_are_no_profile_and_what_is_no_stack_is_left_out() -> None:
    found = profile_of("ends", "the worker", ["main (bot/x.py:1) 49", "py-spy> Stopped sampling", ""])
    assert found.problem == "49 samples are too few to say anything"
    assert found.words() == "ends: no profile: 49 samples are too few to say anything"


def test_it_comes_back_from_json_as_it_went() -> None:
    found = profile_of("ends", "the worker", STACKS)
    assert from_json(found.json()).words() == found.words()


def test_who_may_not_look_says_so() -> None:
    with sampled(0) as stacks, pytest.raises(NoSampler) as problem:
        stacks()
    assert str(problem.value)


def test_only_what_missed_its_goal_is_looked_into_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_profile", lambda name: Profile(name, "", problem="asked"))
    rows = [
        figure("missed", "s", 2, at_most(1), profile="ends"),
        figure("missed as well", "s", 2, at_most(1), profile="ends"),
        figure("reached", "s", 1, at_most(1), profile="report"),
        figure("missed, and nobody can tell", "s", 2, at_most(1)),
    ]
    assert [one.name for one in run.profiles_of(rows)] == ["ends"]


def test_what_a_process_works_at_is_seen() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "def spin():\n while True: pass\nspin()"])
    try:
        with sampled(busy.pid) as stacks:
            eventually(lambda: _ticks(busy.pid) > 50)
            try:
                found = stacks()
            except NoSampler as problem:
                # Where processes may not be looked at, the table says so.
                assert "ermi" in str(problem), problem  # noqa: PT017  # both are right
                return
        assert any("spin" in line for line in found)
    finally:
        busy.kill()
        busy.wait()


def _ticks(pid: int) -> int:
    """Of processor time so far, a hundredth of a second each."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
