"""Somebody at a terminal of their own: a command of ours as a process, what it shows, and what is typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 60.0
_SHOWN_MAX = 3000


class AtTerminal(AbstractContextManager["AtTerminal"]):
    """`python -m bot ...` in `folder`, at a terminal. `screen`: all that was shown, without colours."""

    def __init__(self, folder: Path, arguments: Sequence[str], **environ: str) -> None:
        self.screen = ""
        self.code: int | None = None
        self._read_to = 0
        given = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "COLUMNS": "90",
            **environ,
        }
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:  # the child
            # A background job has Ctrl-C ignored, and hands that down.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-P", "-m", "bot", *arguments], given)

    def wait_for(self, words: str) -> str:
        """Waits until these words stand in what is new, and returns what came before them."""
        end = time.monotonic() + _PATIENCE_S
        while (at := self.screen.find(words, self._read_to)) < 0:
            if not self._more(end - time.monotonic()):
                raise AssertionError(
                    f"never shown: {words!r}. Shown was:\n{self.screen[self._read_to :][-_SHOWN_MAX:]}"
                )
        before = self.screen[self._read_to : at]
        self._read_to = at + len(words)
        return before

    def answer(self, words: str, typed: str) -> None:
        """Waits until it has asked for that, and for the sign that it waits; then types a line."""
        self.wait_for(words)
        self.wait_for("> ")
        self.type(f"{typed}\n")

    def press(self, key: str) -> None:
        """Ctrl-C, say, of somebody who is waited for: a signal in the instant before Python reads is seen after it has read."""
        status = Path(f"/proc/{self._pid}/stat")
        if status.exists():
            eventually(lambda: status.read_text().rpartition(") ")[2].startswith("S"), "it waits for a key")
        self.type(key)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Waits until it has ended by itself, and returns its exit code."""
        stop = time.monotonic() + _PATIENCE_S
        while self._more(stop - time.monotonic()):
            pass
        if time.monotonic() > stop:
            raise AssertionError(f"it goes on. Shown was:\n{self.screen[self._read_to :][-_SHOWN_MAX:]}")
        return self._reap()

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            read = os.read(self._terminal, 65536)
        except OSError:  # its other end is closed
            return False
        self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", read.decode(errors="replace")).replace("\r\n", "\n")
        return bool(read)

    def _reap(self) -> int:
        if self.code is None:
            _, status = os.waitpid(self._pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def __exit__(self, *_: object) -> None:
        if self.code is None:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()
        os.close(self._terminal)
