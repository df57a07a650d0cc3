"""One worker for one holding: leases, and numbers that only rise."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.contract.ledger.ledger_world import World, redis_world, worlds
from workflows.ports import LEASE_S


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def test_a_lease_is_held_by_one_at_a_time(world: World) -> None:
    assert world.ledger.acquire("H-1")
    assert world.ledger.acquire("H-1") is None
    assert world.ledger.acquire("H-2")


def test_of_20_threads_one_gets_the_lease(world: World) -> None:
    with ThreadPoolExecutor(20) as pool:
        got = [lease for lease in pool.map(lambda _: world.ledger.acquire("H-1"), range(20)) if lease]
    assert len(got) == 1


def test_a_lease_that_ran_out_is_free_and_its_next_number_is_higher(world: World) -> None:
    first = world.ledger.acquire("H-1")
    world.advance(LEASE_S + 0.1)
    second = world.ledger.acquire("H-1")
    assert first
    assert second
    assert second.number > first.number


def test_a_released_lease_is_free_at_once_and_its_next_number_is_higher(world: World) -> None:
    first = world.ledger.acquire("H-1")
    assert first
    world.ledger.release(first)
    second = world.ledger.acquire("H-1")
    assert second
    assert second.number > first.number


def test_a_renewed_lease_lives_on_under_its_number(world: World) -> None:
    first = world.ledger.acquire("H-1")
    assert first
    world.advance(2)
    renewed = world.ledger.renew(first)
    assert renewed
    assert renewed.number == first.number
    assert renewed.deadline_s == pytest.approx(first.deadline_s + 2)
    world.advance(2)
    assert world.ledger.acquire("H-1") is None


def test_a_lease_that_ran_out_cannot_be_renewed(world: World) -> None:
    lease = world.ledger.acquire("H-1")
    assert lease
    world.advance(LEASE_S + 0.1)
    assert world.ledger.renew(lease) is None


def test_who_lost_the_lease_neither_renews_nor_releases_the_other_one(world: World) -> None:
    old = world.ledger.acquire("H-1")
    assert old
    world.advance(LEASE_S + 0.1)
    assert world.ledger.acquire("H-1")
    assert world.ledger.renew(old) is None
    world.ledger.release(old)
    assert world.ledger.acquire("H-1") is None


@pytest.mark.parametrize("written", ["7:somebody", "nonsense", ""])
def test_what_stands_in_the_place_of_a_lease_and_never_runs_out_is_nobodys(
    redis_client: redis.Redis, written: str
) -> None:
    """Or the holding that it is for, or the clock itself, would wait for ever."""
    world = redis_world(redis_client)
    redis_client.set("prodaccess:lease:H-1", written)
    redis_client.set("prodaccess:lease:clock-leader", written)
    assert world.ledger.acquire("H-1")
    assert world.due.lead("this-clock")
