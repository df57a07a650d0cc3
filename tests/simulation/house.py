"""The installation: what all processes share, and how each of them is built from the shipped parts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from redis.exceptions import ConnectionError as RedisAway

from bot import jobs
from bot.chat.actions.deferred import Deferred
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.intake import Intake
from bot.chat.actions.refusal_limit import RefusalLimit
from bot.chat.chats import Chats
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.reconciler import Reconciler
from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from tests.simulation.dice import Dice
from tests.simulation.law import Law, policy_of
from tests.simulation.port import Kind, Port, Ways
from tests.simulation.queue import Queues, Wake
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.signing import ToySignatures
from tests.simulation.story import Story
from tests.simulation.targets import WatchedTargets
from tests.simulation.town import PEOPLE, Town
from tests.simulation.weather import Weather
from tests.support import build
from tests.support.memory_chat import MemoryChat
from tests.support.sealed_log import verify
from tests.support.sealing import MemoryArchive, ToySigner
from tests.support.world import MemoryTickets
from workflows.core.policy import Policy
from workflows.ledger.memory import MemoryBuckets, MemoryClock, MemoryDirectory, MemoryDue, MemoryLedger
from workflows.policy_file import difference, summary
from workflows.policy_file.cron import next_slot
from workflows.ports import ArchiveUnavailable, DirectoryUnreachable, LedgerUnreachable, SignerUnavailable
from workflows.signing.words import Cipher
from workflows.usecases.oversight.policy_activation import activate
from workflows.usecases.sealing.sealer import Sealer
from workflows.usecases.shared.context import Context, WorkerContext

COMMAND = "/prodaccess"
# After so long a jump has been judged, by the witnesses' own looks.
UNSEEN_S = 15.0
# How long after the folder has changed a process knows of it, at most.
FOLDER_LAG_S = 4.0

# What the policy says on a day on which targets are compared.
COMPARING = Law(revokes=True, drift_every=timedelta(minutes=2))

LEDGER = Kind(
    "ledger",
    LedgerUnreachable,
    0.002,
    repeats=frozenset({"commit", "read", "release", "remind", "renew", "awake", "waking", "claim", "put_person"}),
)
QUEUE = Kind("queue", RedisAway, 0.002)
SIGNER = Kind("signer", SignerUnavailable, 0.05)
ARCHIVE = Kind("archive", ArchiveUnavailable, 0.1, repeats=frozenset({"put", "get"}))
PEOPLE_PORT = Kind("directory", DirectoryUnreachable, 0.15)


class KeptArchive(MemoryArchive):
    """Lists are read at one moment, and not while somebody goes on writing."""

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        return iter(list(super().names(prefix, after)))


class ArchivePort(Port):
    """Says what is wrong with it, and never raises then."""

    def problem(self) -> str:
        try:
            return str(self._call("problem", self._real.problem))
        except ArchiveUnavailable as away:
            return away.words


class Stop:
    """A `threading.Event` for shipped loops that wait on one: waiting is standing still."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def wait(self, seconds: float) -> bool:
        self._scheduler.pause(seconds)
        return False

    def is_set(self) -> bool:
        return False


class Renewer(BackgroundLeaseRenewer):
    """The shipped one, whose thread is one of ours."""

    def __init__(self, ledger: Any, scheduler: Scheduler) -> None:
        self._begun: list[Callable[[], None]] = []
        self._ledger = ledger
        self._monotonic_s = lambda: scheduler.now_s
        self._held = {}
        self._lock = cast(Any, NoLock())
        self._stop = cast(Any, Stop(scheduler))

    def run(self) -> None:
        self._renew_for_ever()


class NoLock:
    """Nothing runs beside anything else between two calls of a port."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Folder:
    """The policy folder on every host: each process knows of a change a little later."""

    def __init__(self, scheduler: Scheduler, law: Law) -> None:
        self._scheduler = scheduler
        self.laws: list[tuple[float, Law, Policy]] = [(-600.0, law, policy_of(law))]

    @property
    def law(self) -> Law:
        return self.laws[-1][1]

    def law_of(self, hash_: str) -> Law:
        return next(law for _, law, _ in self.laws if law.hash == hash_)

    def change(self, law: Law) -> None:
        self.laws.append((self._scheduler.now_s, law, policy_of(law)))

    def seen(self, lag_s: float) -> Policy:
        until_s = self._scheduler.now_s - lag_s
        return next(policy for at_s, _, policy in reversed(self.laws) if at_s <= until_s)


class FolderAsSeen:
    """A `PolicySource`."""

    def __init__(self, folder: Folder, lag_s: float) -> None:
        self._folder, self._lag_s = folder, lag_s

    def current(self) -> Policy:
        return self._folder.seen(self._lag_s)


@dataclass
class Parts:
    """As `WorkerParts` and `ClockParts` have them, as far as jobs and clock look."""

    process: Process
    ledger: Any
    due: Any
    wake: Wake
    context: Any
    policy: FolderAsSeen
    monotonic_s: Callable[[], float]
    token: str
    queues: Any
    renewer: Renewer
    redis: Any = None
    deferred: Any = None
    reconciler: Any = None
    refresher: Any = None
    sealer: Any = None
    settings: Any = None
    activate_policy: Callable[[], None] = lambda: None


class House:
    compares = falls_back = signs = False

    def __init__(self, seed: int, weather: Weather, dice: Dice, story: Story) -> None:
        self.dice, self.story, self.weather = dice, story, weather
        self.clock = MemoryClock(build.NOW)
        self.scheduler = Scheduler(self.clock, dice.apart("order"))
        story.now_s = lambda: self.scheduler.now_s
        self.ledger = MemoryLedger(self.clock)
        self.directory = MemoryDirectory(self.clock, self.ledger)
        self.town = Town(self.directory, self.clock.now)
        # On every third day targets are compared with the ledger every two minutes, and what comes from nowhere goes.
        self.compares = dice.chance(333) or self.compares
        self.folder = Folder(self.scheduler, COMPARING if self.compares else Law())
        self.targets = WatchedTargets(lambda: build.NOW + timedelta(microseconds=self.scheduler.now_us))
        self.chat = MemoryChat(self.clock.now, name="slack")
        self.buckets = MemoryBuckets(self.clock)
        self.queues = Queues(self.scheduler, dice.apart("queue"), weather, story, self.trouble)
        self.due = MemoryDue(self.ledger, lambda: len(self.queues))
        self.tickets = MemoryTickets()
        # When the last thing went wrong, or will have stopped doing so, in seconds.
        self.fault_until_s = 0.0
        self.faults: list[str] = []
        self.broken: list[str] = []
        # When Redis's clock was last set, in seconds; until somebody has looked, what is decided goes by it.
        self.clock_set_s = -1e9
        # In the evening what is done again and again is done more seldom: nothing is to be found, and it takes less time.
        self.patience = 1
        self.started = 0
        self.living: list[Process] = []
        self.restart: Callable[[Process], None] = lambda process: None
        self.ways = Ways(self.scheduler, dice.apart("ways"), weather, story, self.trouble, self.died, {})
        # On every other day the audit log is sealed.
        self.archive = KeptArchive() if dice.chance(500) else None
        # On two days of five the chat signs what it sends, and a worker reads that again before it gives anything.
        signs = dice.chance(400) or self.signs
        self.signatures = ToySignatures(self.targets.now) if signs else None
        # On every sixth day an older copy of Redis comes back.
        self.falls_back = dice.chance(170) or self.falls_back
        for who in PEOPLE:
            self.targets.add_person(who)

    # ------------------------------------------------------------ what goes wrong

    def trouble(self, lasts_s: float) -> None:
        self.fault_until_s = max(self.fault_until_s, self.scheduler.now_s + lasts_s)

    def set_clock(self, by_s: float) -> None:
        self.story.tell(f"Redis's clock is set by {by_s:g} s")
        self.clock_set_s = self.scheduler.now_s
        self.clock.jump(by_s)

    @property
    def clock_was_set(self) -> bool:
        return self.clock_set_s >= 0

    def clock_unseen(self) -> bool:
        """Whether Redis's clock was set so lately that no witness may have looked: a gap of some seconds that is known."""
        return self.scheduler.now_s - self.clock_set_s < UNSEEN_S

    def died(self, process: Process) -> None:
        if not process.dead:
            self.scheduler.kill(process)
            self.living.remove(process)
            self.restart(process)

    def fault(self, what: str, problem: BaseException, **facts: str) -> str:
        """A `Fault`: what should not have happened has."""
        last = traceback.extract_tb(problem.__traceback__)[-1]
        told = f"{what}: {type(problem).__name__}: {problem} ({last.filename.rpartition('/')[2]}:{last.lineno}) {facts}"
        self.story.tell(f"an exception that nobody expected: {told}")
        self.broken.append(f"an exception that nobody expected: {told}")
        return "E-00001"

    def directory_copy(self) -> Any:
        """What of people stands in Redis, and not on the ledger."""
        kept = self.directory
        return dict(kept._known), dict(kept._members), dict(kept._nobody)

    def directory_put_back(self, copy: Any) -> None:
        kept = self.directory
        kept._known, kept._members, kept._nobody = (dict(one) for one in copy)

    # ------------------------------------------------------------ the processes' parts

    def process(self, kind: str, host: str) -> Process:
        self.started += 1
        found = Process(f"{kind}-{self.started}", kind, host)
        self.living.append(found)
        return found

    def parts(self, process: Process) -> Parts:
        ledger = Port(self.ledger, LEDGER, process, self.ways)
        due = Port(self.due, LEDGER, process, self.ways)
        queues = Port(self.queues, QUEUE, process, self.ways)
        wake = Wake(due, queues, (LedgerUnreachable, RedisAway))
        policy = FolderAsSeen(self.folder, self.dice.between(0.0, FOLDER_LAG_S))
        directory = Port(self.directory, LEDGER, process, self.ways)
        chance = self.dice.apart(process.name)
        common = {
            "ledger": ledger,
            "directory": directory,
            "policy": policy,
            "wake": wake,
            "chance": chance,
            "fault": self.fault,
        }
        renewer = Renewer(ledger, self.scheduler)
        context = self._worker_context(process, common, renewer) if process.kind == "worker" else Context(**common)
        parts = Parts(
            process, ledger, due, wake, context, policy, lambda: self.scheduler.now_s, chance.hex(16), queues, renewer
        )
        parts.settings = SimpleNamespace(redis_durability="verify")
        parts.activate_policy = lambda: self._activate(parts, {})
        return self._with_sealer(self._with_chat(parts)) if process.kind == "worker" else parts

    def _worker_context(self, process: Process, common: dict[str, Any], renewer: Renewer) -> WorkerContext:
        return WorkerContext(
            **common,
            targets=self.targets.seen_by(process, self.ways),
            refresher=Port(self.town, PEOPLE_PORT, process, self.ways),
            lease_renewer=renewer,
            prove_origin=lambda policy, origin: origin,
            monotonic_s=lambda: self.scheduler.now_s,
            tickets=self.tickets,
            signatures=self.signatures,
        )

    def _with_chat(self, parts: Parts) -> Parts:
        silent = frozenset({"answer", "answer_in_place", "no"})
        kind = Kind("chat", lambda why: self.chat.no("no_answer"), 0.2, guarded=True, inside=silent)
        surface = Port(self.chat, kind, parts.process, self.ways)
        chats = Chats(surface)
        buckets = Port(self.buckets, LEDGER, parts.process, self.ways)
        parts.refresher = Port(self.town, PEOPLE_PORT, parts.process, self.ways)
        parts.reconciler = Reconciler(Outbox.of(parts.context, chats, buckets, parts.refresher, COMMAND))
        parts.deferred = Deferred(parts.context, Dispatcher(parts.context, COMMAND), parts.refresher, chats, COMMAND)
        return parts

    def _with_sealer(self, parts: Parts) -> Parts:
        if self.archive is not None:
            signer = Port(ToySigner(), SIGNER, parts.process, self.ways)
            archive = ArchivePort(self.archive, ARCHIVE, parts.process, self.ways)
            parts.sealer = Sealer(parts.context, signer, archive, verify, parts.renewer, parts.monotonic_s, Cipher())
        return parts

    def _activate(self, parts: Parts, first_seen: dict[str, Any]) -> None:
        """As `ClockParts.activate_policy` does it."""
        policy = parts.policy.current()
        if policy.hash not in first_seen:
            first_seen.clear()
            first_seen[policy.hash] = parts.ledger.now()
        activate(
            parts.context,
            policy,
            summary=summary,
            difference=difference,
            next_slot=next_slot,
            seen_at=first_seen[policy.hash],
        )

    def intake(self, parts: Parts) -> Intake:
        """Where acts come in, of a web process."""
        found = Intake(parts.context, Dispatcher(parts.context, COMMAND), self.chat)
        found._limit = RefusalLimit(parts.monotonic_s)
        found._afterwards.shutdown(wait=False)
        found._afterwards = cast(Any, SimpleNamespace(submit=lambda run: run()))
        return found

    def do(self, parts: Parts, item: str, job: str) -> None:
        """Run a wake-up's job, as the worker's thread does."""
        jobs.install(cast(Any, parts))
        if parts.sealer is not None:
            jobs.install_sealer(cast(Any, parts), parts.sealer)
        getattr(jobs, job.rpartition(".")[2])(item.partition(":")[2])
