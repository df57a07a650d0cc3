"""Who takes wake-ups from the queues: RQ's worker without what RQ writes about each job.

A wake-up that is lost is sent again, so that nothing need be noted of it while it runs, and nothing when it is over: it goes
from the server in the moment in which it is begun. RQ's own way costs some 25 round trips a job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import NoSuchJobError
from rq.job import Job, _job_stack
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.timeouts import JobTimeoutException, TimerDeathPenalty
from rq.utils import current_timestamp, now

from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.queues import ALLOWED, JOB_TIMEOUT_S

log = structlog.get_logger()

# RQ lists a worker for as long as it has been heard of; it is heard of this often, and not with each job.
HEARD_EVERY_S = 5.0


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

    def perform(self) -> Any:
        """As RQ does, for a job that is not in Redis any more."""
        _job_stack.push(self)  # type: ignore[no-untyped-call]  # RQ is typed in part
        try:
            return self._execute()
        finally:
            _job_stack.pop()  # type: ignore[no-untyped-call]  # as above


class OwnWorker(SimpleWorker):
    """An RQ worker that lives in a thread beside others and runs our own jobs only.

    Whoever can write to Redis could enqueue any importable function, with callbacks and web hooks.
    """

    job_class = OwnJob
    death_penalty_class = TimerDeathPenalty  # the default one is made of signals, which only the main thread gets
    is_busy = False
    _heard_at_s = float("-inf")
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
            taken(job, queue)
            with TimerDeathPenalty(JOB_TIMEOUT_S, JobTimeoutException):  # type: ignore[no-untyped-call]  # as above
                job.perform()
        except RedisError:
            raise
        except Exception as problem:
            # What a job meets it sees to itself; this is what nobody thought of, and what it was for is still due.
            log_failure("a job was not carried out", problem, job=str(job.func_name))
        finally:
            self.is_busy = False

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's own sign, which needs Redis; it comes between two looks into the queues, also while Redis is away."""
        self.moved()
        if pipeline is not None or monotonic_s() - self._heard_at_s >= HEARD_EVERY_S:
            super().heartbeat(timeout, pipeline)
            self._heard_at_s = monotonic_s()

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ARG002 - as RQ has it
        """Whether it is idle is asked of the thread, and not of Redis."""
        self._state = state

    def take_no_more(self) -> None:
        """Stop after the job that is under way."""
        self._stop_requested = True


def taken(job: Job, queue: Queue) -> None:
    """Off the server with it: if its worker dies, what it was for is due again after five seconds."""
    with queue.connection.pipeline(transaction=False) as pipe:
        pipe.lrem(queue.intermediate_queue.key, 1, job.id)
        pipe.delete(job.key)
        pipe.execute()


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


def is_ours(job: Job) -> bool:
    """One of our functions, with one id, and nothing that would run beside it."""
    try:
        extras: list[Any] = [job.instance, job.kwargs, job._dependency_ids]
        callbacks = [getattr(job, f"_{when}_callback_name", None) for when in ("success", "failure", "stopped")]
        hooks = getattr(job, "webhooks", None)
        args = job.args
    except Exception:
        # What cannot even be read was not written by us.
        log.exception("a job in the queue cannot be read")
        return False
    plain = len(args) == 1 and isinstance(args[0], str)
    return job.func_name in ALLOWED and plain and not any((*extras, *callbacks, hooks))
