"""What is due is found on time, by one leader, and neither lost nor repeated without need."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis

from bot.queues import JOBS
from bot.runtime.embedded_redis import EmbeddedValkey
from tests.contract.ledger.ledger_world import QUEUES, World, redis_world, worlds
from tests.support.round_trips import round_trips
from workflows.core import keys
from workflows.ledger.redis_due import RENEW_S, RedisDue
from workflows.ports import LEASE_S


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def arrange(world: World, *, in_s: float, item: str = "H-1") -> None:
    at = world.ledger.now()
    world.commit(at=at, due={item: at + timedelta(seconds=in_s)})


def test_an_item_is_not_found_before_its_time_and_is_found_after_it(world: World) -> None:
    arrange(world, in_s=10)
    assert world.due.lead("t")
    assert world.due.claim("t") == []
    world.advance(9.5)
    world.due.lead("t")
    assert world.due.claim("t") == []
    world.advance(0.6)
    assert world.due.claim("t") == ["H-1"]


def test_an_item_of_every_kind_is_found(world: World) -> None:
    items = {f"{kind}:X-1" for kind in JOBS}
    for item in items:
        arrange(world, in_s=0, item=item)
    assert world.due.lead("t")
    assert set(world.due.claim("t")) == items


def test_only_the_leader_gets_items(world: World) -> None:
    arrange(world, in_s=0)
    assert world.due.claim("t") == []
    assert world.due.lead("t")
    assert not world.other_due.lead("u")
    assert world.other_due.claim("u") == []
    assert world.due.claim("t") == ["H-1"]


def test_who_was_the_leader_and_slept_gets_nothing(world: World) -> None:
    assert world.due.lead("t")
    world.advance(LEASE_S + 0.1)
    assert world.other_due.lead("u")
    arrange(world, in_s=0)
    assert world.due.claim("t") == []
    assert not world.due.lead("t")
    assert world.other_due.claim("u") == ["H-1"]


def test_who_resigns_is_followed_at_once(world: World) -> None:
    assert world.due.lead("t")
    world.due.claim("t")
    assert not world.other_due.lead("u")
    world.other_due.resign("u")
    assert not world.other_due.lead("u"), "who does not lead resigns nothing of others"
    world.due.resign("t")
    assert world.other_due.lead("u")
    world.due.resign("t")
    assert not world.due.lead("t"), "and a second word takes nothing from whoever follows"


def test_looking_keeps_the_leader_in_office(world: World) -> None:
    assert world.due.lead("t")
    for _ in range(4):
        world.advance(LEASE_S / 2)
        world.due.claim("t")
    assert not world.other_due.lead("u")


def test_a_found_item_is_not_repeated_while_its_wake_up_waits(world: World) -> None:
    arrange(world, in_s=0)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]
    world.queue(1)
    for _ in range(5):
        world.advance(5.1)
        world.due.lead("t")
        assert world.due.claim("t") == []
    world.advance(300)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]  # after five minutes it is taken for lost


def test_a_wake_up_that_is_in_no_queue_is_sent_again(world: World) -> None:
    arrange(world, in_s=0)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]
    assert world.due.claim("t") == []
    world.advance(5.1)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]


def test_an_item_that_a_worker_took_and_did_not_finish_is_found_again_after_5_s(world: World) -> None:
    arrange(world, in_s=0)
    world.queue(7)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]
    world.due.awake("H-1")
    world.advance(4.5)
    world.due.lead("t")
    assert world.due.claim("t") == []
    world.advance(0.6)
    assert world.due.claim("t") == ["H-1"]


def test_an_item_that_was_done_is_not_found_again(world: World) -> None:
    arrange(world, in_s=0)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]
    world.commit(due={"H-1": None})
    world.advance(60)
    world.due.lead("t")
    assert world.due.claim("t") == []


def test_an_item_that_comes_back_after_it_was_done_is_woken_at_once(world: World) -> None:
    arrange(world, in_s=0)
    world.queue(1)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]
    world.commit(due={"H-1": None})
    arrange(world, in_s=0)
    assert world.due.claim("t") == ["H-1"]


def test_a_wake_up_sent_with_the_commit_is_not_doubled_by_the_clock(world: World) -> None:
    arrange(world, in_s=0)
    assert world.due.waking("H-1")
    assert not world.due.waking("H-1")
    world.due.lead("t")
    assert world.due.claim("t") == []
    world.due.awake("H-1")
    assert world.due.waking("H-1")


def test_the_oldest_come_first_and_the_others_after_them(world: World) -> None:
    at = world.ledger.now()
    world.commit(at=at, due={f"H-{n}": at - timedelta(seconds=n) for n in range(1, 8)})
    world.due.lead("t")
    assert world.due.claim("t", limit=3) == ["H-7", "H-6", "H-5"]
    assert world.due.claim("t", limit=3) == ["H-4", "H-3", "H-2"]
    assert world.due.claim("t", limit=3) == ["H-1"]
    assert world.due.claim("t", limit=3) == []


def test_a_reminder_brings_an_item_forward(world: World) -> None:
    arrange(world, in_s=600)
    world.ledger.remind("H-1", 10)
    world.ledger.remind("H-2", 10)
    world.ledger.remind("H-1", 100)  # it is due sooner already
    world.advance(9)
    world.due.lead("t")
    assert world.due.claim("t") == []
    world.advance(1.1)
    world.due.lead("t")
    assert sorted(world.due.claim("t")) == ["H-1", "H-2"]


# ---------------------------------------------------------------- on Redis only


def test_nothing_is_ever_found_early_not_by_a_microsecond(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    start = world.ledger.now()
    times = {f"H-{n}": start + timedelta(microseconds=20_000 + 1_777 * n) for n in range(60)}
    world.commit(at=start, due=dict(times))
    due = RedisDue(redis_client, queues=QUEUES, monotonic=time.monotonic)
    assert due.lead("t")
    found: set[str] = set()
    while len(found) < len(times):
        items = due.claim("t")
        now = world.ledger.now()
        assert all(times[item] <= now for item in items)
        found.update(items)


def test_an_idle_look_is_one_round_trip_and_one_command(durable_redis: EmbeddedValkey) -> None:
    """On a server of its own: what a server carries out is counted for all its clients together."""
    with redis.Redis.from_url(durable_redis.url, decode_responses=True) as client:
        world = redis_world(client)
        arrange(world, in_s=600)
        due = RedisDue(client, queues=QUEUES, monotonic=lambda: 1000.0)
        assert due.lead("t")
        due.claim("t")
        with round_trips(client) as sent:
            client.ping()
            before = int(client.info("stats")["total_commands_processed"])  # type: ignore[index]
            sent.clear()
            for _ in range(10):
                due.lead("t")
                due.claim("t")
            assert len(sent) == 10
            after = int(client.info("stats")["total_commands_processed"])  # type: ignore[index]
        assert after - before - 1 == 10


def carried_out(client: redis.Redis, what: Callable[[], object]) -> int:
    """Commands on the server, those in scripts too."""
    before = int(client.info("stats")["total_commands_processed"])  # type: ignore[index]
    what()
    return int(client.info("stats")["total_commands_processed"]) - before - 1  # type: ignore[index]


def test_what_goes_on_all_the_while_asks_the_server_for_little(durable_redis: EmbeddedValkey) -> None:
    """The goal for an installation at rest is 20 a second, and this is most of it."""
    with redis.Redis.from_url(durable_redis.url, decode_responses=True) as client:
        world = redis_world(client)
        arrange(world, in_s=600)
        now_s = [1000.0]
        due = RedisDue(client, queues=QUEUES, monotonic=lambda: now_s[0])
        assert due.lead("t")

        def leads_on() -> None:
            now_s[0] += RENEW_S
            assert due.lead("t")

        leads_on()
        assert carried_out(client, leads_on) == 3
        world.ledger.read()
        assert carried_out(client, world.ledger.read) == 3
        assert carried_out(client, lambda: world.ledger.read(keys.CLOCK)) == 4, (
            "of what is absent it is asked whether it is"
        )


def test_who_lost_the_lease_meanwhile_leads_no_more(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    now_s = [1000.0]
    one, two = (RedisDue(redis_client, queues=QUEUES, monotonic=lambda: now_s[0]) for _ in range(2))
    assert one.lead("one")
    assert not two.lead("two")
    redis_client.delete("prodaccess:lease:clock-leader")
    assert two.lead("two")
    now_s[0] += RENEW_S
    assert not one.lead("one")
    assert two.lead("two")
    assert world.ledger.now()


def test_what_is_due_after_an_idle_look_is_found_by_the_next_one(durable_redis: EmbeddedValkey) -> None:
    with redis.Redis.from_url(durable_redis.url, decode_responses=True) as client:
        world = redis_world(client)
        now_s = [1000.0]
        due = RedisDue(client, queues=QUEUES, monotonic=lambda: now_s[0])
        assert due.lead("t")
        assert list(due.claim("t")) == list(due.claim("t")) == []
        arrange(world, in_s=0)
        assert list(due.claim("t")) == ["H-1"]


def test_a_clock_of_redis_that_was_set_back_does_not_silence_an_item(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    arrange(world, in_s=0)
    redis_client.hset("prodaccess:woken", "H-1", str(4_000_000_000_000_000))
    world.queue(1)
    world.due.lead("t")
    assert world.due.claim("t") == ["H-1"]


def test_what_stands_in_the_place_of_due_items_is_put_aside_by_a_look(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    due = RedisDue(redis_client, queues=QUEUES, monotonic=lambda: 1000.0)
    assert due.lead("t")
    due.claim("t")
    redis_client.delete("prodaccess:due")
    redis_client.set("prodaccess:due", "something else")
    assert due.claim("t") == []
    assert redis_client.get("prodaccess:due:strange") == "something else"
    arrange(world, in_s=0)
    assert list(due.claim("t")) == ["H-1"]
