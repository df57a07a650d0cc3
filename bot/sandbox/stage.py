"""The whole product on this machine: our three processes, a Redis, and stand-ins for Slack and AWS. Nothing leaves it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import redis

from bot.cloud import scrub_cloud_credentials
from bot.embedded import EmbeddedError, EmbeddedValkey
from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.aws.spec import WorldSpec
from bot.sandbox.cast import Player
from bot.sandbox.slack import Person, SlackServer
from bot.sandbox.slack.seeding import Seed
from bot.supervisor import _DIE_WITH_PARENT  # the one that `up` uses
from bot.up import programs
from workflows.ledger.redis_ledger import RedisLedger

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
READY_S_MAX = 30.0
STOP_S_MAX = 9.0
LOG_LINES_KEPT = 200

# What could lead our processes to real systems, or change what they do: ours to set, or nobody's.
_OURS = re.compile(r"(AWS|BOTO|SLACK|TEAMS|REDIS|PRODACCESS|LOG)_\w*|BOTO_CONFIG|PORT|\w+_PROXY", re.IGNORECASE)
# What somebody may think is used.
_REAL = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "REDIS_URL", "TEAMS_WEBHOOK_URL")


class StageError(Exception):
    """It cannot be built, or did not do what it should; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class _Process:
    name: str
    popen: subprocess.Popen[bytes]


class Stage:
    """Use as a context manager, from a thread that lives as long: on Linux our processes end with the thread that started them.

    `environ` is the caller's; of it our processes get nothing that leads to a real Slack, AWS or Redis.
    """

    def __init__(self, environ: Mapping[str, str], config: Path, slack: Seed, aws: WorldSpec) -> None:
        self.found_and_not_used = tuple(name for name in _REAL if environ.get(name))
        self._environ = {name: value for name, value in environ.items() if not _OURS.fullmatch(name)}
        self._config = config
        self.slack = SlackServer(slack)
        self.aws = SandboxAws(aws)
        self.folder = Path(os.devnull)
        self.port = 0
        self.last_logs = ""
        """The last lines of each process, once they have ended."""
        self._processes: list[_Process] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except EmbeddedError as problem:
            self.stop()
            raise StageError(str(problem)) from None
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="prodaccess-sandbox-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.redis = self._stack.enter_context(EmbeddedValkey(self.folder / "redis"))
        self._stack.enter_context(self.aws)
        self._stack.enter_context(self.slack)
        self.port = _free_port()
        self._stack.callback(self._end_processes)
        for program in programs(self._given(), workers=1):
            self._launch(program.name, program.command, program.environ)
        self.until(self._ready, "prodaccess gets ready", within_s=READY_S_MAX)
        self.slack.wait_connected(10)

    def stop(self) -> None:
        """End everything and remove the folder. May be called twice."""
        self.last_logs = self._logs() or self.last_logs
        self._stack.close()

    # ------------------------------------------------------------ processes

    def _given(self) -> dict[str, str]:
        return {
            **self._environ,
            **self.aws.environment(),
            "SLACK_BOT_TOKEN": self.slack.app.bot_token,
            "SLACK_APP_TOKEN": self.slack.app.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "REDIS_URL": self.redis.url,
            "PRODACCESS_CONFIG": str(self._config),
            "PRODACCESS_HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    def _launch(self, name: str, command: tuple[str, ...], environ: Mapping[str, str]) -> None:
        given = dict(environ)
        if name != "worker":
            scrub_cloud_credentials(given)
        wrapper = (sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()))
        with (self.folder / f"{name}.log").open("wb") as log:
            popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                (*wrapper, *command),
                cwd=self.folder,
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A terminal's Ctrl-C is for us: we end the others in order.
                start_new_session=True,
            )
        self._processes.append(_Process(name, popen))

    def _end_processes(self) -> None:
        for process in self._processes:
            process.popen.terminate()
        deadline = time.monotonic() + STOP_S_MAX
        for process in self._processes:
            try:
                process.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", "/readyz")
            return bool(json.load(connection.getresponse())["ready"])
        except OSError:
            return False
        finally:
            connection.close()

    def _logs(self) -> str:
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_KEPT:]
            parts.append("\n".join((f"--- {path.stem}", *lines)))
        return "\n".join(parts)

    # ------------------------------------------------------------ for those who play on it

    def person(self, player: Player) -> Person:
        return self.slack.person(player.id)

    def bring_forward(self, item: str) -> None:
        """Make something on the clock due now, as if its time had come."""
        with contextlib.closing(redis.Redis.from_url(self.redis.url)) as client:
            RedisLedger(client, durability="verify", monotonic=time.monotonic).remind(item, 0.0)

    def until(self, look: Callable[[], T | None], what: str, within_s: float = 15.0) -> T:
        """The first answer that is something. Raise StageError where one of ours died, or none came in time."""
        deadline = time.monotonic() + within_s
        while True:
            found = look()
            if found:
                return found
            for process in self._processes:
                if process.popen.poll() is not None:
                    raise StageError(f"The process {process.name} ended with exit code {process.popen.returncode}.")
            if time.monotonic() > deadline:
                raise StageError(f"Waited {within_s:g} s in vain for this: {what}.")
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
