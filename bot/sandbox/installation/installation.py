"""The whole product on this machine: our three processes, a Redis, and stand-ins for Slack, Teams and AWS. Nothing leaves it."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.runtime.embedded_redis import EmbeddedError, EmbeddedValkey
from bot.runtime.up import programs, same_code
from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.aws.spec import WorldSpec
from bot.sandbox.installation.people import INCIDENT, Player, channels_of_both
from bot.sandbox.installation.policy_copy import PolicyCopy
from bot.sandbox.installation.processes import Processes, Told
from bot.sandbox.slack import Person, SlackServer
from bot.sandbox.slack.seeding import Seed
from bot.sandbox.teams.server import TeamsServer
from workflows.ledger.redis_ledger import RedisLedger
from workflows.signing.keys import make_key

T = TypeVar("T")
READY_S_MAX = 60.0
LEDGER_ANSWER_S = 2.0
REVIVED_AFTER_S = 3.0
REDIS_AWAY_S = 2.0
COMMAND_S_MAX = 30.0

# What could lead our processes to real systems, or change what they do: ours to set, or nobody's.
_OURS = re.compile(r"(AWS|BOTO|SLACK|TEAMS|GRAPH|REDIS|PRODACCESS|LOG)_\w*|BOTO_CONFIG|PORT|\w+_PROXY", re.IGNORECASE)
# What somebody may think is used.
_REAL = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "REDIS_URL",
    "TEAMS_WEBHOOK_URL",
    "TEAMS_APP_PASSWORD",
)


class InstallationError(Exception):
    """It cannot be built, or did not do what it should; the message is one sentence."""


class Installation:
    """Use as a context manager.

    `environ` is the caller's; of it our processes get nothing that leads to a real Slack, AWS or Redis. Nobody outside
    can play people or faults over HTTP, unless a page is put on `slack`. `slack_port`: where that listens, 0 for a free one.
    `teams`: where there is Teams, too; started and ended here.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        config: Path,
        slack: Seed,
        aws: WorldSpec,
        *,
        slack_port: int = 0,
        teams: TeamsServer | None = None,
    ) -> None:
        self.found_and_not_used = tuple(name for name in _REAL if environ.get(name))
        self._environ = {name: value for name, value in environ.items() if not _OURS.fullmatch(name)}
        self.config = config
        """The policy that the bot is given; where there is Teams, once it runs, a copy that follows this one."""
        self._slack_port = slack_port
        self.slack = SlackServer(slack, port=slack_port, controlled=False)
        self.teams = teams
        self.aws = SandboxAws(aws, controlled=False)
        self.folder = Path(os.devnull)
        self.port = 0
        self.last_logs = ""
        """The last lines of each process, once they have ended."""
        self._processes: Processes | None = None
        self._stack = ExitStack()
        self._over = threading.Event()
        self._redis_lock = threading.Lock()

    def __enter__(self) -> Self:
        try:
            self._start()
        except EmbeddedError as problem:
            self.stop()
            raise InstallationError(str(problem)) from None
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="prodaccess-sandbox-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        # As an installation has them that is meant: its log is signed, and `audit verify` says up to which head it is whole.
        make_key(self._audit_key)
        self.redis = self._stack.enter_context(EmbeddedValkey(self.folder / "redis"))
        self._stack.enter_context(self.aws)
        self._listen()
        self.port = _free_port()
        if self.teams is not None:
            self._stack.enter_context(self.teams)
            self.teams.courier.request_url = f"http://127.0.0.1:{self.port}/api/messages"
            copied = PolicyCopy(self.config, self.folder / "config", channels_of_both(), (INCIDENT,))
            self._stack.enter_context(copied)
            self.config = self.folder / "config"
        self._processes = Processes(self.folder, programs(self._given(), workers=1))
        self._stack.callback(self._processes.stop)
        self._processes.start()
        self.until(self._ready, "prodaccess gets ready")
        self.slack.wait_connected(10)

    def _listen(self) -> None:
        try:
            self._stack.enter_context(self.slack)
        except OSError as problem:
            why = "is taken" if problem.errno == errno.EADDRINUSE else "cannot be used"
            sentence = f"Port {self._slack_port} {why}: choose another with --port, or none for a free one."
            raise InstallationError(sentence) from None

    def stop(self) -> None:
        """End everything and remove the folder. May be called twice."""
        if self._processes is not None:
            self.last_logs = self._processes.logs() or self.last_logs
        self._over.set()
        with self._redis_lock:
            self._stack.close()

    # ------------------------------------------------------------ processes

    def _given(self) -> dict[str, str]:
        return {
            **self._environ,
            **self.aws.environment(),
            "SLACK_BOT_TOKEN": self.slack.app.bot_token,
            "SLACK_APP_TOKEN": self.slack.app.app_token,
            "SLACK_API_URL": self.slack.api_url,
            **(self.teams.environment() if self.teams else {}),
            "REDIS_URL": self.redis.url,
            "PRODACCESS_CONFIG": str(self.config),
            # What they leave there when they are killed goes with the folder.
            "TMPDIR": str(self.folder),
            "PRODACCESS_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PRODACCESS_AUDIT_KEY": str(self._audit_key),
            **self._archive,
        }

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", "/readyz")
            return bool(json.load(connection.getresponse())["ready"])
        except OSError:
            return False
        finally:
            connection.close()

    # ------------------------------------------------------------ what can go wrong here

    def keep_up(self, told: Told) -> None:
        """From now on a process that dies is started again after three seconds. `told` hears its name then."""
        self._running().keep_up(REVIVED_AFTER_S, told)

    def kill(self, name: str) -> bool:
        """One of ours, with SIGKILL. False where it does not run."""
        return self._running().kill(name)

    def pid(self, name: str) -> int:
        return self._running().pid(name)

    def terminal(self) -> dict[str, str]:
        """What a terminal needs for a command that looks into the record: environment variables."""
        return {"REDIS_URL": self.redis.url, "PRODACCESS_CONFIG": str(self.config), **self._archive}

    @property
    def _audit_key(self) -> Path:
        return self.folder / "audit-key.pem"

    @property
    def _archive(self) -> dict[str, str]:
        return {"PRODACCESS_AUDIT_BUCKET": str(self.folder / "archive")}

    def output(self, words: Sequence[str]) -> str:
        """What `prodaccess WORDS` says in a terminal, 90 columns wide. Raise InstallationError where it does not end."""
        shape = {"COLUMNS": "90", "NO_COLOR": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
                (sys.executable, "-P", "-m", "bot", *words),
                cwd=self.folder,
                env={**self._environ, **self.terminal(), **same_code(self._environ), **shape},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InstallationError(f"prodaccess {words[0]} has not ended within {COMMAND_S_MAX:g} s.") from None
        return done.stdout.decode("utf-8", errors="replace")

    def restart_redis(self) -> None:
        """Away at once, and back on the same port and data after a while. Returns then."""
        with self._redis_lock:
            if self._over.is_set():
                return
            self.redis.kill()
            if not self._over.wait(REDIS_AWAY_S):
                self.redis.start()

    def _running(self) -> Processes:
        if self._processes is None:
            raise InstallationError("The installation is not set up.")
        return self._processes

    # ------------------------------------------------------------ for those who play on it

    def person(self, player: Player) -> Person:
        return self.slack.person(player.id)

    def bring_forward(self, item: str) -> None:
        """Make something on the clock due now, as if its time had come."""
        with self.ledger() as ledger:
            ledger.remind(item, 0.0)

    @contextlib.contextmanager
    def ledger(self) -> Iterator[RedisLedger]:
        """The record that the bot writes, from outside."""
        client = redis.Redis.from_url(
            self.redis.url,
            socket_timeout=LEDGER_ANSWER_S,
            socket_connect_timeout=LEDGER_ANSWER_S,
            retry=Retry(NoBackoff(), 1),
        )
        with contextlib.closing(client):
            yield RedisLedger(client, durability="verify", monotonic=time.monotonic)

    def until(self, look: Callable[[], T | None], what: str, within_s: float = READY_S_MAX) -> T:
        """The first answer that is something. Raise InstallationError where one of ours died, or none came in time."""
        deadline = time.monotonic() + within_s
        while True:
            found = look()
            if found:
                return found
            if lost := self._running().lost():
                raise InstallationError(f"The process {lost[0]} ended with exit code {lost[1]}.")
            if time.monotonic() > deadline:
                raise InstallationError(f"Waited {within_s:g} s in vain for this: {what}.")
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
