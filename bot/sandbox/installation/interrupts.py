"""What the commands that show the bot on this machine share: the policy they play, how they end, and how they fail."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Self

from bot import shipped
from bot.providers import know_providers
from bot.sandbox.installation.installation import InstallationError
from bot.sandbox.installation.people import PRODUCTION, STAGING
from workflows.core.policy import Policy
from workflows.policy_file import load_policy

CONFIG = shipped.example_policy()
FAILED = 1
_AGAIN_S = 0.02


def example_policy(config: Path) -> Policy:
    """Raise InstallationError where the folder is no longer the example that the people of the installation belong to."""
    know_providers()
    found = load_policy(config)
    if isinstance(found, tuple):
        raise InstallationError(f"The demo plays the example policy, and {config} is not valid: {found[0]}")
    missing = [name for name in (PRODUCTION, STAGING) if name not in found.environments]
    if missing:
        raise InstallationError(
            f"The demo plays the example policy, and {config} has no environment {' or '.join(missing)}."
        )
    return found


def failed(sentence: str, logs: str) -> int:
    """Say it, keep the logs, and return the exit code."""
    sys.stderr.write(f"{sentence}\n")
    if logs:
        with tempfile.NamedTemporaryFile("w", prefix="prodaccess-demo-", suffix=".log", delete=False) as kept:
            kept.write(logs)
        sys.stderr.write(f"The last lines of all logs are in {kept.name}\n")
    return FAILED


class Interrupts:
    """A closed terminal or a plain kill takes the same way out as Ctrl-C: everything is ended and removed.

    Entered, the first of them raises KeyboardInterrupt, and those after it are ignored. Where it is raised inside of a
    destructor or a callback of the garbage collector, Python prints it and goes on: it is then raised anew a moment later.
    """

    _WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._held = self._asked = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._interrupt) for number in self._WATCHED}
        self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._again)
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(self, *_: object) -> None:
        sys.unraisablehook = self._hook
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, an interruption waits: what is half built when it comes could not be taken down."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._asked:
            raise KeyboardInterrupt

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        for number in self._WATCHED:
            signal.signal(number, signal.SIG_IGN)  # ending what we started is not to be interrupted
        self._asked = True
        if not self._held:
            raise KeyboardInterrupt

    def _unraisable(self, lost: sys.UnraisableHookArgs) -> None:
        if self._asked and lost.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)  # not here: what is raised in this hook is lost, too
        else:
            self._hook(lost)

    def _again(self, _number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt
