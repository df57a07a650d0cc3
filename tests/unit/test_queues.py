"""What may be on our queues, and under which names."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from bot import jobs
from bot.queues import ACCESS_QUEUES, ALLOWED, GRANT, JOBS, REMOVE, is_ours


def test_the_names_on_the_queue_never_change():
    # RQ stores these: a rename strands the removals that are queued during an upgrade.
    assert {kind: name for kind, (_, name) in JOBS.items()} == {
        "end": "bot.jobs.end_grant",
        "holding": "bot.jobs.converge_holding",
        "request": "bot.jobs.advance_request",
        "sweepout": "bot.jobs.sweep_out",
        "press": "bot.jobs.decide_press",
        "review": "bot.jobs.chase_review",
        "announced": "bot.jobs.look_whether_announced",
        "warn": "bot.jobs.warn_holder",
        "chase": "bot.jobs.chase_approvers",
        "chat": "bot.jobs.show",
        "digest": "bot.jobs.post_digest",
        "whois": "bot.jobs.look_who_it_is",
        "refusals": "bot.jobs.count_refusals",
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
