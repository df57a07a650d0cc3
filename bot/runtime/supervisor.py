"""Keeping processes alive: one that dies comes back, and the supervisor's own end, in whatever way, is the end of all."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer
from honcho.process import Popen

from bot.observability.redaction import Redactor
from bot.runtime.child_process import dies_with_us
from bot.runtime.signals import Signals

STOP_S_MAX = 9.0
"""How long a process may take to end when asked; after that it is killed. A worker takes 8 s for what is under way."""

SERVICE_LOOK_S = 0.2
OWN_NAME = "up"

Say = Callable[[str, str | bytes], None]


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive. `command` begins with a path; secrets belong into `environ`, which `ps` does not show."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between restarts, doubling; a process that ran for `stable_s` begins anew."""

    first_s: float = 0.2
    max_s: float = 10.0
    stable_s: float = 30.0

    def next_s(self, failures: int) -> float:
        """The pause after so many failures in a row, from 1."""
        return float(min(self.max_s, self.first_s * 2 ** min(failures - 1, 20)))


class Service(Protocol):
    """What the programs stand on; `EmbeddedValkey` is one. `start` does nothing while it runs."""

    @property
    def pid(self) -> int: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Supervisor:
    """Keeps programs alive until it is told to stop.

    honcho's Manager ends all processes when one ends, in its loop, so there is no way to restart one; its process object
    reads the output to the end, which a grandchild that survived a kill can hold open. Hence its Popen and its printer
    here, and a loop of our own.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        service: Service | None = None,
        backoff: Backoff | None = None,
        redactor: Redactor | None = None,
        output: TextIO | None = None,
        stop_s_max: float = STOP_S_MAX,
    ) -> None:
        """`service` is running already; it is started again when it ends, and stopped last."""
        names = [OWN_NAME, *(program.name for program in programs)]
        self._lines = _Lines(names, redactor or Redactor(), output or sys.stdout)
        self._stopping = threading.Event()
        self._keepers = [_Keeper(each, backoff or Backoff(), self._stopping, self._lines.say) for each in programs]
        self._service = service
        self._stop_s_max = stop_s_max

    def run(self) -> int:
        """Blocks until SIGINT, SIGTERM or SIGHUP, ends everything, and returns the exit code, which is 0. Main thread only."""
        signals = Signals(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        with contextlib.closing(signals):
            threads = [threading.Thread(target=each.run, name=each.program.name, daemon=True) for each in self._keepers]
            if self._service is not None:
                keep = threading.Thread(target=self._keep_service, args=(self._service,), name="service", daemon=True)
                threads.append(keep)
            for thread in threads:
                thread.start()
            self._lines.say(OWN_NAME, f"{signals.wait().name} received, stopping")
            self._stop(threads, signals)
        self._lines.say(OWN_NAME, "all stopped")
        return 0

    def _stop(self, threads: Sequence[threading.Thread], signals: Signals) -> None:
        self._stopping.set()
        for keeper in self._keepers:
            keeper.end(signal.SIGTERM)
        if not _ended(threads, self._stop_s_max, signals):
            for keeper in self._keepers:
                keeper.end(signal.SIGKILL)
            _ended(threads, 1.0, signals)
        if self._service is not None:
            self._service.stop()

    def _keep_service(self, service: Service) -> None:
        backoff, failures = Backoff(), 0
        pid = service.pid
        while not self._stopping.wait(SERVICE_LOOK_S if not failures else backoff.next_s(failures)):
            try:
                service.start()
                failures = 0
            except Exception as error:  # whatever it is, the next try may succeed, and nothing works without it
                failures += 1
                self._lines.say(OWN_NAME, f"the server does not start: {error}")
                continue
            if service.pid != pid:
                pid = service.pid
                self._lines.say(OWN_NAME, f"the server had ended; it runs again on the same data (pid {pid})")


class _Keeper:
    """Runs one program again and again, in a thread that lives as long as the program: Linux sends the death signal
    when the thread that forked ends.
    """

    def __init__(self, program: Program, backoff: Backoff, stopping: threading.Event, say: Say) -> None:
        self.program = program
        self._backoff = backoff
        self._stopping = stopping
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        # So that no child is started after the round that ends them all.
        self._lock = threading.Lock()

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            how = self._run_once()
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - started >= self._backoff.stable_s else failures + 1
            pause_s = self._backoff.next_s(failures)
            self._say(OWN_NAME, f"{self.program.name} {how}; starting again in {pause_s:g} s")
            self._stopping.wait(pause_s)

    def end(self, how: signal.Signals) -> None:
        """Asks the program to end, which looks after its own children; or kills it with all of them."""
        with self._lock:
            if self._child is None:
                return
            if how == signal.SIGKILL:
                _kill_group(self._child.pid)
            self._child.send_signal(how)

    def _run_once(self) -> str:
        try:
            child = self._spawn()
        except OSError as error:
            return f"could not be started ({error.strerror})"
        if child is None:
            return "was not started"
        self._say(OWN_NAME, f"{self.program.name} started (pid {child.pid})")
        reader = threading.Thread(target=self._copy_output, args=(child,), daemon=True)
        reader.start()
        how = _how_it_ended(child.wait())
        # What outlives its parent would work unwatched, beside the next one, and survive our own end.
        _kill_group(child.pid)
        reader.join(timeout=1)
        if self._stopping.is_set():
            self._say(OWN_NAME, f"{self.program.name} {how}")
        return how

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            command = dies_with_us(self.program.command)
            # honcho's Popen joins the two outputs and starts a session, which makes the child the leader of a group;
            # and it keeps a terminal's Ctrl-C for us.
            self._child = Popen(command, shell=False, stdin=subprocess.DEVNULL, env=dict(self.program.environ))
            return self._child

    def _copy_output(self, child: subprocess.Popen[bytes]) -> None:
        if child.stdout is not None:
            with child.stdout as stdout:
                for line in stdout:
                    self._say(self.program.name, line)


class _Lines:
    """Prints for all threads, one line at a time, each with its process's name and without secrets."""

    def __init__(self, names: Sequence[str], redactor: Redactor, output: TextIO) -> None:
        self._printer = Printer(output, width=max(map(len, names)))
        self._colours = dict(zip(names[1:], get_colours(), strict=False))
        self._redactor = redactor
        self._lock = threading.Lock()

    def say(self, name: str, line: str | bytes) -> None:
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        # honcho asks the time of a message for `strftime` only, and the module has one that means now.
        message = Message("line", self._redactor.text(text), time, name, self._colours.get(name))
        # Nobody may be reading any more; the work goes on all the same.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._printer.write(message)


def _ended(threads: Sequence[threading.Thread], within_s: float, signals: Signals) -> bool:
    """Waits for all to end; a second Ctrl-C ends the waiting."""
    give_up_at = time.monotonic() + within_s
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() > give_up_at or signals.more():
            return False
        time.sleep(0.02)
    return True


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _how_it_ended(code: int) -> str:
    """As `Popen.returncode` says it: a negative number is a signal."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
