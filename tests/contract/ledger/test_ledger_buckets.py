"""Buckets that all processes share."""

from collections.abc import Iterator

import pytest
import redis

from tests.contract.ledger.ledger_world import World, redis_world, worlds
from workflows.ledger.redis_buckets import LINE_S_MAX
from workflows.ports import Buckets


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def take(buckets: Buckets, amount: float = 1.0, name: str = "iam") -> float:
    # Slow enough that a real server's own time does not show.
    return buckets.take(name, rate=0.1, burst=3, amount=amount)


def test_a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait(world: World) -> None:
    assert [take(world.buckets) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert take(world.buckets) == pytest.approx(10, abs=1)
    assert take(world.buckets, 2) == pytest.approx(20, abs=1)


def test_a_refused_take_takes_nothing(world: World) -> None:
    take(world.buckets, 2)
    assert take(world.buckets, 2) > 0
    assert take(world.buckets, 1) == 0.0


def test_a_bucket_fills_at_its_rate_and_no_further_than_its_burst(world: World) -> None:
    take(world.buckets, 3)
    world.advance(10.1)
    assert take(world.buckets) == 0.0
    assert take(world.buckets) > 0
    world.advance(1000)
    assert [take(world.buckets) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert take(world.buckets) > 0


def test_who_waits_as_long_as_told_gets_its_token(world: World) -> None:
    take(world.buckets, 3)
    world.advance(take(world.buckets))
    assert take(world.buckets) == 0.0


def test_a_blocked_bucket_gives_nothing_until_the_block_ends(world: World) -> None:
    world.buckets.block("iam", 30)
    world.buckets.block("iam", 5)  # a shorter one does not end it
    assert take(world.buckets) == pytest.approx(30, abs=1)
    world.advance(29)
    assert take(world.buckets) == pytest.approx(1, abs=0.5)
    world.advance(1.1)
    assert take(world.buckets) == 0.0


def test_a_bucket_that_is_spent_is_empty_when_its_block_ends(world: World) -> None:
    def tries() -> list[bool]:
        return [world.buckets.take("sso", rate=1, burst=3) == 0.0 for _ in range(3)]

    world.buckets.block("sso", 30)
    world.buckets.block("sso", 0.2, spent=True)  # a shorter one takes what is left, too
    world.advance(30.1)
    assert tries() == [True, True, True], "it has filled meanwhile"
    world.advance(10)
    world.buckets.block("sso", 0.2, spent=True)
    assert tries() == [False, False, False]
    world.advance(0.5)
    assert tries() == [False, False, False]
    world.advance(1.0)
    assert tries() == [True, False, False]


def test_a_long_block_that_empties_a_bucket_is_kept_and_so_is_a_longer_one(world: World) -> None:
    world.buckets.block("sso", 60, spent=True)
    assert world.buckets.take("sso", rate=1, burst=3) == pytest.approx(60, abs=1)
    world.buckets.block("sso", 0.2, spent=True)
    assert world.buckets.take("sso", rate=1, burst=3) == pytest.approx(60, abs=1)
    world.advance(60.5)
    assert world.buckets.take("sso", rate=1, burst=3) == 0.0


def test_who_goes_through_a_gate_waits_while_it_is_blocked_and_nobody_else_does(world: World) -> None:
    world.buckets.block("iam:begin", 30)
    through = lambda: world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin")  # noqa: E731  # said once
    assert through() == pytest.approx(30, abs=1)
    assert [take(world.buckets) for _ in range(2)] == [0.0, 0.0]
    world.advance(30.1)
    assert through() == 0.0
    world.buckets.block("iam", 5)
    assert through() == pytest.approx(5, abs=1), "an open gate opens nothing else"


@pytest.mark.parametrize("spoilt", ["nan", "inf", "x", ""])
def test_a_gate_that_holds_what_we_do_not_write_is_open(redis_client: redis.Redis, spoilt: str) -> None:
    world = redis_world(redis_client)
    world.buckets.block("iam:begin", 30)
    redis_client.hset("prodaccess:bucket:iam:begin", "blocked_until", spoilt)
    assert world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin") == 0.0
    redis_client.set("prodaccess:bucket:iam:begin", spoilt)
    assert world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin") == 0.0
    world.buckets.block("iam:begin", 30)
    assert world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin") == pytest.approx(30, abs=1)


def test_a_gate_shut_by_a_clock_that_was_set_back_since_is_open(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    through = lambda: world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin")  # noqa: E731  # said once
    world.buckets.block("iam:begin", 1)
    world.advance(-1800)
    assert through() == 0.0
    world.buckets.block("iam:begin", 5)
    assert through() == pytest.approx(5, abs=1)


def test_those_in_line_are_told_one_time_after_the_other_and_whoever_is_not_goes_first(world: World) -> None:
    def stand() -> float:
        return world.buckets.take("iam", rate=0.1, burst=1, in_line=True)

    assert stand() == 0.0, "nobody waits where nothing hinders"
    assert [stand() for _ in range(3)] == [pytest.approx(seconds, abs=1) for seconds in (10, 20, 30)]
    assert world.buckets.take("iam", rate=0.1, burst=1) == pytest.approx(10, abs=1)
    world.advance(10.5)
    assert world.buckets.take("iam", rate=0.1, burst=1) == 0.0, "nothing was kept for the first of them"
    world.advance(10.5)
    assert stand() == 0.0
    world.advance(60)
    assert stand() == 0.0
    assert stand() == pytest.approx(10, abs=1), "the line of then is over"


def test_what_a_bucket_lacks_is_not_forgotten_for_one_who_waits_less_long_and_a_line_not_kept(
    redis_client: redis.Redis,
) -> None:
    world, lives = redis_world(redis_client), lambda: int(redis_client.pttl("prodaccess:bucket:iam"))  # type: ignore[arg-type]  # not a future
    world.buckets.block("iam:begin", 1)
    assert world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin", in_line=True) > 0
    assert 0 < lives() <= 3000
    assert take(world.buckets, 2) == 0.0
    world.buckets.block("iam:begin", 1)
    assert world.buckets.take("iam", rate=0.1, burst=3, gate="iam:begin", in_line=True) > 0
    assert 15000 < lives() <= 21000


def test_an_emptied_bucket_fills_from_the_end_of_its_block_on(redis_client: redis.Redis) -> None:
    redis_world(redis_client).buckets.block("iam", 0.25, spent=True)
    filled_from, until = map(float, redis_client.hmget("prodaccess:bucket:iam", "at", "blocked_until"))  # type: ignore[arg-type,union-attr]  # both are there
    assert filled_from == until


def test_a_line_is_never_longer_than_half_a_minute_beyond_what_hinders_all(world: World) -> None:
    waits = [world.buckets.take("iam", rate=0.1, burst=1, in_line=True) for _ in range(20)]
    assert max(waits) == pytest.approx(10 + LINE_S_MAX, abs=1)
    world.buckets.block("iam", 300)
    assert world.buckets.take("iam", rate=0.1, burst=1, in_line=True) == pytest.approx(300, abs=1)


@pytest.mark.parametrize("spoilt", ["nan", "inf", "x", "9e99"])
def test_a_spoilt_line_holds_nobody_up_for_ever(redis_client: redis.Redis, spoilt: str) -> None:
    world = redis_world(redis_client)
    take(world.buckets, 3)
    redis_client.hset("prodaccess:bucket:iam", "line", spoilt)
    assert world.buckets.take("iam", rate=0.1, burst=3, in_line=True) <= 10 + LINE_S_MAX


def test_who_has_to_leave_a_reserve_waits_while_others_still_take(world: World) -> None:
    assert world.buckets.take("iam", rate=0.1, burst=3, reserve=1) == 0.0
    assert world.buckets.take("iam", rate=0.1, burst=3, reserve=1) == 0.0
    assert world.buckets.take("iam", rate=0.1, burst=3, reserve=1) == pytest.approx(10, abs=1)
    assert take(world.buckets) == 0.0
    assert world.buckets.take("iam", rate=0.1, burst=3, reserve=1) == pytest.approx(20, abs=1)


def test_buckets_do_not_know_of_each_other(world: World) -> None:
    world.buckets.block("iam", 30)
    take(world.buckets, 3, "slack")
    assert take(world.buckets, name="other") == 0.0


def test_a_bucket_that_could_never_give_is_an_error(world: World) -> None:
    with pytest.raises(ValueError, match="never gives"):
        take(world.buckets, 4)
    with pytest.raises(ValueError, match="never gives"):
        world.buckets.take("iam", rate=0, burst=1)
    with pytest.raises(ValueError, match="never gives"):
        world.buckets.take("iam", rate=1, burst=3, reserve=2.5)


def test_an_idle_bucket_leaves_nothing_behind(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    take(world.buckets, 3)
    world.buckets.block("slack", 3)
    world.advance(40)
    assert redis_client.keys("prodaccess:bucket:*") == []
