"""RQ carries wake-ups and nothing else: an item's name becomes one of our own jobs with one id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.utils import current_timestamp, now

from workflows.ledger.scripts import text_of
from workflows.ports import Due, LedgerUnreachable

log = structlog.get_logger()

# Removals come before grants; chat has workers of its own, so that a bad minute at Slack holds up neither.
REMOVE, GRANT, CHAT = "prodaccess-remove", "prodaccess-grant", "prodaccess-chat"
ACCESS_QUEUES = (REMOVE, GRANT)
ALL_QUEUES = (REMOVE, GRANT, CHAT)
# Only workers that have the key of the audit log listen to this one. Where none does, wake-ups stay in it: it says nothing of
# those in the others, and takes no more than a few.
SEAL = "prodaccess-seal"
SEALS_MAX = 3

# Kind of due item -> queue and job. RQ stores the dotted name, so a rename strands what is queued: a test pins these.
JOBS: dict[str, tuple[str, str]] = {
    "end": (REMOVE, "bot.jobs.end_grant"),
    "holding": (GRANT, "bot.jobs.converge_holding"),
    "request": (GRANT, "bot.jobs.advance_request"),
    "sweepout": (REMOVE, "bot.jobs.sweep_out"),
    "leavers": (GRANT, "bot.jobs.look_at_holders"),
    "press": (GRANT, "bot.jobs.decide_press"),
    "terminal": (GRANT, "bot.jobs.decide_terminal"),
    "activity": (GRANT, "bot.jobs.look_at_activity"),
    "review": (CHAT, "bot.jobs.chase_review"),
    "announced": (CHAT, "bot.jobs.look_whether_announced"),
    "warn": (CHAT, "bot.jobs.warn_holder"),
    "chase": (CHAT, "bot.jobs.chase_approvers"),
    "chat": (CHAT, "bot.jobs.show"),
    "digest": (CHAT, "bot.jobs.post_digest"),
    "whois": (CHAT, "bot.jobs.look_who_it_is"),
    "refusals": (CHAT, "bot.jobs.count_refusals"),
    "drift": (GRANT, "bot.jobs.look_for_drift"),
    "certification": (CHAT, "bot.jobs.see_to_certification"),
    "forge": (GRANT, "bot.jobs.answer_forge"),
    "seal": (SEAL, "bot.jobs.seal"),
    "retained": (SEAL, "bot.jobs.retain"),
}
ALLOWED = frozenset(name for _, name in JOBS.values())

# Every call that a job makes has a time-out of its own; this one is for what nobody thought of.
JOB_TIMEOUT_S = 120
FAILED_JOBS_KEPT_S = 3_600
# What RQ notes in a job's hash when it is put into its queue, by the clock of whoever sent it.
SENT_AT = "enqueued_at"


Step = Callable[[], AbstractContextManager[None]]


class UnknownKind(ValueError):
    """Something is due of a kind that this version does not know; one that does may run beside it, or have run before."""


def sent_ago_s(now_s: float, sent_at: object) -> float:
    """How long a job has waited; 0.0 where its `SENT_AT` cannot be read."""
    try:
        return max(0.0, now_s - datetime.fromisoformat(text_of(sent_at)).timestamp())
    except ValueError:
        return 0.0


def job_of(item: str) -> tuple[str, str]:
    """Queue and job of a due item. Raises UnknownKind."""
    kind = item.partition(":")[0]
    if kind not in JOBS:
        raise UnknownKind(kind)
    return JOBS[kind]


class RqWake:
    """Sends wake-ups. A lost one does no harm: what is due stands in the ledger, and the clock finds it.

    `meta`: what each carries beside its id, which no job needs; `step`: round the sending of some.
    """

    def __init__(
        self, connection: Redis, due: Due, meta: Callable[[], dict[str, str]] = dict, step: Step = nullcontext
    ) -> None:
        self._due = due
        self._meta = meta
        self._step = step
        self._connection = connection
        self._queues = {
            name: Queue(name, connection=connection, serializer=JSONSerializer) for name in (*ALL_QUEUES, SEAL)
        }

    def __call__(self, *items: str) -> None:
        try:
            with self._step():
                self.send(*self._due.waking(*items))
        except (RedisError, LedgerUnreachable) as problem:
            log.warning("a wake-up was not sent; the clock will find it", error=type(problem).__name__)

    def send(self, *items: str) -> None:
        """Enqueue the jobs for due items, in one round trip. Raises redis errors and UnknownKind."""
        jobs = [(*job_of(item), item.partition(":")[2]) for item in items]
        wanted = [job for job in jobs if job[0] != SEAL or self._queues[SEAL].count < SEALS_MAX]
        try:
            self._enqueue(wanted)
        except ResponseError:
            if not mend_queues(self._connection):
                raise
            # Those that were put into another queue are woken twice, which does no harm.
            self._enqueue(wanted)

    def _enqueue(self, jobs: Sequence[tuple[str, str, str]]) -> None:
        what: dict[str, Any] = {"timeout": JOB_TIMEOUT_S, "result_ttl": 0, "failure_ttl": FAILED_JOBS_KEPT_S}
        if meta := self._meta():
            what["meta"] = meta
        if not jobs:
            return
        with self._connection.pipeline() as pipe:
            for queue, name, id_ in jobs:
                self._queues[queue].enqueue_call(name, args=(id_,), pipeline=pipe, **what)
            pipe.execute()


class OwnJob(Job):
    """A job as RQ keeps it, which names nothing but one of our functions: whatever else it names is never imported or called,
    wherever in RQ somebody looks at it.
    """

    success_callback = failure_callback = stopped_callback = None

    def restore(self, raw_data: Any) -> Any:
        try:
            return super().restore(raw_data)
        except NoSuchJobError:
            raise
        except Exception as problem:
            # What cannot be read was not written by us, and must not end whoever took it.
            raise NoSuchJobError(f"job {self.id} cannot be read ({type(problem).__name__})") from None

    @property
    def func(self) -> Any:
        if self.func_name not in ALLOWED:
            raise ValueError("not one of our functions")
        return super().func

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """Nobody is called."""


class OwnWorker(SimpleWorker):
    """An RQ worker that lives in a thread beside others and runs our own jobs only.

    Whoever can write to Redis could enqueue any importable function, with callbacks and web hooks.
    """

    job_class = OwnJob
    death_penalty_class = TimerDeathPenalty  # the default one is made of signals, which only the main thread gets
    is_busy = False
    moved: Callable[[], None] = staticmethod(lambda: None)
    max_connection_wait_time = 2.0  # after a restart of Redis, work goes on within seconds

    def _install_signal_handlers(self) -> None:
        """The process handles its signals."""

    def subscribe(self) -> None:
        """No commands over publish and subscribe: nobody stops our workers through Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def check_for_suspension(self, *_: Any) -> None:
        """Nobody suspends our workers through Redis either: RQ's mark for it would stand for ever, and nothing would say so."""

    def procline(self, message: str) -> None:
        """The title of the process belongs to the process."""

    def run_maintenance_tasks(self) -> None:
        """RQ's own looks into jobs that were left behind, and imports what they name. Ours are wake-ups: they are forgotten."""
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None and keeps a time
        for queue in self.queues:
            if queue.acquire_maintenance_lock():
                forget_abandoned(queue)
                worker_registration.clean_worker_registry(queue)
                queue.release_maintenance_lock()  # type: ignore[no-untyped-call]  # RQ is typed in part

    def execute_job(self, job: Job, queue: Queue) -> None:
        if not is_ours(job):
            log.error("a job that is not ours was found in the queue and dropped", job=job.id)
            job.delete()
            return
        if self._stop_requested:
            # Taken from the queue while stopping: another worker gets it.
            give_back(job, queue)
            return
        self.is_busy = True
        try:
            super().execute_job(job, queue)
        finally:
            self.is_busy = False

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's own sign, which needs Redis; it comes between two looks into the queues, also while Redis is away."""
        self.moved()
        super().heartbeat(timeout, pipeline)

    def take_no_more(self) -> None:
        """Stop after the job that is under way."""
        self._stop_requested = True


def give_back(job: Job, queue: Queue) -> None:
    """To whoever takes the next one. If this fails, the item is due again after five seconds."""
    with queue.connection.pipeline() as pipe:
        pipe.lrem(queue.intermediate_queue.key, 0, job.id)
        queue.push_job_id(job.id, pipeline=pipe)
        pipe.execute()


def forget_abandoned(queue: Queue) -> None:
    """Wake-ups whose worker has died: what they were for is still due. Nothing of them is read but their ids."""
    started, taken = StartedJobRegistry(queue=queue), queue.intermediate_queue
    left = [id_ for id_ in taken.get_job_ids() if not taken.set_first_seen(id_) and taken.should_be_cleaned_up(id_)]
    expired = {*started.get_expired_job_ids(), *left}
    with queue.connection.pipeline() as pipe:
        for id_ in expired:
            pipe.delete(OwnJob.key_for(id_))
        for id_ in left:
            pipe.lrem(taken.key, 0, id_)
        for registry in (started, FailedJobRegistry(queue=queue)):
            pipe.zremrangebyscore(registry.key, "-inf", current_timestamp())
        pipe.execute()


# What RQ keeps for a queue, and the type that it has: `{}` is the queue's name.
_RQ_KEYS = {
    "rq:queues": "set",
    "rq:workers": "set",
    "rq:queue:{}": "list",
    "rq:queue:{}:intermediate": "list",
    "rq:workers:{}": "set",
    "rq:wip:{}": "zset",
    "rq:failed:{}": "zset",
    "rq:finished:{}": "zset",
    "rq:deferred:{}": "zset",
    "rq:scheduled:{}": "zset",
    "rq:canceled:{}": "zset",
}


def mend_queues(connection: Redis) -> list[str]:
    """Delete what stands in the place of RQ's keys and is of another type; returns their names. Queues carry wake-ups only,
    and the clock sends those again.
    """
    wanted = {name.format(queue): kind for queue in (*ALL_QUEUES, SEAL) for name, kind in _RQ_KEYS.items()}
    with connection.pipeline(transaction=False) as pipe:
        for name in wanted:
            pipe.type(name)
        found = zip(wanted.items(), pipe.execute(), strict=True)
    broken = [name for (name, kind), type_ in found if type_.decode() not in (kind, "none")]
    if broken:
        log.error("keys of the queues were of another type, and were deleted", keys=broken)
        connection.delete(*broken)
    return broken


def is_ours(job: Job) -> bool:
    """One of our functions, with one id, and nothing that would run beside it."""
    try:
        extras: list[Any] = [job.instance, job.kwargs, job.dependency_ids]
        callbacks = [getattr(job, f"_{when}_callback_name", None) for when in ("success", "failure", "stopped")]
        hooks = getattr(job, "webhooks", None)
        args = job.args
    except Exception:
        # What cannot even be read was not written by us.
        log.exception("a job in the queue cannot be read")
        return False
    plain = len(args) == 1 and isinstance(args[0], str)
    return job.func_name in ALLOWED and plain and not any((*extras, *callbacks, hooks))
