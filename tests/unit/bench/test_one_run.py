"""The one run of all measurements: a row for each, whatever becomes of one of them."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import __main__ as run
from bench.figures import Broken, Row, at_most, figure

GOOD = """
from bench.alone import alone
from bench.figures import at_most, figure
alone("", lambda quick: [figure("x", "s", 1.0 if quick else 9.0, at_most(5))])
"""
Measured = Callable[..., list[Row]]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Runs a measurement with this text, as a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def measure(text: str, *, quick: bool = True, within_s: float = 60.0) -> list[Row]:
        (tmp_path / "measured_here.py").write_text(text)
        return list(run.of_its_own("this", quick=quick, module="measured_here", within_s=within_s))

    return measure


def test_a_measurement_is_asked_for_small_sizes_only_where_that_is_wanted(measured: Measured) -> None:
    assert measured(GOOD, quick=True) == [figure("x", "s", 1.0, at_most(5))]
    assert measured(GOOD, quick=False) == [figure("x", "s", 9.0, at_most(5))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise SystemExit('did not happen within 60 s: a card')", "did not happen within 60 s: a card"),
        ("raise OSError('no such port')", "OSError: no such port"),
        ("raise AssertionError('not ready\\n--- 001-web.log\\n{}')", "AssertionError: not ready"),
        ("raise SystemExit(3)", "exit code 3"),
        ("", "exit code 0"),
        (GOOD + "raise SystemExit(2)", "x"),
        ("import sys; open(sys.argv[2], 'w').write('{')", "exit code 0"),
    ],
)
def test_what_breaks_is_a_row_that_says_why(measured: Measured, text: str, why: str) -> None:
    (row,) = measured(text)
    assert isinstance(row, Broken)
    assert why in row.why
    assert run.exit_code([row]) == 1


def test_what_hangs_is_ended_and_told(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs tests in the background of a shell has them ignore Ctrl-C, and so does what they start.
    monkeypatch.setattr(run, "STOP_S", 1.0)
    assert measured("import threading\nthreading.Event().wait()", within_s=0.5) == [
        Broken("this", "it took longer than 0.5 s")
    ]


def test_a_goal_that_is_missed_is_no_failure() -> None:
    assert run.exit_code([figure("x", "s", 9, at_most(5)), figure("y", "s", 1)]) == 0


def test_what_is_not_known_is_a_failure() -> None:
    assert run.exit_code([figure("x", "s", 1, at_most(5)), figure("y", "s", math.nan)]) == 1


def test_an_unknown_name_gives_one_clear_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run._asked(["--only", "acks", "ledgr"])
    said = str(ended.value.code)
    assert said.startswith("There is no measurement called 'ledgr'. Did you mean ledger? There are: ledger, acks")
    assert "\n" not in said
    assert capsys.readouterr() == ("", "")


def test_every_measurement_that_is_named_is_there() -> None:
    assert not [name for name in run.NAMES if importlib.util.find_spec(f"bench.{name}") is None]
