"""What each kind of process does all day, on the shipped code: the loops of `bot.worker` and `bot.clock`, without threads."""

from __future__ import annotations

from collections.abc import Callable

from redis.exceptions import RedisError

from bot.chat.actions.intake import Intake
from bot.clock import Ticker
from bot.directory.refresh import refresh_groups_of_pending
from bot.queues import ACCESS_QUEUES, CHAT, SEAL, job_of
from bot.worker import RESCUE_EVERY_S, rescue
from tests.simulation.house import House, Parts, Stop
from tests.simulation.scheduler import Process
from workflows.ports import LedgerUnreachable
from workflows.usecases.sealing.watch import LOOK_EVERY_S as SEAL_LOOK_EVERY_S
from workflows.usecases.sealing.watch import SealWatch
from workflows.usecases.shared.ledger_doubt import watch
from workflows.usecases.shared.troubles import attempt, forget_what_is_over
from workflows.usecases.upkeep.mend_indexes import list_kept_out, mend
from workflows.usecases.upkeep.tell_unreadable import look_again
from workflows.usecases.upkeep.timekeeping import LOOK_EVERY_S, Timekeeper

HOSTS = ("one", "two")
CREW = ("web", "web", "worker", "worker", "worker", "clock", "clock")
ACCESS_THREADS, CHAT_THREADS = 2, 1
TIDY_EVERY_S = 20.0


class Crew:
    """All processes, and the supervisor that starts another one where one has died."""

    def __init__(self, house: House) -> None:
        self.house = house
        # Process -> where acts come in.
        self.doors: dict[Process, tuple[Intake, Parts]] = {}
        self.stopped = False
        house.restart = self._restart

    def stop_all(self) -> None:
        """Nobody runs, and nobody is started again."""
        self.stopped = True
        self.house.story.tell("all processes are stopped")
        self.doors.clear()
        for process in [one for one in self.house.living if one.kind in CREW]:
            self.house.scheduler.kill(process)
            self.house.living.remove(process)

    def start_all(self) -> None:
        self.stopped = False
        for number, kind in enumerate(CREW):
            self.start(kind, HOSTS[number % 2])

    def start(self, kind: str, host: str) -> Process:
        process = self.house.process(kind, host)
        parts = self.house.parts(process)
        {"web": self._web, "worker": self._worker, "clock": self._clock}[kind](process, parts)
        return process

    def _restart(self, process: Process) -> None:
        """By its supervisor, in a while."""
        self.doors.pop(process, None)
        if process.kind not in CREW:
            return
        in_s = self.house.dice.pick((0.3, 2.0, 5.0, 20.0))
        self.house.trouble(in_s)
        again = Process("supervisor", "supervisor", process.host)
        self.house.scheduler.spawn(again, "restart", lambda: self._again(process), after_s=in_s)

    def _again(self, process: Process) -> None:
        missing = CREW.count(process.kind) - sum(one.kind == process.kind for one in self.house.living)
        if self.stopped or missing <= 0:
            return
        new = self.start(process.kind, process.host)
        self.house.story.tell(f"{new.name} starts in place of {process.name}")

    # ------------------------------------------------------------ what each does

    def _web(self, process: Process, parts: Parts) -> None:
        self.doors[process] = (self.house.intake(parts), parts)

    def _worker(self, process: Process, parts: Parts) -> None:
        spawn, stop = self.house.scheduler.spawn, Stop(self.house.scheduler)
        for _ in range(ACCESS_THREADS):
            spawn(process, "access", lambda: self._work(parts, ACCESS_QUEUES))
        for _ in range(CHAT_THREADS):
            spawn(process, "chat", lambda: self._work(parts, (CHAT,)))
        spawn(process, "renewer", parts.renewer.run)
        self._seals(process, parts)
        context = parts.context
        for name, what, every_s in (
            ("timekeeper", self._timekeeper(parts).look, LOOK_EVERY_S),
            ("record", lambda: watch(context), LOOK_EVERY_S),
            ("rescue", lambda: rescue(parts, stop), RESCUE_EVERY_S),  # type: ignore[arg-type]  # as far as it looks
            ("refresh", lambda: refresh_groups_of_pending(context, parts.refresher), 5.0),
            ("tidy troubles", lambda: forget_what_is_over(context), RESCUE_EVERY_S),
            ("mend", lambda: self._mend(parts), TIDY_EVERY_S),
        ):
            self._again_and_again(process, parts, name, what, every_s)

    def _seals(self, process: Process, parts: Parts) -> None:
        seals = parts.sealer is not None
        watch_seal = SealWatch(parts.context, parts.monotonic_s, seals=seals)
        self._again_and_again(process, parts, "sealing", watch_seal.look, SEAL_LOOK_EVERY_S)
        if seals:
            self.house.scheduler.spawn(process, "seal", lambda: self._work(parts, (SEAL,)))

    def _clock(self, process: Process, parts: Parts) -> None:
        # Whatever is due at once is one job here: there are never a thousand.
        ticker = Ticker(parts, spread=1)  # type: ignore[arg-type]  # as far as it looks
        self.house.scheduler.spawn(process, "ticker", lambda: self._tick(parts, ticker))
        self._again_and_again(process, parts, "timekeeper", self._timekeeper(parts).look, LOOK_EVERY_S)
        self._again_and_again(process, parts, "record", lambda: watch(parts.context), LOOK_EVERY_S)

    def _timekeeper(self, parts: Parts) -> Timekeeper:
        return Timekeeper(parts.context, parts.process.host, parts.monotonic_s)

    def _mend(self, parts: Parts) -> None:
        mend(parts.context)
        list_kept_out(parts.context)
        look_again(parts.context)

    def _tick(self, parts: Parts, ticker: Ticker) -> None:
        """A look that finds nothing changes nothing: while nothing is due, some are left out."""
        while True:
            wait_s = ticker.tick()
            ahead = min(self.house.ledger.due.values(), default=0.0) - self.house.clock.now().timestamp()
            self.house.scheduler.pause(max(wait_s, min(1.0, ahead)))

    def _again_and_again(
        self, process: Process, parts: Parts, name: str, what: Callable[[], object], every_s: float
    ) -> None:
        """As `keep_doing`."""

        def loop() -> None:
            while True:
                self.house.scheduler.pause(every_s * self.house.patience)
                try:
                    attempt(parts.context, f"process:{name}", what)
                except LedgerUnreachable:
                    continue

        self.house.scheduler.spawn(process, name, loop, after_s=self.house.dice.between(0.0, every_s))

    def _work(self, parts: Parts, names: tuple[str, ...]) -> None:
        """As a thread of RQ's worker."""
        scheduler = self.house.scheduler
        while True:
            try:
                item = parts.queues.take(names)
            except RedisError:
                scheduler.pause(1.0)
                continue
            if item is None:
                assert scheduler.current is not None
                self.house.queues.wait(names, scheduler.current)
                continue
            self.house.do(parts, item, job_of(item)[1])
