"""A process that is forked from the warm parent is the one that `python -m bot` starts, to its end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import warm
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.skipif(not warm.CAN_FORK, reason="forks are for Linux")
BAD = {"PORT": "x"}


def test_it_says_and_answers_what_the_command_does(tmp_path: Path) -> None:
    by_itself, forked = tmp_path / "by-itself.log", tmp_path / "forked.log"
    code = warm.started(["worker"], {**BAD, "PATH": os.defpath}, by_itself).wait(PATIENCE_S)
    assert warm.forked(["worker"], BAD, forked).wait(PATIENCE_S) == code == 2
    assert forked.read_text() == by_itself.read_text() != ""


def test_it_ends_by_itself_when_it_is_asked_to(tmp_path: Path) -> None:
    log = tmp_path / "clock.log"
    given = {"REDIS_URL": "redis://127.0.0.1:1/0", "PRODACCESS_CONFIG": str(warm.ROOT / "config"), "LOG_LEVEL": "info"}
    process = warm.forked(["clock"], given, log, tmp_path)
    eventually(log.read_text, "it says that it waits for Redis")
    assert os.getsid(process.pid) == process.pid
    assert os.readlink(f"/proc/{process.pid}/cwd") == str(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0, log.read_text()
