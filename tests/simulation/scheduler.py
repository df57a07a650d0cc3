"""One order of things for everything that runs: processes are steps, a step lasts until the next call of a port, and the dice
say whose step is next.

Each thread of a simulated process is a greenlet: the shipped code runs in it as it is, and stops wherever a port is called.
Nothing runs beside anything else, and the only time is the one that is kept here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from greenlet import getcurrent, greenlet

from tests.simulation.dice import Dice
from workflows.ledger.memory import MemoryClock

US = 1_000_000


class Killed(BaseException):
    """The process is gone. Not an Exception, so that nothing tidies up after it; what does all the same reaches no port."""


class Process:
    """`kind`: web, worker or clock. `stopped_until_us`: as with SIGSTOP, until then."""

    def __init__(self, name: str, kind: str, host: str) -> None:
        self.name, self.kind, self.host = name, kind, host
        self.dead = False
        self.stopped_until_us = 0
        self.tasks: list[Task] = []


class Task:
    def __init__(self, scheduler: Scheduler, process: Process, name: str, run: Callable[[], object]) -> None:
        self.process, self.name = process, name
        self._run = run
        self.greenlet = greenlet(self._body, parent=scheduler.hub)
        self.waits = self.over = False

    def _body(self) -> None:
        try:
            self._run()
        except Killed:
            pass
        finally:
            self.over = True


class Scheduler:
    """`now_us`: microseconds that nobody can set. `clock`: Redis's, which follows them, and which somebody may set."""

    def __init__(self, clock: MemoryClock, dice: Dice) -> None:
        self.clock = clock
        self.now_us = 0
        self.steps = 0
        self.hub = getcurrent()
        self.current: Task | None = None
        self._dice = dice
        self._order = 0
        self._ahead: list[tuple[int, int, int, Task]] = []
        self._processes: list[Process] = []

    @property
    def now_s(self) -> float:
        return self.now_us / US

    # ------------------------------------------------------------ for whoever runs

    def spawn(self, process: Process, name: str, run: Callable[[], object], after_s: float = 0.0) -> Task:
        task = Task(self, process, name, run)
        process.tasks.append(task)
        if process not in self._processes:
            self._processes.append(process)
        self._put(task, self.now_us + round(after_s * US))
        return task

    def pause(self, seconds: float) -> None:
        """The running task stands still for so long. Raises Killed where its process has died meanwhile."""
        task = self._me()
        self._put(task, self.now_us + max(1, round(seconds * US)))
        self._away(task)

    def park(self) -> None:
        """The same, until somebody wakes it."""
        task = self._me()
        task.waits = True
        self._away(task)

    def wake(self, task: Task) -> None:
        if task.waits:
            task.waits = False
            self._put(task, self.now_us)

    def kill(self, process: Process) -> None:
        """Its tasks end where they stand; the running one, where it is among them, at its next look at a port."""
        process.dead = True
        for task in process.tasks:
            if task is not self.current and not task.over:
                self._throw(task)

    def _me(self) -> Task:
        if self.current is None:
            raise AssertionError("only tasks wait")
        return self.current

    def _away(self, task: Task) -> None:
        self.hub.switch()
        if task.process.dead:
            raise Killed

    def _throw(self, task: Task) -> None:
        """Runs what the task would still do, which reaches no port, and returns here."""
        if not task.greenlet:
            # It had not begun, and never will.
            task.over = True
            return
        task.greenlet.parent = getcurrent()
        task.greenlet.throw(Killed)

    def _put(self, task: Task, at_us: int) -> None:
        self._order += 1
        # Of what is due at the same time, chance says what comes first.
        heapq.heappush(self._ahead, (at_us, self._dice.below(1 << 20), self._order, task))

    # ------------------------------------------------------------ for who turns the handle

    def run_until(self, until_s: float, after_step: Callable[[], None]) -> None:
        until_us = round(until_s * US)
        while self._ahead and self._ahead[0][0] <= until_us:
            at_us, _, _, task = heapq.heappop(self._ahead)
            self._forward(at_us)
            if task.over or task.process.dead:
                continue
            if task.process.stopped_until_us > at_us:
                self._put(task, task.process.stopped_until_us)
                continue
            self.steps += 1
            self.current = task
            try:
                task.greenlet.switch()
            finally:
                self.current = None
            after_step()
        self._forward(until_us)

    def _forward(self, at_us: int) -> None:
        if at_us > self.now_us:
            self.clock.advance((at_us - self.now_us) / US)
            self.now_us = at_us

    def end(self) -> None:
        """Nobody goes on."""
        for process in self._processes:
            if not process.dead:
                self.kill(process)
        self._ahead.clear()
