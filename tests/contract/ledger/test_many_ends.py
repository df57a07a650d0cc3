"""Many ends in the same second: what they cost is counted, and none of them stands in another one's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from rq.serializers import JSONSerializer

from bot import jobs
from bot.queues import ACCESS_QUEUES, REMOVE, RqWake, in_jobs
from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from bot.runtime.queue_worker import OwnWorker
from tests.contract.ledger.many_ends_world import MANY, crowded, overdue, states
from tests.support.redis_world import RedisWorld
from tests.support.round_trips import round_trips
from workflows.core import keys
from workflows.core.records.grant import GrantState
from workflows.ledger import codec
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ledger.scripts import Server
from workflows.ports import LEASE_S, LeaseOver, Renewing, TargetInDoubt
from workflows.usecases.fulfilment.converge_many import AT_ONCE, end_grants


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url) as found:
        found.flushdb()
        yield found


@pytest.fixture
def world(client: Any, redis_url: str) -> Iterator[RedisWorld]:
    with crowded(client, redis_url) as found:
        yield found


def test_an_end_among_many_costs_25_round_trips_at_most_and_half_a_job(world: RedisWorld, client: Any) -> None:
    ids = overdue(world)
    jobs.install(SimpleNamespace(context=world.ctx, due=world.due, redis=client))  # type: ignore[arg-type]  # as far as they look
    wake = RqWake(client, world.due)
    sent_jobs = in_jobs([item for item in world.look() if item.startswith("end:")], lambda _: False)
    with round_trips(client) as sent:
        for items in sent_jobs:
            wake.send(*items)
        OwnWorker(list(ACCESS_QUEUES), connection=client, serializer=JSONSerializer).work(burst=True)
    assert states(world, ids) == {GrantState.ENDED}
    assert not any(world.has_access(id_) for id_ in ids)
    assert len(sent_jobs) <= MANY / 2
    assert len(sent) <= 25 * MANY, b"\n".join(sent)


def test_what_many_ask_of_the_ledger_goes_there_together(world: RedisWorld, client: Any) -> None:
    first, *ids = overdue(world, AT_ONCE + 1)
    # The server has all scripts by then, and is known to be durable.
    end_grants(world.ctx, [first])
    with round_trips(client) as sent:
        end_grants(world.ctx, ids)
    assert states(world, ids) == {GrantState.ENDED}
    # As many as one of them by itself.
    assert len(sent) <= 12, b"\n".join(sent)


def test_a_record_that_has_not_changed_is_read_from_its_json_once(
    world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, decoded, really = overdue(world, AT_ONCE), [], codec.load
    monkeypatch.setattr(
        codec, "load", lambda kind, body, where: decoded.append(body) or really(kind, body, where=where)
    )
    end_grants(world.ctx, ids)
    assert states(world, ids) == {GrantState.ENDED}
    read = [body for body in decoded if b'"holding":' in body]
    assert len(set(read)) == len(read)


def test_all_leases_of_a_process_are_renewed_in_one_round_trip(world: RedisWorld, client: Any) -> None:
    held = [world.ledger.acquire(f"holding:H-{number}") for number in range(AT_ONCE)]
    keeper = BackgroundLeaseRenewer(world.ledger, time.monotonic)
    # It renews when it is told to.
    keeper.close()
    with ExitStack() as under:
        current = [under.enter_context(keeper.keep(lease)) for lease in held if lease]
        # The server has the script by then.
        keeper.renew()
        with round_trips(client) as sent:
            keeper.renew()
        longer = [lease() for lease in current]
    assert len(sent) == 1
    assert all(new.deadline_s > old.deadline_s for new, old in zip(longer, held, strict=True) if new and old)
    assert None not in longer


def test_a_lease_that_is_renewed_with_others_lasts_from_before_the_question(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    ledger = RedisLedger(client, durability="volatile", monotonic=lambda: now_s[0])
    lease, really = ledger.acquire("holding:H-1"), Server.run_together

    def slow(*args: Any) -> list[Any]:
        now_s[0] += 2.0
        return really(*args)

    assert lease is not None
    monkeypatch.setattr(Server, "run_together", slow)
    now_s[0] += 1.0
    assert ledger.together([Renewing(lease)]) == [replace(lease, deadline_s=1.0 + LEASE_S)]


def test_one_whose_target_is_silent_holds_up_none_of_the_others(
    world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = overdue(world, 4)
    silent, target = world.grant(ids[1]).resource, world.target()
    really = target.revoke

    def revoke(resource: Any, before_send: Any) -> Any:
        if resource == silent:
            raise TargetInDoubt("no answer")
        return really(resource, before_send)

    monkeypatch.setattr(target, "revoke", revoke)
    outcomes = end_grants(world.ctx, ids)
    assert dict(outcomes) == dict.fromkeys(ids)
    assert [world.grant(id_).state for id_ in ids] == [
        GrantState.REVOKING if id_ == ids[1] else GrantState.ENDED for id_ in ids
    ]


def test_a_fault_of_one_is_its_own_and_the_others_end(world: RedisWorld, client: Any) -> None:
    ids = overdue(world, 4)
    client.set(f"prodaccess:record:grant:{ids[2]}", "7:not what we write")
    client.delete(f"prodaccess:record:request:{ids[2]}")
    outcomes = end_grants(world.ctx, ids)
    assert [outcomes[id_] is not None for id_ in ids] == [False, False, True, False]
    assert states(world, [id_ for id_ in ids if id_ != ids[2]]) == {GrantState.ENDED}


class Died(BaseException):
    """As a process does that is killed: nothing is tidied up."""


def test_a_worker_that_dies_between_two_of_many_loses_none_and_says_none_twice(
    world: RedisWorld, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = overdue(world, 6)
    target = world.target()
    really, calls = target.revoke, []

    def revoke(resource: Any, before_send: Any) -> Any:
        calls.append(resource)
        if len(calls) == 3:
            raise Died
        return really(resource, before_send)

    monkeypatch.setattr(target, "revoke", revoke)
    with pytest.raises(Died):
        end_grants(world.ctx, ids)
    # Its leases run out by themselves.
    for id_ in ids:
        client.delete(f"prodaccess:lease:holding:{world.grant(id_).holding}")
        assert world.client.zscore("prodaccess:due", keys.end_due(id_)) is not None
    end_grants(world.ctx, ids)
    assert states(world, ids) == {GrantState.ENDED}
    assert not any(world.has_access(id_) for id_ in ids)
    for id_ in ids:
        assert [event for event in world.events(id_) if event.startswith("grant.end")] == [
            "grant.end_started",
            "grant.ended",
        ]


def test_a_call_whose_intent_is_old_by_the_time_of_its_turn_is_not_sent(
    world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others in the same round were slow. Nothing is in doubt then, and it is tried again at once."""
    (id_,) = overdue(world, 1)
    object.__setattr__(world.ctx, "lease_renewer", world.lease_renewer)
    late_s = [0.0]
    real = world.ctx.monotonic_s
    object.__setattr__(world.ctx, "monotonic_s", lambda: real() + late_s[0])
    target, asked = world.target(), []
    really = target.revoke

    def revoke(resource: Any, before_send: Any) -> Any:
        late_s[0] = 16.0 if not asked else 0.0
        # The lease is kept alive all the while.
        world.lease_renewer.kept = {
            token: held and replace(held, deadline_s=held.deadline_s + 60)
            for token, held in world.lease_renewer.kept.items()
        }
        asked.append(resource)
        try:
            return really(resource, before_send)
        except LeaseOver:
            late_s[0] = 0.0
            raise

    monkeypatch.setattr(target, "revoke", revoke)
    end_grants(world.ctx, [id_])
    holding = world.holding(id_)
    assert world.has_access(id_)
    assert holding is not None
    assert holding.doubt_until is None
    assert holding.intent is None
    assert holding.failures == 0


# ---------------------------------------------------------------- which go together


def test_few_are_spread_and_many_go_together() -> None:
    def sizes(count: int) -> list[int]:
        return [len(one) for one in in_jobs([f"end:PA-{number}" for number in range(count)], lambda _: False)]

    assert sizes(5) == [1] * 5
    assert sizes(40) == [5] * 8
    assert sizes(500) == [32] * 15 + [20]


def test_only_ends_and_holdings_go_together_and_what_came_back_goes_alone() -> None:
    items = [f"end:PA-{number}" for number in range(16)] + ["request:PA-1", "end:PA-1 PA-2", "holding:H-1"]
    found = in_jobs(items, lambda item: item == "end:PA-3")
    assert sorted(item for one in found for item in one) == sorted(items)
    assert ("end:PA-3",) in found
    assert ("end:PA-1 PA-2",) in found
    assert {len(one) for one in found} == {1}


def test_one_job_names_several_and_the_queue_holds_their_ids(client: Any, world: RedisWorld) -> None:
    RqWake(client, world.due).send("end:PA-1", "end:PA-2")
    (job,) = client.lrange(f"rq:queue:{REMOVE}", 0, -1)
    assert client.hget(f"rq:job:{job.decode()}", "description") == b"bot.jobs.end_grant('PA-1 PA-2')"
