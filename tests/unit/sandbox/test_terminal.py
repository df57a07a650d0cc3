"""`prodaccess sandbox env`: which sandbox another terminal speaks of, and what is left by those that died."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from bot.sandbox.installation import terminal

GIVEN = {"REDIS_URL": "redis://:it's@127.0.0.1:1/0"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return terminal.runtime_folder()


def left_by_a_dead_one(folder: Path, mode: int = 0o600) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "sandbox-1.json"
    path.write_text(json.dumps({"REDIS_URL": "redis://gone"}))
    path.chmod(mode)
    return path


def test_what_a_running_sandbox_says_is_for_its_user_alone_and_goes_with_it(folder: Path) -> None:
    with terminal.announced(GIVEN):
        (file,) = folder.iterdir()
        assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
        assert terminal.running() == GIVEN
    assert not folder.exists()
    assert terminal.running() is None


def test_what_is_printed_can_be_evaluated_by_a_shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.announced(GIVEN):
        assert terminal.main() == 0
    assert shlex.split(capsys.readouterr().out) == ["export", f"REDIS_URL={GIVEN['REDIS_URL']}"]


@pytest.mark.usefixtures("folder")
def test_where_none_runs_one_sentence_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main() == terminal.NONE_RUNS
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "prodaccess sandbox" in said.err


def test_the_file_of_a_dead_one_is_not_believed_whoever_has_its_number_now(folder: Path) -> None:
    left = left_by_a_dead_one(folder)  # process 1 runs on every machine
    assert terminal.running() is None
    assert not left.exists()


def test_files_that_others_may_read_are_nobodys(folder: Path) -> None:
    left_by_a_dead_one(folder, 0o644)
    assert terminal.running() is None
    folder.chmod(0o755)
    with terminal.announced(GIVEN):
        assert terminal.running() is None
