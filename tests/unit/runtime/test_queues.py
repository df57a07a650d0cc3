"""What may be on our queues, and under which names."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.suspension import suspend

from bot import jobs
from bot.queues import ACCESS_QUEUES, ALL_QUEUES, ALLOWED, GRANT, GRANTS_FIRST, JOBS, REMOVE, RqWake, mend_queues
from bot.runtime.queue_worker import OwnWorker, is_ours
from bot.worker import ACCESS_THREADS, GRANTS_FIRST_THREADS, Crew
from tests.support.round_trips import round_trips


def test_the_names_on_the_queue_never_change():
    # RQ stores these: a rename strands the removals that are queued during an upgrade.
    assert {kind: name for kind, (_, name) in JOBS.items()} == {
        "end": "bot.jobs.end_grant",
        "holding": "bot.jobs.converge_holding",
        "request": "bot.jobs.advance_request",
        "sweepout": "bot.jobs.sweep_out",
        "leavers": "bot.jobs.look_at_holders",
        "press": "bot.jobs.decide_press",
        "terminal": "bot.jobs.decide_terminal",
        "activity": "bot.jobs.look_at_activity",
        "review": "bot.jobs.chase_review",
        "announced": "bot.jobs.look_whether_announced",
        "warn": "bot.jobs.warn_holder",
        "chase": "bot.jobs.chase_approvers",
        "chat": "bot.jobs.show",
        "digest": "bot.jobs.post_digest",
        "whois": "bot.jobs.look_who_it_is",
        "refusals": "bot.jobs.count_refusals",
        "drift": "bot.jobs.look_for_drift",
        "certification": "bot.jobs.see_to_certification",
        "forge": "bot.jobs.answer_forge",
        "seal": "bot.jobs.seal",
        "retained": "bot.jobs.retain",
    }


def test_every_name_is_a_function_that_takes_one_id():
    for name in ALLOWED:
        function = getattr(jobs, name.rpartition(".")[2])
        assert function.__code__.co_argcount == 1


def test_removals_come_before_grants():
    assert ACCESS_QUEUES == (REMOVE, GRANT)
    assert JOBS["end"][0] == REMOVE


def job(connection: redis.Redis, function: str, *args: Any, **more: Any) -> Job:
    return Queue("q", connection=connection, serializer=JSONSerializer).enqueue_call(function, args=args, **more)


@pytest.fixture
def connection(redis_url: str):
    with redis.Redis.from_url(redis_url) as client:
        yield client


def test_our_own_job_is_ours(connection):
    assert is_ours(job(connection, "bot.jobs.end_grant", "PA-1"))


def test_a_function_of_somebody_else_is_not(connection):
    assert not is_ours(job(connection, "os.system", "true"))
    assert not is_ours(job(connection, "bot.jobs.install", "x"))


def test_our_function_with_anything_but_one_id_is_not(connection):
    assert not is_ours(job(connection, "bot.jobs.end_grant"))
    assert not is_ours(job(connection, "bot.jobs.end_grant", "PA-1", "PA-2"))
    assert not is_ours(job(connection, "bot.jobs.end_grant", {"id": "PA-1"}))
    assert not is_ours(job(connection, "bot.jobs.end_grant", "PA-1", kwargs={"more": 1}))


def test_our_function_with_a_callback_is_not(connection):
    forged = job(connection, "bot.jobs.end_grant", "PA-1")
    connection.hset(forged.key, "success_callback_name", "os.system")
    assert not is_ours(Job.fetch(forged.id, connection=connection, serializer=JSONSerializer))


# ---------------------------------------------------------------- what somebody else has put there


def at_work(connection: redis.Redis) -> OwnWorker:
    """A worker of ours, with its maintenance, until its queue is empty."""
    worker = OwnWorker([REMOVE], connection=connection, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")
    return worker


@pytest.fixture
def nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def refuse(name: str) -> Any:
        asked.append(name)
        raise AssertionError(f"{name} must not be imported")

    for module in ("rq.job", "rq.utils"):
        monkeypatch.setattr(f"{module}.import_attribute", refuse)
    return asked


@pytest.mark.parametrize("left_in", ["wip", "intermediate"])
def test_what_an_abandoned_job_names_is_never_imported(connection, nothing_is_imported, left_in):
    forged = job(connection, "bot.jobs.end_grant", "PA-1")
    names = {f"{when}_callback_name": "antigravity.geohash" for when in ("success", "failure", "stopped")}
    connection.hset(forged.key, mapping={**names, "retries_left": 3, "origin": REMOVE})
    if left_in == "wip":
        connection.zadd(f"rq:wip:{REMOVE}", {f"{forged.id}:execution": 1})
    else:
        connection.rpush(f"rq:queue:{REMOVE}:intermediate", forged.id)
        connection.set(f"rq:queue:{REMOVE}:intermediate:first_seen:{forged.id}", 1.0)
    at_work(connection)
    assert nothing_is_imported == []
    assert not connection.exists(forged.key)
    assert not connection.zcard(f"rq:wip:{REMOVE}")
    assert not connection.llen(f"rq:queue:{REMOVE}:intermediate")
    assert not connection.zcard(f"rq:failed:{REMOVE}")


def test_a_forged_job_in_the_queue_is_dropped_without_an_import(connection, nothing_is_imported):
    queue = Queue(REMOVE, connection=connection, serializer=JSONSerializer)
    forged = queue.enqueue_call("antigravity.geohash", args=("x",))
    hooked = queue.enqueue_call("bot.jobs.end_grant", args=("PA-1",))
    connection.hset(hooked.key, "failure_callback_name", "antigravity.geohash")
    at_work(connection)
    assert nothing_is_imported == []
    assert not connection.exists(forged.key, hooked.key)


@pytest.mark.parametrize(
    "fields",
    [{"data": b"\xff"}, {"data": b"{}", "created_at": "never"}, {"data": b"[]", "timeout": "x"}, {"nothing": "x"}],
)
def test_a_job_that_cannot_be_read_ends_no_worker(connection, fields):
    connection.hset("rq:job:broken", mapping=fields)
    connection.rpush(f"rq:queue:{REMOVE}", "broken")
    assert at_work(connection).failed_job_count == 0
    assert connection.llen(f"rq:queue:{REMOVE}") == 0


class Nothing:
    """A `Due` that lets everything be sent."""

    def waking(self, *items: str) -> Sequence[str]:
        return items


@pytest.mark.parametrize(
    "key",
    [
        *(f"rq:queue:{name}" for name in ALL_QUEUES),
        *(
            f"rq:{kind}:{GRANT}"
            for kind in ("wip", "failed", "finished", "deferred", "scheduled", "canceled", "workers")
        ),
        f"rq:queue:{GRANT}:intermediate",
        "rq:queues",
        "rq:workers",
    ],
)
def test_a_key_of_the_queues_that_was_written_over_is_made_again(connection, key):
    connection.hset(key, "x", "y") if not key.startswith("rq:queue:") else connection.set(key, "x")
    assert mend_queues(connection) == [key]
    wake = RqWake(connection, Nothing())
    wake("end:PA-1", "holding:H-1", "chat:PA-1")
    assert [connection.llen(f"rq:queue:{name}") for name in ALL_QUEUES] == [1, 1, 1]


@pytest.mark.parametrize("key", [f"rq:wip:{GRANT}", f"rq:workers:{GRANT}", "rq:workers"])
def test_a_worker_that_ends_by_a_key_of_another_type_has_it_mended(connection, key):
    """RQ says nothing of it to whoever started the worker: the queue stood still for ever."""
    connection.set(key, "x")
    Queue(GRANT, connection=connection, serializer=JSONSerializer).enqueue("bot.jobs.converge_holding", "H-1")
    Crew(connection, threading.Event())._work_once((GRANT,))
    assert connection.type(key) != b"string"


def test_nobody_suspends_our_workers_through_redis(connection):
    suspend(connection)
    Queue(GRANT, connection=connection, serializer=JSONSerializer).enqueue("os.system", "true")
    OwnWorker([GRANT], connection=connection, serializer=JSONSerializer).work(burst=True)
    assert connection.llen(f"rq:queue:{GRANT}") == 0


def test_a_wake_up_is_sent_although_its_queue_was_written_over(connection):
    connection.set(f"rq:queue:{REMOVE}", "x")
    RqWake(connection, Nothing())("end:PA-1")
    assert connection.llen(f"rq:queue:{REMOVE}") == 1


def test_what_a_worker_draws_while_it_stops_waits_for_the_next_one(connection):
    queue = Queue(GRANT, connection=connection, serializer=JSONSerializer)
    queue.enqueue_call("bot.jobs.converge_holding", args=("H-1",), result_ttl=0)
    worker = at_work(connection)
    (drawn,) = queue.jobs
    connection.lmove(queue.key, queue.intermediate_queue.key)
    worker.take_no_more()
    worker.execute_job(drawn, queue)
    assert queue.job_ids == [drawn.id]
    assert queue.intermediate_queue.get_job_ids() == []


def test_a_wake_up_costs_three_round_trips_and_leaves_nothing_behind(connection, monkeypatch):
    """Taken, read, and off the server: what it was for is due, whatever becomes of its worker."""
    done: list[str] = []
    monkeypatch.setattr(jobs, "converge_holding", lambda id_: done.append(id_))
    queue = Queue(GRANT, connection=connection, serializer=JSONSerializer)
    many = [f"H-{number}" for number in range(20)]
    for id_ in many:
        queue.enqueue_call("bot.jobs.converge_holding", args=(id_,), result_ttl=0)
    with round_trips(connection) as sent:
        OwnWorker(list(ACCESS_QUEUES), connection=connection, serializer=JSONSerializer).work(burst=True)
    assert done == many
    # Some more to begin and to stop.
    assert len(sent) <= 4 * len(many) + 40
    assert not list(connection.scan_iter("rq:job:*"))
    assert not list(connection.scan_iter("rq:wip:*"))


def test_a_job_that_raises_ends_no_worker_and_is_not_kept(connection, monkeypatch):
    asked: list[str] = []

    def fails(id_: str) -> None:
        asked.append(id_)
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(jobs, "end_grant", fails)
    RqWake(connection, Nothing())("end:PA-1", "end:PA-2")
    at_work(connection)
    assert asked == ["PA-1", "PA-2"]
    assert not list(connection.scan_iter("rq:job:*"))


def test_what_follows_from_somebodys_act_stands_behind_no_crowd_that_the_clock_has_found(connection):
    """An approval in the middle of a thousand looks after an end is given at once: a thread looks for grants first."""
    wake = RqWake(connection, Nothing())
    for number in range(3):
        wake.send(f"holding:H-{number}", f"holding:H-{number}-too")
    wake("holding:H-7", "end:PA-7")
    wake("holding:H-8")

    def waiting(name: str) -> list[str]:
        return [*(job.args[0] for job in Queue(name, connection=connection, serializer=JSONSerializer).jobs)]

    # In their order: nobody who acts later overtakes who has acted before.
    assert waiting(GRANT) == ["H-7", "H-8"]
    assert waiting(REMOVE) == ["H-0 H-0-too", "H-1 H-1-too", "H-2 H-2-too", "PA-7"]


def test_some_threads_look_for_grants_first_and_all_look_for_removals():
    assert GRANTS_FIRST == (GRANT, REMOVE)
    assert 0 < GRANTS_FIRST_THREADS < ACCESS_THREADS
