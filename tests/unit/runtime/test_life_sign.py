"""A process that lives and moves shows it, one that hangs does not, and Redis plays no part in it."""

from __future__ import annotations

import errno
import fcntl
import functools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from typer.testing import CliRunner

from bot import worker
from bot.__main__ import app
from bot.queues import ACCESS_QUEUES
from bot.runtime import life_sign
from bot.runtime.life_sign import SILENT_S_MAX, LifeSign, Sign, signs, wrong_with
from tests.support.installation import free_port
from tests.support.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(life_sign, "own_folder", lambda: tmp_path / "signs")
    return tmp_path / "signs"


def test_a_process_shows_itself_until_it_is_closed(folder: Path) -> None:
    life = LifeSign("worker")
    (sign,) = signs("worker")
    assert sign.pid == os.getpid()
    assert wrong_with("worker", sign) == ""
    assert signs("clock") == []
    assert folder.stat().st_mode & 0o777 == 0o700
    life.close()
    assert signs("worker") == []


def test_what_a_killed_process_left_behind_counts_for_nothing_and_is_swept_up(folder: Path) -> None:
    code = (
        "import sys, time, pathlib; from bot.runtime.life_sign import LifeSign\n"
        "LifeSign('worker', pathlib.Path(sys.argv[1])); print('shown', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [sign.pid for sign in signs("worker")] == [process.pid]
        process.kill()
    assert signs("worker") == []
    assert len(list(folder.iterdir())) == 1
    LifeSign("worker").close()
    assert not folder.exists()


def test_nothing_is_swept_up_or_written_behind_a_link(folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "sources"
    theirs.mkdir()
    (theirs / "worker.py").write_text("code")
    folder.symlink_to(theirs)
    LifeSign("worker").close()
    assert [path.name for path in theirs.iterdir()] == ["worker.py"]
    assert signs("worker") == []
    assert CliRunner().invoke(app, ["health", "worker"]).exit_code == 1


def forged(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700)
    file = folder / "worker.7.x"
    file.write_text(json.dumps({"pid": 7, "at_s": life_sign.monotonic_s(), "stuck": "", "address": None}))
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def test_a_sign_counts_only_where_nobody_else_can_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in forged(folder):
        assert [sign.pid for sign in signs("worker")] == [7]
        folder.chmod(0o770)
        assert signs("worker") == []
        folder.chmod(0o700)
        monkeypatch.setattr(life_sign.os, "getuid", lambda: folder.stat().st_uid + 1)
        assert signs("worker") == []
        said = CliRunner().invoke(app, ["health", "worker"])
        assert (said.exit_code, "It belongs to somebody else" in said.output) == (1, True)


def test_a_full_disk_is_no_reason_to_start_a_process_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(life_sign.os, "pwrite", full)
    life = LifeSign("web")
    assert [(sign.pid, sign.is_empty) for sign in signs("web")] == [(os.getpid(), True)]
    said = CliRunner().invoke(app, ["health", "web"])
    assert (said.exit_code, "its sign is empty, as on a full disk" in said.output) == (0, True)
    life.close()
    assert signs("web") == []


def test_one_that_is_silent_or_stuck_is_told_apart() -> None:
    now_s = life_sign.monotonic_s()
    assert "process 7 has not moved for" in wrong_with("clock", Sign(7, now_s - SILENT_S_MAX - 5))
    assert wrong_with("worker", Sign(7, now_s, "its thread access-1 has been at one thing for 301 seconds")) == (
        "The worker process 7 hangs: its thread access-1 has been at one thing for 301 seconds."
    )
    assert wrong_with("worker", Sign(7, now_s)) == ""


def test_what_is_stuck_is_shown_and_systemd_hears_nothing_of_it_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life_sign, "SHOW_EVERY_S", 0.01)
    heard: list[str] = []
    life = LifeSign("worker", notify=lambda: heard.append("moves"))
    assert heard
    life.stuck = lambda: "a thread has been at one thing for 999 seconds"
    eventually(lambda: signs("worker")[0].stuck)
    so_far = len(heard)
    at_s = signs("worker")[0].at_s
    eventually(lambda: signs("worker")[0].at_s > at_s)
    life.close()
    assert len(heard) == so_far


def test_systemd_is_told_where_it_asks_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        life_sign.watchdog()()
        assert systemd.recv(64) == b"WATCHDOG=1"
        monkeypatch.setenv("WATCHDOG_PID", "1")
        life_sign.watchdog()()
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(64)


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "signs").write_text("a file")
    LifeSign("worker", tmp_path / "signs").close()
    assert signs("worker", tmp_path / "signs") == []


@pytest.fixture(params=[200])
def answers(request: pytest.FixtureRequest) -> Iterator[HTTPServer]:
    healthz: int = request.param

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(healthz if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    Answers.protocol_version = "HTTP/1.1"
    with HTTPServer(("0.0.0.0", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_web_is_asked_where_it_listens(answers: HTTPServer) -> None:
    now_s = life_sign.monotonic_s()
    assert wrong_with("web", Sign(7, now_s, address=("0.0.0.0", answers.server_port))) == ""
    assert "does not listen yet" in wrong_with("web", Sign(7, now_s))
    nobody = free_port()
    assert wrong_with("web", Sign(7, now_s, address=("127.0.0.1", nobody))) == (
        f"The web process 7 does not answer on port {nobody}: Connection refused."
    )


@pytest.mark.parametrize("answers", [503], indirect=True)
def test_web_that_answers_and_not_as_it_should_is_told(answers: HTTPServer) -> None:
    port = answers.server_port
    assert wrong_with("web", Sign(7, life_sign.monotonic_s(), address=("127.0.0.1", port))) == (
        f"The web process 7 does not answer /healthz on port {port} as it should."
    )


def test_the_command_says_it_in_a_sentence_and_by_its_exit_code(folder: Path) -> None:
    run = functools.partial(CliRunner().invoke, app)
    none = run(["health", "worker"])
    assert none.exit_code == 1
    assert none.stderr == f"No worker process of this user runs here: none shows itself in {folder}.\n"
    assert run(["health", "wroker"]).exit_code == 2
    life = LifeSign("worker")
    assert run(["health", "worker"]).stdout == f"The worker process {os.getpid()} lives and moves.\n"
    assert run(["health", "worker", "clock"]).exit_code == 1
    life.close()


def test_a_worker_whose_redis_is_away_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSE_S_MIN", 0.01)
    stop = threading.Event()
    crew = worker.Crew(Redis(port=free_port(), retry=Retry(NoBackoff(), 0)), stop)
    crew.start("access", ACCESS_QUEUES, 1)
    started_s = worker.monotonic_s()
    eventually(lambda: crew.moved_at_s().get("access-0", started_s) > started_s)
    assert crew.stuck() == ""
    stop.set()
    monkeypatch.setattr(worker, "monotonic_s", lambda: started_s + worker.STUCK_S + 90)
    assert "its thread access-0 has been at one thing for 3" in crew.stuck()
