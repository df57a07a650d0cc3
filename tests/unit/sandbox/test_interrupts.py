"""Ctrl-C always gets out, also where it comes while Python would lose what is raised."""

from __future__ import annotations

import signal
import sys

import pytest

from bot.sandbox.installation.interrupts import Interrupts


class _Interrupted:
    """Interrupted while it is destroyed: what a destructor raises is printed by Python, and the program goes on."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def _lost_then_waiting() -> None:
    victim = _Interrupted()
    del victim
    signal.pause()  # as long as it takes: only the interruption ends it


def test_an_interruption_inside_a_destructor_is_raised_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with Interrupts(), pytest.raises(KeyboardInterrupt):
        _lost_then_waiting()
    assert not capsys.readouterr().err


def test_it_is_raised_at_once_where_it_can_be_and_afterwards_signals_are_as_before() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    hook = sys.unraisablehook
    with Interrupts(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == handlers
    assert sys.unraisablehook is hook


def test_what_others_lose_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError("of somebody else")

    told: list[object] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda lost: told.append(lost.exc_type)
    try:
        with Interrupts():
            failing = Failing()
            del failing
    finally:
        sys.unraisablehook = before
    assert told == [ValueError]
