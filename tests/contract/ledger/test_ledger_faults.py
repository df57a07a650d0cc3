"""Lost answers, crashes and servers that refuse: the caller learns one plain thing, and nothing happens twice."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.runtime.embedded_redis import EmbeddedValkey
from tests.contract.ledger.ledger_world import (
    AnswerLost,
    Monotonic,
    World,
    event,
    impatient,
    memory_world,
    press,
    redis_world,
    shift,
    slot,
)
from workflows.core.records.request import Slot
from workflows.ledger.redis_ledger import RedisLedger, unfit
from workflows.ports import Committed, CorruptRecord, Fence, IndexEntry, LedgerUnreachable, Lost


@pytest.fixture
def patient(redis_url: str) -> Iterator[redis.Redis]:
    """A client that tries again by itself, as redis-py's own default does."""
    retry = Retry(NoBackoff(), 3)
    with redis.Redis.from_url(redis_url, decode_responses=True, retry=retry) as client:
        yield client


def rich_change(world: World) -> Any:
    at = world.ledger.now()
    return world.change(
        "slot:a",
        at=at,
        puts={"slot:a": slot("a", "PA-1")},
        due={"H-1": at},
        index=(IndexEntry("open", "PA-1", 1.0),),
        audit=(event(world, "PA-1", at), event(world, "PA-1", at)),
        answer="approved",
    )


# ---------------------------------------------------------------- lost answers


def test_a_commit_whose_answer_was_lost_is_told_that_it_won(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = redis_world(patient)
    world.put("slot:b", slot("b"))  # so that the script is known, and its first run is the one that is lost
    change = rich_change(world)
    loss = AnswerLost(patient, monkeypatch, "EVALSHA")
    assert world.ledger.commit(change) == Committed((1, 2), "approved", replayed=True)
    assert loss.lost == 1
    assert world.ledger.head() == 2


def test_a_first_commit_whose_answer_was_lost_is_told_so_too(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = redis_world(patient)
    change = rich_change(world)
    patient.script_flush()
    loss = AnswerLost(patient, monkeypatch, "EVAL")
    assert world.ledger.commit(change) == Committed((1, 2), "approved", replayed=True)
    assert loss.lost == 1


def test_a_lease_whose_answer_was_lost_is_ours(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = redis_world(patient)
    assert world.ledger.acquire("H-0")  # so that the script is known
    AnswerLost(patient, monkeypatch, "EVALSHA")
    lease = world.ledger.acquire("H-1")
    assert lease
    world.commit(fence=Fence("H-1", lease.number))


def test_without_retries_a_lost_answer_is_unreachable_and_the_id_tells_the_rest(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with impatient(redis_url) as client:
        world = redis_world(client)
        world.put("slot:b", slot("b"))
        change = rich_change(world)
        AnswerLost(client, monkeypatch, "EVALSHA")
        with pytest.raises(LedgerUnreachable):
            world.ledger.commit(change)
        assert world.ledger.read("slot:a", commit_id=change.commit_id).replay == "approved"


def test_the_fake_can_lose_an_answer_as_well() -> None:
    world = memory_world()
    world.ledger.lose_answers = 1  # type: ignore[attr-defined]
    change = rich_change(world)
    with pytest.raises(LedgerUnreachable):
        world.ledger.commit(change)
    assert world.ledger.commit(change) == Committed((1, 2), "approved", replayed=True)


def test_the_fake_can_stage_a_race() -> None:
    world = memory_world()
    change = rich_change(world)
    world.ledger.before_commit = lambda _: world.put("slot:a", slot("a", "PA-9"))  # type: ignore[attr-defined]
    assert world.ledger.commit(change) == Lost("version", ("slot:a",))


# ---------------------------------------------------------------- crashes


def test_what_was_committed_survives_kill_9_and_goes_on(durable_redis: EmbeddedValkey) -> None:
    with redis.Redis.from_url(durable_redis.url, decode_responses=True) as client:
        world = redis_world(client)
        change = rich_change(world)
        lease = world.ledger.acquire("H-1")
        issued = world.ledger.next_id()
        assert isinstance(world.ledger.commit(change), Committed)
        before = world.ledger.read("slot:a").versions()
        durable_redis.kill()
        with pytest.raises(LedgerUnreachable, match="cannot be reached"):
            impatient_ledger(durable_redis.url).read("slot:a")
        durable_redis.restart()

        assert world.ledger.commit(change) == Committed((1, 2), "approved", replayed=True)
        assert world.ledger.read("slot:a").versions() == before
        assert world.ledger.read("slot:a").get("slot:a", Slot) == slot("a", "PA-1")
        assert [entry.number for entry in world.ledger.entries_of("PA-1")] == [1, 2]
        assert world.ledger.members("open") == ["PA-1"]
        assert world.ledger.next_id() != issued
        assert world.due.lead("t")
        assert world.due.claim("t") == ["H-1"]
        world.put("slot:a", slot("a", "PA-2"))
        assert world.ledger.read("slot:a").versions()["slot:a"] > before["slot:a"]
        shift(client, 4)
        later = world.ledger.acquire("H-1")
        assert lease
        assert later
        assert later.number > lease.number


def test_numbers_rise_even_where_a_crash_lost_the_counter(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    first = world.ledger.acquire("H-1")
    world.put("slot:a", slot("a"))
    before = world.ledger.read("slot:a").versions()["slot:a"]
    for _ in range(2):
        redis_client.flushall()
        world.put("slot:a", slot("a"))
        again = world.ledger.read("slot:a").versions()["slot:a"]
        assert again > before
        before = again
        redis_client.flushall()
        second = world.ledger.acquire("H-1")
        assert first
        assert second
        assert second.number > first.number
        first = second


# ---------------------------------------------------------------- servers that refuse


def impatient_ledger(url: str, **rest: Any) -> RedisLedger:
    return RedisLedger(impatient(url, **rest), durability="verify", monotonic=Monotonic())


def refused(ledger: RedisLedger) -> str:
    with pytest.raises(LedgerUnreachable) as caught:
        ledger.next_id()
    shown = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    assert str(caught.value).endswith(").")
    return str(caught.value)


def test_a_server_that_is_not_there(redis_url: str) -> None:
    assert "cannot be reached (127.0.0.1:1)" in refused(impatient_ledger("redis://:hunter2@127.0.0.1:1/0"))


def test_a_wrong_or_missing_password(redis_server: EmbeddedValkey) -> None:
    place = f"127.0.0.1:{redis_server.port}/0"
    assert "user name or password" in refused(impatient_ledger(f"redis://:hunter2@{place}"))
    assert "password" in refused(impatient_ledger(f"redis://{place}"))


def test_a_server_that_does_not_answer_in_time(redis_client: redis.Redis, redis_url: str) -> None:
    ledger = RedisLedger(
        redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=0.05),
        durability="verify",
        monotonic=Monotonic(),
    )
    assert ledger.next_id()
    redis_client.execute_command("CLIENT", "PAUSE", 300, "ALL")
    try:
        assert "did not answer in time" in refused(ledger)
    finally:
        redis_client.execute_command("CLIENT", "UNPAUSE")


def test_a_user_who_may_not(redis_client: redis.Redis, redis_server: EmbeddedValkey) -> None:
    redis_client.execute_command("ACL", "SETUSER", "bot", "on", ">hunter2", "~*", "+@all", "-set")
    try:
        ledger = impatient_ledger(f"redis://bot:hunter2@127.0.0.1:{redis_server.port}/0")
        assert "does not allow our user" in refused(ledger)
    finally:
        redis_client.execute_command("ACL", "DELUSER", "bot")


def test_a_replica_takes_no_writes(durable_redis: EmbeddedValkey) -> None:
    with impatient(durable_redis.url) as client:
        world = redis_world(client)
        change = rich_change(world)
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        client.config_set("replica-serve-stale-data", "yes")
        assert "replica" in refused(impatient_ledger(durable_redis.url))
        with pytest.raises(LedgerUnreachable, match="replica"):
            world.ledger.commit(change)


def test_a_server_that_cannot_hold_the_ledger_is_refused_in_one_sentence(redis_url: str) -> None:
    impatient_ledger(redis_url).check_server()
    assert "Redis 6.2.14 is too old" in unfit({"redis_version": "6.2.14"})
    assert "cluster mode" in unfit({"redis_version": "7.2.4", "cluster_enabled": 1})
    assert unfit({"redis_version": "7.0.0", "cluster_enabled": 0}) == ""


# ---------------------------------------------------------------- what somebody else wrote


def test_a_corrupt_record_is_named(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    redis_client.set("prodaccess:record:slot:a", "12:{broken")
    redis_client.set("prodaccess:record:slot:b", "no version")
    world.put("slot:c", slot("c"))
    seen = world.ledger.read("slot:a", "slot:b", "slot:c")
    for key in ("slot:a", "slot:b"):
        with pytest.raises(CorruptRecord, match=key):
            seen.get(key, Slot)
    assert seen.get("slot:c", Slot) == slot("c")
    change = world.change()
    overwrite = replace(change, reads={"slot:b": 0}, puts={"slot:b": slot("b")})
    assert not isinstance(world.ledger.commit(overwrite), Committed)


@pytest.mark.parametrize("name", ["due", "woken", "audit", "audit:private", "audit:of:PA-1", "index:open", "tick"])
def test_a_key_of_another_type_is_put_aside_and_stops_nobody(redis_client: Any, name: str) -> None:
    world = redis_world(redis_client)
    noticed: list[str] = []
    world.ledger._notice = lambda what, why: noticed.append(what)
    change = rich_change(world)
    if name in ("audit:private", "woken"):
        redis_client.rpush(f"prodaccess:{name}", "x")
    else:
        redis_client.hset(f"prodaccess:{name}", "x", "y")
    kept = redis_client.dump(f"prodaccess:{name}")
    assert isinstance(world.ledger.commit(change), Committed)
    assert noticed == [name]
    assert redis_client.dump(f"prodaccess:{name}:strange") == kept
    assert world.ledger.read("slot:a").get("slot:a", Slot) is not None
    assert isinstance(
        world.ledger.commit(replace(change, commit_id="next", reads={}, puts={}, deletes=frozenset())), Committed
    )
    assert noticed == [name]


def test_a_record_of_another_type_is_no_absence(redis_client: Any) -> None:
    world = redis_world(redis_client)
    redis_client.hset("prodaccess:record:slot:a", "x", "y")
    seen = world.ledger.read("slot:a", "slot:b")
    assert (seen.items["slot:a"].is_absent, seen.items["slot:b"].is_absent) == (False, True)
    change = replace(world.change(), reads={"slot:a": 0}, puts={"slot:a": slot("a")})
    assert not isinstance(world.ledger.commit(change), Committed)


def test_a_client_that_does_not_decode_answers_serves_as_well(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as plain, impatient(redis_url) as decoding:
        world = redis_world(decoding)
        ledger = RedisLedger(plain, durability="verify", monotonic=Monotonic())
        change = rich_change(world)
        assert ledger.commit(change) == Committed((1, 2), "approved")
        assert ledger.durability().durable
        seen = ledger.read("slot:a", commit_id=change.commit_id)
        assert (seen.get("slot:a", Slot), seen.replay) == (slot("a", "PA-1"), "approved")
        assert ledger.entries() == world.ledger.entries()
        assert ledger.members("open") == ["PA-1"]
        assert ledger.head() == 2
        assert ledger.acquire("H-1")


def test_two_prefixes_do_not_see_each_other(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    world.put("press:1", press("1"))
    other = RedisLedger(redis_client, prefix="other:", durability="verify", monotonic=Monotonic())
    assert other.read("press:1").versions() == {"press:1": 0}
