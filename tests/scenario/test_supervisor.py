"""`prodaccess up`: what dies comes back, and nothing stays behind. The programs are tiny stand-ins."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.runtime.embedded_redis import EmbeddedValkey
from bot.runtime.supervisor import Backoff
from bot.runtime.up import programs, up
from tests.support.waiting import PATIENCE_S, eventually

ROOT = Path(__file__).resolve().parents[2]

# A program that says who it is, and ends when asked, or at once, or never.
ASKED = "import signal, time; term = {signal.SIGTERM}; signal.pthread_sigmask(signal.SIG_BLOCK, term); "
GOOD = ASKED + "print('hello xoxb-' + '12-34', flush=True); signal.sigwait(term); print('bye')"
LATE = ASKED + "print('on', flush=True); signal.sigwait(term); time.sleep(0.3); print('off')"
FAILING = "import sys; print('no', file=sys.stderr); sys.exit(3)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
# Its own child keeps the output open after its parent was killed.
PARENT = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('child', c.pid, flush=True); time.sleep(600)"
)

OWNER = """
import sys
from pathlib import Path
from bot.runtime.supervisor import Backoff, Program, Supervisor
{setup}
programs = [Program(name, (sys.executable, "-c", code), {{}}) for name, code in {table!r}]
code = Supervisor(programs, stop_s_max=1.0, backoff=Backoff(first_s=0.1, max_s=0.4), **extra).run()
{end}
sys.exit(code)
"""
VALKEY = """
from bot.runtime.embedded_redis import EmbeddedValkey
server = EmbeddedValkey(Path({folder!r})); server.start(); extra = {{"service": server}}
"""

UNREAD = "import os; read, write = os.pipe(); os.close(read); extra = {'output': os.fdopen(write, 'w')}"
PATIENT = """
import bot.runtime.supervisor
extra, own = {}, bot.runtime.supervisor.Supervisor
Supervisor = lambda programs, **rest: own(programs, **{**rest, "stop_s_max": 60.0})
"""
# A thread that only waits, and the main thread, to which a signal does not go: as where that one has another one in hand.
ELSEWHERE = """
import signal, threading
extra = {}
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
"""


class Running:
    """A supervisor in a process of its own, and what it has printed."""

    def __init__(self, code: str, log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT
            )

    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, *words: str, times: int = 1) -> str:
        """The last line with all the words, once there are so many of them."""
        return eventually(lambda: len(self.lines(*words)) >= times and self.lines(*words)[-1], self.text)

    def lines(self, *words: str) -> list[str]:
        return [line for line in self.text().splitlines() if all(word in line for word in words)]

    def pid_of(self, name: str, *, times: int = 1) -> int:
        return int(self.wait_for(f"| {name} started", times=times).rpartition("pid ")[2].rstrip(")"))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=PATIENCE_S)


def gone(pid: int) -> bool:
    """Whether the process is no more; a zombie that nobody has collected is no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*table: tuple[str, str], setup: str = "extra = {}", end: str = "") -> Running:
        code = textwrap.dedent(OWNER).format(table=list(table), setup=setup, end=end)
        running.append(Running(code, tmp_path / f"log{len(running)}"))
        return running[-1]

    yield begin
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_and_that_is_success(start: Any, how: signal.Signals) -> None:
    running = start(("web", GOOD), ("clock", GOOD))
    pids = [running.pid_of("web"), running.pid_of("clock")]
    running.wait_for("web", "hello")
    running.wait_for("clock", "hello")
    assert running.stop(how) == 0
    assert all(map(gone, pids))
    assert running.lines("up ", f"{how.name} received, stopping")
    assert len(running.lines("| bye")) == 2
    assert "all stopped" in running.text().splitlines()[-1]


def test_a_signal_that_another_thread_takes_is_not_lost(start: Any) -> None:
    """Which thread takes it is the kernel's to say: one that has just started a process, say, while the main thread waits."""
    running = start(("worker", STUBBORN), setup=ELSEWHERE + PATIENT)
    running.wait_for("deaf")
    running.process.send_signal(signal.SIGTERM)
    running.wait_for("SIGTERM received, stopping")
    assert running.stop(signal.SIGINT) == 0


def test_a_killed_process_is_back(start: Any) -> None:
    running = start(("web", GOOD), ("worker", GOOD))
    web, first = running.pid_of("web"), running.pid_of("worker")
    os.kill(first, signal.SIGKILL)
    second = running.pid_of("worker", times=2)
    assert second != first
    running.wait_for("up ", "worker was ended by SIGKILL; starting again in 0.1 s")
    assert not gone(web)
    assert len(running.lines("| web started")) == 1
    assert running.stop() == 0


def test_a_process_that_fails_again_and_again_is_tried_more_slowly(start: Any) -> None:
    running = start(("worker", FAILING), ("web", GOOD))
    running.wait_for("worker ended with exit code 3; starting again in 0.4 s", times=2)
    pauses = [line.split()[-2] for line in running.lines("starting again")]
    assert pauses[:4] == ["0.1", "0.2", "0.4", "0.4"]
    assert running.lines("worker ", "| no")
    assert running.stop() == 0


def test_pauses_have_an_end() -> None:
    backoff = Backoff()
    assert [backoff.next_s(failures) for failures in (1, 2, 3, 7, 10_000)] == [0.2, 0.4, 0.8, 10.0, 10.0]


def test_a_process_that_does_not_listen_is_killed(start: Any) -> None:
    running = start(("worker", STUBBORN))
    pid = running.pid_of("worker")
    running.wait_for("deaf")
    assert running.stop() == 0
    assert gone(pid)


def test_a_second_ctrl_c_does_not_wait(start: Any) -> None:
    running = start(("worker", STUBBORN), setup=PATIENT)
    running.wait_for("deaf")
    running.process.send_signal(signal.SIGINT)
    running.wait_for("stopping")
    assert running.stop(signal.SIGINT) == 0


def test_grandchildren_go_with_their_parent(start: Any) -> None:
    running = start(("worker", PARENT))
    child = int(running.wait_for("child").split()[-1])
    os.kill(running.pid_of("worker"), signal.SIGKILL)
    running.wait_for("child", times=2)
    eventually(lambda: gone(child))
    other = int(running.wait_for("child", times=2).split()[-1])
    assert running.stop(signal.SIGTERM) == 0
    eventually(lambda: gone(other))


def test_no_process_survives_a_killed_supervisor(start: Any) -> None:
    running = start(("web", GOOD), ("worker", STUBBORN))
    pids = [running.pid_of("web"), running.pid_of("worker")]
    running.wait_for("deaf")
    running.process.kill()
    running.process.wait()
    for pid in pids:
        eventually(lambda pid=pid: gone(pid))


def test_no_secret_is_printed(start: Any) -> None:
    running = start(("web", GOOD))
    running.wait_for("web", "| hello [hidden]")
    assert running.stop() == 0
    assert "12-34" not in running.text()


def test_nobody_reading_is_no_reason_to_end(start: Any, tmp_path: Path) -> None:
    told = tmp_path / "told"
    talkative = f"[print(n, flush=True) for n in range(100)]; open({str(told)!r}, 'w').close(); {GOOD}"
    running = start(("web", talkative), setup=UNREAD)
    eventually(told.exists)
    assert running.stop() == 0


def test_a_server_that_dies_is_started_again_on_the_same_address(start: Any, tmp_path: Path) -> None:
    address = tmp_path / "address"
    setup = VALKEY.format(folder=str(tmp_path / "data"))
    setup += f"import json; Path({str(address)!r}).write_text(json.dumps([server.url, server.pid]))"
    running = start(("web", GOOD), setup=setup)
    running.wait_for("hello")
    _, pid = json.loads(address.read_text())
    os.kill(pid, signal.SIGKILL)
    line = running.wait_for("up ", "the server had ended; it runs again")
    second = int(line.rpartition("pid ")[2].rstrip(")"))
    assert second != pid
    assert running.stop() == 0
    eventually(lambda: gone(second))
    with EmbeddedValkey(tmp_path / "data"):  # the folder is free again
        pass


def test_the_server_is_stopped_last(start: Any, tmp_path: Path) -> None:
    setup = VALKEY.format(folder=str(tmp_path / "data"))
    setup += "stop = server.stop\ndef say():\n    print('server stops', flush=True); stop()\nserver.stop = say"
    running = start(("worker", LATE), setup=setup)
    running.wait_for("| on")
    assert running.stop() == 0
    assert running.text().index("| off") < running.text().index("server stops")


# --- what is run


ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-" + "1" * 9,
    "SLACK_APP_TOKEN": "xapp-" + "1" * 9,
    "REDIS_URL": "redis://:hunter2hunter2@127.0.0.1:1/0",
    "AWS_SECRET_ACCESS_KEY": "a secret key",
    "PRODACCESS_AUDIT_KEY_FILE": "/etc/prodaccess/audit-key.pem",
    "AWS_PROFILE": "prod",
    "AWS_REGION": "eu-west-1",
}


def test_only_workers_are_given_cloud_credentials_and_the_key_of_the_audit_log() -> None:
    table = {each.name: each for each in programs(ENVIRON, workers=2)}
    assert list(table) == ["web", "worker.1", "worker.2", "clock"]
    for name, program in table.items():
        assert ("AWS_SECRET_ACCESS_KEY" in program.environ) is name.startswith("worker")
        assert ("PRODACCESS_AUDIT_KEY_FILE" in program.environ) is name.startswith("worker")
        assert (program.environ.get("AWS_PROFILE") == "prod") is name.startswith("worker")
        assert program.environ["AWS_REGION"] == "eu-west-1"


def test_secrets_are_on_no_command_line() -> None:
    for program in programs(ENVIRON, workers=1):
        assert "hunter2" not in " ".join(program.command)
        assert program.environ["REDIS_URL"] == ENVIRON["REDIS_URL"]


def test_our_own_packages_are_run_whatever_the_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("print('another bot')")
    (program,) = [each for each in programs({}, workers=1) if each.name == "clock"]
    done = subprocess.run(
        program.command, env=dict(program.environ), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "REDIS_URL is not set; clock needs it." in done.stderr
    assert not done.stdout


def test_everything_that_is_missing_is_said_once() -> None:
    (sentence,) = up({})
    assert "SLACK_BOT_TOKEN" in sentence
    assert "TEAMS_APP_ID" in sentence
    assert up({"SLACK_BOT_TOKEN": "xoxb-1"}) == (
        "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set; web needs one.",
    )


def test_a_data_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {**ENVIRON, "REDIS_URL": "", "PRODACCESS_DATA": str(tmp_path / "file")}
    found = up(environ)
    assert isinstance(found, tuple)
    assert "cannot be written" in found[0]
