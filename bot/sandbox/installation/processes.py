"""The processes of an installation: each with a log of its own, and on demand brought up again when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.runtime.child_process import dies_with_us
from bot.runtime.supervisor import Program

STOP_S_MAX = 9.0
LOOK_S = 0.1
LOG_LINES_KEPT = 200

Told = Callable[[str], None]


@dataclass(slots=True)
class _Child:
    program: Program
    popen: subprocess.Popen[bytes]
    gone_at_s: float | None = None


class Processes:
    """Runs in a thread of its own until `stop`: on Linux the processes end with the thread that started them."""

    def __init__(self, folder: Path, programs: Sequence[Program]) -> None:
        self._folder = folder
        self._programs = programs
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()
        self._started, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._tend, name="sandbox-processes", daemon=True)
        self._revive_after_s: float | None = None
        self._told: Told = _to_nobody

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Ask all to end, and see to it that they do."""
        self._over.set()
        self._thread.join()

    def keep_up(self, after_s: float, told: Told) -> None:
        """From now on one that dies is started again after a pause, as a supervisor does. `told` hears the name then."""
        self._told, self._revive_after_s = told, after_s

    def kill(self, name: str) -> bool:
        """As a crash does. False where it is not running."""
        with self._lock:
            child = self._children.get(name)
            if child is None or child.popen.poll() is not None:
                return False
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.popen.pid, signal.SIGKILL)
            child.popen.wait()
        return True

    def pid(self, name: str) -> int:
        """Of the one that runs, or ran last."""
        with self._lock:
            return self._children[name].popen.pid

    def lost(self) -> tuple[str, int] | None:
        """Name and exit code of one that ended and that nobody brings up again."""
        if self._revive_after_s is not None:
            return None
        with self._lock:
            ended = [(name, child.popen.poll()) for name, child in self._children.items()]
        return next(((name, code) for name, code in ended if code is not None), None)

    def logs(self) -> str:
        """The last lines of each."""
        parts = []
        for path in sorted(self._folder.glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_KEPT:]
            parts.append("\n".join((f"--- {path.stem}", *lines)))
        return "\n".join(parts)

    # ------------------------------------------------------------ the thread

    def _tend(self) -> None:
        try:
            for program in self._programs:
                self._launch(program)
        finally:
            self._started.set()
        while not self._over.wait(LOOK_S):
            if self._revive_after_s is not None:
                self._revive(self._revive_after_s, time.monotonic())
        self._end()

    def _revive(self, after_s: float, now_s: float) -> None:
        for name, child in list(self._children.items()):
            if child.popen.poll() is None:
                continue
            if child.gone_at_s is None:
                child.gone_at_s = now_s
            elif now_s - child.gone_at_s >= after_s:
                self._launch(child.program)
                self._told(name)

    def _launch(self, program: Program) -> None:
        with (self._folder / f"{program.name}.log").open("ab") as log, self._lock:
            popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                dies_with_us(program.command),
                cwd=self._folder,
                env=dict(program.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A terminal's Ctrl-C is for us: we end the others in order.
                start_new_session=True,
            )
            self._children[program.name] = _Child(program, popen)

    def _end(self) -> None:
        everybody: Mapping[str, _Child] = self._children
        for child in everybody.values():
            child.popen.terminate()
        deadline = time.monotonic() + STOP_S_MAX
        for child in everybody.values():
            try:
                child.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.popen.kill()
                child.popen.wait()


def _to_nobody(_name: str) -> None:
    """Before anybody listens."""
