"""The sandbox as `prodaccess sandbox` runs it, for a module's tests. Its processes are forks of one that has imported all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from unittest.mock import patch

from bot.sandbox.installation import processes
from bot.sandbox.page.sandbox import Sandbox
from bot.settings import process_environ
from tests.support import warm
from tests.support.waiting import PATIENCE_S


@contextmanager
def running() -> Iterator[str]:
    """The page's address."""
    with _from_the_warm_parent(), Sandbox(process_environ()) as sandbox:
        app = sandbox.installation.slack.app
        # Slack's three seconds are no test of the page, and long where the machine has others to serve.
        app.ack_timeout_s = app.trigger_life_s = PATIENCE_S
        yield sandbox.address


@contextmanager
def _from_the_warm_parent() -> Iterator[None]:
    def start(
        command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: IO[bytes], **_: object
    ) -> warm.Forked:
        return warm.forked([command[-1]], env, Path(str(stdout.name)), cwd)

    if not warm.CAN_FORK:
        yield
        return
    with patch.object(processes, "subprocess", _Starting(start)):
        yield


class _Starting:
    """`subprocess`, as much of it as the sandbox's processes need."""

    TimeoutExpired, DEVNULL = subprocess.TimeoutExpired, subprocess.DEVNULL

    def __init__(self, start: object) -> None:
        self.Popen = start
