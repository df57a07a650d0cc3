"""RQ carries wake-ups and nothing else: an item's name becomes one of our own jobs with one id."""

from __future__ import annotations

from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from workflows.ports import Due, LedgerUnreachable

log = structlog.get_logger()

# Removals come before grants; chat has workers of its own, so that a bad minute at Slack holds up neither.
REMOVE, GRANT, CHAT = "prodaccess-remove", "prodaccess-grant", "prodaccess-chat"
ACCESS_QUEUES = (REMOVE, GRANT)
ALL_QUEUES = (REMOVE, GRANT, CHAT)

# Kind of due item -> queue and job. RQ stores the dotted name, so a rename strands what is queued: a test pins these.
JOBS: dict[str, tuple[str, str]] = {
    "end": (REMOVE, "bot.jobs.end_grant"),
    "holding": (GRANT, "bot.jobs.converge_holding"),
    "request": (GRANT, "bot.jobs.advance_request"),
    "sweepout": (REMOVE, "bot.jobs.sweep_out"),
    "press": (GRANT, "bot.jobs.decide_press"),
    "review": (CHAT, "bot.jobs.chase_review"),
    "announced": (CHAT, "bot.jobs.look_whether_announced"),
    "warn": (CHAT, "bot.jobs.warn_holder"),
    "chase": (CHAT, "bot.jobs.chase_approvers"),
    "chat": (CHAT, "bot.jobs.show"),
    "digest": (CHAT, "bot.jobs.post_digest"),
    "whois": (CHAT, "bot.jobs.look_who_it_is"),
    "refusals": (CHAT, "bot.jobs.count_refusals"),
}
ALLOWED = frozenset(name for _, name in JOBS.values())

# Every call that a job makes has a time-out of its own; this one is for what nobody thought of.
JOB_TIMEOUT_S = 120
FAILED_JOBS_KEPT_S = 3_600


class RqWake:
    """Sends wake-ups. A lost one does no harm: what is due stands in the ledger, and the clock finds it."""

    def __init__(self, connection: Redis, due: Due) -> None:
        self._due = due
        self._queues = {name: Queue(name, connection=connection, serializer=JSONSerializer) for name in ALL_QUEUES}

    def __call__(self, *items: str) -> None:
        try:
            for item in items:
                if self._due.waking(item):
                    self.send(item)
        except (RedisError, LedgerUnreachable) as problem:
            log.warning("a wake-up was not sent; the clock will find it", error=type(problem).__name__)

    def send(self, item: str) -> None:
        """Enqueue the job for a due item. Raises redis errors, and KeyError for a kind of item that does not exist."""
        kind, _, id_ = item.partition(":")
        queue, name = JOBS[kind]
        self._queues[queue].enqueue_call(
            name, args=(id_,), timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=FAILED_JOBS_KEPT_S
        )


class OwnWorker(SimpleWorker):
    """An RQ worker that lives in a thread beside others and runs our own jobs only.

    Whoever can write to Redis could enqueue any importable function, with callbacks and web hooks.
    """

    death_penalty_class = TimerDeathPenalty  # the default one is made of signals, which only the main thread gets
    is_busy = False
    max_connection_wait_time = 2.0  # after a restart of Redis, work goes on within seconds

    def _install_signal_handlers(self) -> None:
        """The process handles its signals."""

    def subscribe(self) -> None:
        """No commands over publish and subscribe: nobody stops our workers through Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def procline(self, message: str) -> None:
        """The title of the process belongs to the process."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        if not is_ours(job):
            log.error("a job that is not ours was found in the queue and dropped", job=job.id)
            job.delete()
            return
        if self._stop_requested:
            # Taken from the queue while stopping: the item stays due, and another worker gets it.
            return
        self.is_busy = True
        try:
            super().execute_job(job, queue)
        finally:
            self.is_busy = False

    def take_no_more(self) -> None:
        """Stop after the job that is under way."""
        self._stop_requested = True


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
