"""RQ carries wake-ups and nothing else: an item's name becomes one of our own jobs with one id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue
from rq.serializers import JSONSerializer

from workflows.ledger.scripts import text_of
from workflows.ports import Due, LedgerUnreachable

log = structlog.get_logger()

# Removals come before grants; chat has workers of its own, so that a bad minute at Slack holds up neither.
REMOVE, GRANT, CHAT = "prodaccess-remove", "prodaccess-grant", "prodaccess-chat"
ACCESS_QUEUES = (REMOVE, GRANT)
# For some of a worker's threads: whoever waits for access gets it while a thousand ends are on their way.
GRANTS_FIRST = (GRANT, REMOVE)
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
# Kinds of which one job may name several things, and what stands between their ids.
TOGETHER, SEPARATOR = frozenset({"end", "holding"}), " "
TOGETHER_MAX = 32
# What is due at once makes so many jobs at least: other threads, and other workers, have time for it.
SPREAD = 8
# While as many jobs wait, no thread is free for another one: then so many things go together, which a worker does in step.
TOGETHER_BUSY = 8
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


def in_jobs(
    items: Sequence[str], alone: Callable[[str], bool], spread: int = SPREAD, *, least: int = 1
) -> list[tuple[str, ...]]:
    """Which of these go into one job, in their order. `alone`: whether one has to go by itself. `least`: so many go together
    where there are as many.
    """
    jobs: list[tuple[str, ...]] = []
    kinds: dict[str, list[str]] = {}
    for item in items:
        kind = item.partition(":")[0]
        if kind in TOGETHER and not reads_like_several(item) and not alone(item):
            kinds.setdefault(kind, []).append(item)
        else:
            jobs.append((item,))
    for found in kinds.values():
        size = max(least, min(TOGETHER_MAX, len(found) // spread))
        jobs += [tuple(found[start : start + size]) for start in range(0, len(found), size)]
    return jobs


def _job_for(items: Sequence[str]) -> tuple[str, str, str]:
    """Queue, job and ids. What is much goes behind the removals, whatever its kind: only the clock finds much at once, and
    whoever waits for what follows from their own act does not stand behind it.
    """
    queue, name = job_of(items[0])
    ids = SEPARATOR.join(item.partition(":")[2] for item in items)
    return (REMOVE if len(items) > 1 else queue), name, ids


def reads_like_several(item: str) -> bool:
    """Whether a worker could not tell this one item from several. We write none like it."""
    kind, _, id_ = item.partition(":")
    return kind in TOGETHER and SEPARATOR in id_


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
                self._push([(item,) for item in self._due.waking(*items)])
        except (RedisError, LedgerUnreachable) as problem:
            log.warning("a wake-up was not sent; the clock will find it", error=type(problem).__name__)

    def send(self, *items: str) -> None:
        """Enqueue one job for due items, all of one kind. Raises redis errors and UnknownKind."""
        self._push([items])

    def waiting(self) -> int:
        """How many jobs wait behind the removals. Raises redis errors."""
        return self._queues[REMOVE].count

    def _push(self, many: Sequence[tuple[str, ...]]) -> None:
        """A job for each of these, in one round trip."""
        wanted = [_job_for(items) for items in many]
        full = any(queue == SEAL for queue, _, _ in wanted) and self._queues[SEAL].count >= SEALS_MAX
        jobs = [one for one in wanted if not (full and one[0] == SEAL)]
        if not jobs:
            return
        try:
            self._enqueue(jobs)
        except ResponseError:
            if not mend_queues(self._connection):
                raise
            # Those that were put into another queue are woken twice, which does no harm.
            self._enqueue(jobs)

    def _enqueue(self, jobs: Sequence[tuple[str, str, str]]) -> None:
        what: dict[str, Any] = {"timeout": JOB_TIMEOUT_S, "result_ttl": 0, "failure_ttl": FAILED_JOBS_KEPT_S}
        if meta := self._meta():
            what["meta"] = meta
        with self._connection.pipeline() as pipe:
            for queue, name, ids in jobs:
                self._queues[queue].enqueue_call(name, args=(ids,), pipeline=pipe, **what)
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
