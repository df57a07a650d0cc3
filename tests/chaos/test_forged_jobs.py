"""Whoever can write to Redis can put anything into a queue: what is not ours is dropped, and work goes on."""

from __future__ import annotations

import json
from pathlib import Path

import redis
from rq import Callback, Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from bot.queues import ALL_QUEUES, CHAT, REMOVE
from tests.chaos.rig import Rig, id_of


def test_forged_jobs_are_dropped_and_not_run(rig: Rig, tmp_path: Path) -> None:
    case = rig.case()
    card = case.active()
    trace = tmp_path / "trace"
    touch = f"touch {trace}"
    with redis.Redis.from_url(rig.redis.url) as client:
        for name in ALL_QUEUES:
            plain, pickled = Queue(name, connection=client, serializer=JSONSerializer), Queue(name, connection=client)
            plain.enqueue("os.system", touch)
            plain.enqueue("subprocess.check_call", ["touch", str(trace)])
            plain.enqueue("bot.jobs.show", id_of(card), on_success=Callback("os.system"))
            plain.enqueue("bot.jobs.show", id_of(card), on_failure=Callback("os.system"))
            plain.enqueue("bot.jobs.show", kwargs={"subject": id_of(card)})
            plain.enqueue("bot.jobs.end_grant", ["PA-1"])
            plain.enqueue("bot.jobs.end_grant", id_of(card), touch)
            plain.enqueue("bot.jobs.install", id_of(card))
            plain.enqueue("bot.jobs.converge_holding.__globals__", "x")
            # By pickle, which would run code while it is read.
            pickled.enqueue("os.system", touch)
            client.hset("rq:job:broken", mapping={"data": b"\x00not json", "created_at": "2026-01-01T00:00:00Z"})
            client.lpush(f"rq:queue:{name}", "broken", "no-such-job")
    rig.until(lambda: not rig.queued(), "all of it is taken from the queues")
    assert not trace.exists()
    assert rig.has(case), "no forged job has ended it"
    assert rig.processes["worker"].alive()
    rig.wait_ready()
    rig.end(id_of(card))
    case.card("Revoked")
    assert rig.gone(case)
    log = rig.processes["worker"].log.read_text()
    assert log.count("not ours was found in the queue") >= 8 * len(ALL_QUEUES)
    rig.assert_once(id_of(card), "grant.active", "grant.revoked")


def test_our_own_functions_with_strange_ids_harm_nothing(rig: Rig) -> None:
    """Names, texts and control characters in place of an id: at most an error in the log."""
    case = rig.case()
    card = case.active()
    with redis.Redis.from_url(rig.redis.url) as client:
        for id_ in ("", "PA-9999", "../../x", "PA-1\n", "\x00", "é" * 5000, json.dumps({"a": 1})):
            for name in ("end_grant", "converge_holding", "advance_request", "warn_holder", "count_refusals", "show"):
                queue = CHAT if name in ("show", "warn_holder") else REMOVE
                Queue(queue, connection=client, serializer=JSONSerializer).enqueue(f"bot.jobs.{name}", id_)
    rig.until(lambda: not rig.queued(), "all of it is taken from the queues")
    assert rig.has(case)
    rig.end(id_of(card))
    case.card("Revoked")
    with redis.Redis.from_url(rig.redis.url) as client:
        assert client.zcard("prodaccess:due") < 20
    assert DefaultSerializer is not JSONSerializer
