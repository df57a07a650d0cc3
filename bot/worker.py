"""The worker: brings the world and the chat in line with the ledger. The only process with cloud credentials.

Threads, not forks: a holding is converged under a lease anyway, the work is waiting for targets and chat, and what was
imported and connected once serves every job.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq.serializers import JSONSerializer

from bot import jobs
from bot.monotonic import host, monotonic_s
from bot.observability.log import log_failure
from bot.queues import ACCESS_QUEUES, CHAT, GRANTS_FIRST, SEAL, mend_queues
from bot.runtime.heartbeat import beat_while_running
from bot.runtime.life_sign import LifeSign
from bot.runtime.periodic import (
    TELL_EVERY_S,
    TELL_SECRETS_EVERY_S,
    keep_doing,
    keep_reading_the_policy,
    keep_watching_the_record,
)
from bot.runtime.queue_worker import OwnWorker
from bot.runtime.stopping import patiently, stop_when_asked
from bot.settings import Settings
from bot.wiring import Common, WorkerParts, build_sealing_worker, build_worker
from bot.wiring.common import keep_counting_calls
from bot.wiring.sealing import retainer
from workflows.ports import LedgerUnreachable
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.sealing.watch import LOOK_EVERY_S as SEAL_LOOK_EVERY_S
from workflows.usecases.sealing.watch import SealWatch
from workflows.usecases.shared.due_items import end_what_is_overdue
from workflows.usecases.shared.troubles import attempt, forget_what_is_over
from workflows.usecases.upkeep.forget_signed_votes import forget_signed_votes
from workflows.usecases.upkeep.mend_indexes import list_kept_out, mend
from workflows.usecases.upkeep.tell_unreadable import look_again
from workflows.usecases.upkeep.timekeeping import LOOK_EVERY_S, Timekeeper

log = structlog.get_logger()

ACCESS_THREADS = 4
# So many of these look for grants before they look for removals.
GRANTS_FIRST_THREADS = 1
CHAT_THREADS = 2
# RQ forgets a worker that has not been heard of for so long, in seconds.
WORKER_TTL_S = 30
STOP_WITHIN_S = 8.0
# A thread that has been at one thing for longer will not come back: a job is stopped after two minutes, and calls to a Redis
# that does not answer take as long at most.
STUCK_S = 300.0
# How long a thread waits before it starts over; longer each time, where it fails at once.
PAUSE_S_MIN, PAUSE_S_MAX = 0.25, 2.0
RESCUE_EVERY_S = 5.0
RESCUE_ROUNDS = 10
REFRESH_EVERY_S = 5.0
# What is not needed any more may lie there for a while.
FORGET_EVERY_S = 600.0


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way."""
    life, stop = LifeSign("worker"), stop_when_asked()
    parts = build_worker(settings, patiently(stop))
    jobs.install(parts)
    keep_counting_calls(parts, stop)
    crew = Crew(parts.queue_redis, stop)
    life.stuck = crew.stuck
    keep_out_of_collections()
    # Before anything is given.
    parts.beside_older(parts.beats.older())
    crew.start("access", ACCESS_QUEUES, ACCESS_THREADS - GRANTS_FIRST_THREADS)
    crew.start("grants", GRANTS_FIRST, GRANTS_FIRST_THREADS)
    crew.start("chat", (CHAT,), CHAT_THREADS)
    if parts.sealer is not None:
        jobs.install_sealer(parts, parts.sealer, retainer(settings, parts.context))
        crew.start("seal", (SEAL,), 1)
    keep_watching_the_seal(parts, stop, seals=parts.sealer is not None)
    keep_doing(parts.context, "timekeeper", Timekeeper(parts.context, host(), monotonic_s).look, LOOK_EVERY_S, stop)
    keep_watching_the_record(parts.context, stop)
    keep_doing(parts.context, "rescue", lambda: rescue(parts, stop), RESCUE_EVERY_S, stop)
    keep_doing(parts.context, "refresh", parts.refresh_what_is_needed, REFRESH_EVERY_S, stop)
    keep_doing(parts.context, "tidy troubles", lambda: forget_what_is_over(parts.context), RESCUE_EVERY_S, stop)
    keep_reading_the_policy(parts.context, parts.policy, stop)
    keep_doing(parts.context, "unreadable", telling_and_mending(parts), TELL_EVERY_S, stop)
    keep_doing(parts.context, "secrets", parts.tell_secrets, TELL_SECRETS_EVERY_S, stop)
    keep_doing(parts.context, "signed votes", lambda: forget_signed_votes(parts.context), FORGET_EVERY_S, stop)
    for one in parts.forge_looks:
        keep_doing(parts.context, one.name, one.look, one.every_s, stop)
    beat_while_running(parts.beats, "worker", stop, crew.healthy, parts.beside_older)
    if settings.slack_is_on and parts.context.signatures is None:
        log.info(
            "votes in production are not checked again: Slack signs nothing here, or SLACK_SIGNING_SECRET is not set"
        )
    log.info("worker is ready", access_threads=ACCESS_THREADS, chat_threads=CHAT_THREADS)
    stop.wait()
    crew.join(STOP_WITHIN_S)
    life.close()
    parts.close()


def keep_out_of_collections() -> None:
    """What is there by now stays for as long as the process. To look through all of it, whenever as much again has come and gone,
    stops every thread for a tenth of a second.
    """
    gc.collect()
    gc.freeze()


def run_sealing(settings: Settings) -> None:
    """The same for a worker that seals the audit log and does nothing else: no other one need have the key."""
    life, stop = LifeSign("worker"), stop_when_asked()
    parts = build_sealing_worker(settings, patiently(stop))
    jobs.install_sealer(parts, parts.sealer, retainer(settings, parts.context))
    keep_counting_calls(parts, stop)
    crew = Crew(parts.queue_redis, stop)
    life.stuck = crew.stuck
    crew.start("seal", (SEAL,), 1)
    keep_watching_the_seal(parts, stop, seals=True)
    keep_watching_the_record(parts.context, stop)
    keep_doing(parts.context, "unreadable", parts.tell_unreadable, TELL_EVERY_S, stop)
    log.info("worker is ready, and seals alone")
    stop.wait()
    crew.join(STOP_WITHIN_S)
    life.close()
    parts.close()


def keep_watching_the_seal(parts: Common, stop: threading.Event, *, seals: bool) -> None:
    watch = SealWatch(parts.context, monotonic_s, seals=seals)
    if seals:
        # The clock wakes the sealer, which begins where nothing was ever sealed.
        with suppress(LedgerUnreachable):
            attempt(parts.context, "process:sealing", watch.look)
    keep_doing(parts.context, "sealing", watch.look, SEAL_LOOK_EVERY_S, stop)


def rescue(parts: WorkerParts, stop: threading.Event, pause_s: float = 1.0) -> None:
    """End what should have ended a while ago, without the queue: it may be what is broken.

    An asynchronous removal takes some looks, so the next round comes soon while there is anything to do.
    """

    def end(holding: str, grant: str) -> None:
        log.warning("an end is overdue and is done without the queue", holding=holding)
        converge(parts.context, holding, grant)

    for _ in range(RESCUE_ROUNDS):
        if not end_what_is_overdue(parts.context, end) or stop.wait(pause_s):
            return


def telling_and_mending(parts: WorkerParts) -> Callable[[], None]:
    """Say what could not be read, put what follows from the records in order again, and see what is well by now."""
    once = [list_kept_out]

    def tell_and_mend() -> None:
        parts.tell_unreadable()
        mend(parts.context)
        while once:
            once[-1](parts.context)
            once.pop()
        look_again(parts.context)

    return tell_and_mend


class Crew:
    """Threads that each run an RQ worker, and start another one when theirs gives up."""

    def __init__(self, connection: Redis, stop: threading.Event) -> None:
        self._connection = connection
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._at_work: set[OwnWorker] = set()
        self._moved_at_s: dict[str, float] = {}

    def start(self, name: str, queues: tuple[str, ...], count: int) -> None:
        for number in range(count):
            thread = threading.Thread(target=self._work_on, args=(queues,), name=f"{name}-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def healthy(self) -> bool:
        """Whether every thread has a worker that listens or works. One that starts over and over does not count."""
        return all(thread.is_alive() for thread in self._threads) and len(self._at_work) == len(self._threads)

    def stuck(self) -> str:
        """Which thread has been at one thing for minutes; empty: none. Redis may be away: its calls are shorter than that."""
        name, moved_at_s = min(self.moved_at_s().items(), key=lambda each: each[1], default=("", monotonic_s()))
        at_it_s = monotonic_s() - moved_at_s
        return f"its thread {name} has been at one thing for {at_it_s:.0f} seconds" if at_it_s > STUCK_S else ""

    def moved_at_s(self) -> dict[str, float]:
        """Thread -> when it came round last, in monotonic seconds."""
        return self._moved_at_s.copy()

    def join(self, seconds: float) -> None:
        """Wait for the jobs that are under way. A worker that only listens is not waited for: it holds nothing."""
        for worker in list(self._at_work):
            worker.take_no_more()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(worker.is_busy for worker in list(self._at_work)):
            time.sleep(0.05)

    def _work_on(self, queues: tuple[str, ...]) -> None:
        pause_s = PAUSE_S_MIN
        while not self._stop.is_set():
            self._moved()
            began_s = monotonic_s()
            self._work_once(queues)
            # One that fails again and again (full memory refuses RQ's writes) should not fill the log.
            lasted = monotonic_s() - began_s > PAUSE_S_MAX
            pause_s = PAUSE_S_MIN if lasted else min(2 * pause_s, PAUSE_S_MAX)
            self._stop.wait(pause_s)

    def _work_once(self, queues: tuple[str, ...]) -> None:
        worker: OwnWorker | None = None
        try:
            worker = self._worker(queues)
            self._at_work.add(worker)
            worker.work(logging_level="WARNING")
            if not self._stop.is_set():
                # RQ keeps what ended it to itself.
                self._mend()
        except Exception as problem:
            # Redis away, most likely. Whoever waits for removals wants this thread back.
            if isinstance(problem, RedisError):
                log.warning("a worker thread starts over", error=type(problem).__name__)
                if isinstance(problem, ResponseError):
                    self._mend()
            else:
                log_failure("a worker thread starts over", problem)
        finally:
            if worker is not None:
                self._at_work.discard(worker)

    def _mend(self) -> None:
        try:
            mend_queues(self._connection)
        except RedisError as problem:
            log.warning("the queues were not looked at", error=type(problem).__name__)

    def _worker(self, queues: tuple[str, ...]) -> OwnWorker:
        worker = OwnWorker(
            list(queues),
            connection=self._connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
            log_job_description=False,
        )
        worker.moved = self._moved
        return worker

    def _moved(self) -> None:
        self._moved_at_s[threading.current_thread().name] = monotonic_s()
