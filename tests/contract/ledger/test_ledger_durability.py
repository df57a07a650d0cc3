"""What is promised to survive a crash does; where it would not, nothing is given."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.runtime.embedded_redis import EmbeddedValkey
from bot.runtime.redis_servers import bundled_server
from tests.contract.ledger.ledger_world import Monotonic, World, impatient, redis_world, slot
from tests.support.waiting import eventually
from workflows.ledger import durability
from workflows.ledger.durability import judge
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Committed, Lost

GOOD = {"appendonly": "yes", "appendfsync": "always", "maxmemory": "0", "maxmemory-policy": "noeviction"}
INFO = {"redis_version": "7.2.4", "connected_slaves": 0}


@pytest.fixture
def server(durable_redis: EmbeddedValkey) -> Any:
    with impatient(durable_redis.url) as client:
        yield client


@pytest.fixture
def waiting_server(tmp_path: Path) -> Any:
    """One that knows WAITAOF, which Redis before 7.2 does not, Debian 12's say."""
    with EmbeddedValkey(tmp_path / "valkey", server=bundled_server()) as valkey, impatient(valkey.url) as client:
        yield client


def gives(world: World) -> Committed | Lost:
    return world.ledger.commit(world.change("slot:a", gives_access=True))


# ---------------------------------------------------------------- what the settings mean


def test_an_append_only_file_that_is_always_synced_is_durable_by_itself() -> None:
    found = judge("verify", INFO, GOOD)
    assert (found.durability.durable, found.needs_waitaof, found.replicas) == (True, False, 0)


def test_one_that_is_synced_every_second_must_be_waited_for() -> None:
    found = judge("verify", INFO, {**GOOD, "appendfsync": "everysec"})
    assert (found.durability.durable, found.needs_waitaof) == (True, True)


@pytest.mark.parametrize(
    ("settings", "info", "words"),
    [
        ({"appendonly": "no"}, {}, "set `appendonly yes`"),
        ({"appendfsync": "no"}, {}, "set `appendfsync always`"),
        ({"appendfsync": "everysec"}, {"redis_version": "7.0.15"}, "older than 7.2"),
        ({"maxmemory": "1048576", "maxmemory-policy": "allkeys-lru"}, {}, "set `maxmemory-policy noeviction`"),
        ({}, {"aof_last_write_status": "err"}, "look at its disk"),
    ],
)
def test_what_would_lose_records_is_said_in_one_sentence(settings: Any, info: Any, words: str) -> None:
    found = judge("verify", {**INFO, **info}, {**GOOD, **settings})
    assert not found.durability.durable
    assert words in found.durability.why
    assert found.durability.why.count(". ") == 0


def test_throwing_records_away_matters_only_with_a_limit() -> None:
    assert judge("verify", INFO, {**GOOD, "maxmemory-policy": "allkeys-lru"}).durability.durable


def test_replicas_that_are_connected_or_demanded_are_waited_for() -> None:
    online = {"ip": "10.0.0.1", "state": "online"}
    info = {**INFO, "connected_slaves": 2, "slave0": online, "slave1": {**online, "state": "wait_bgsave"}}
    assert judge("verify", info, GOOD).replicas == 1
    assert judge("declared", info, None).replicas == 1
    assert judge("verify", info, {**GOOD, "min-replicas-to-write": "2"}).replicas == 2


# ---------------------------------------------------------------- on a server


def test_a_server_that_forbids_config_is_not_durable_until_it_is_declared(server: redis.Redis) -> None:
    server.execute_command("ACL", "SETUSER", "bot", "on", ">pass-word", "~*", "+@all", "-config")
    port = server.connection_pool.connection_kwargs["port"]
    with impatient(f"redis://bot:pass-word@127.0.0.1:{port}/0") as client:
        verify = RedisLedger(client, durability="verify", monotonic=Monotonic())
        assert not verify.durability().durable
        assert "PRODACCESS_REDIS_DURABILITY=declared" in verify.durability().why
        assert not verify.make_durable()
        declared = redis_world(client, "declared")
        assert isinstance(gives(declared), Committed)
        assert declared.ledger.make_durable()
        assert declared.ledger.durability().mode == "declared"


def test_volatile_takes_the_callers_word(server: redis.Redis) -> None:
    server.config_set("appendonly", "no")
    assert isinstance(gives(redis_world(server, "volatile")), Committed)


def test_a_setting_that_is_changed_is_noticed_within_seconds(server: redis.Redis) -> None:
    world = redis_world(server)
    assert isinstance(gives(world), Committed)
    server.config_set("maxmemory-policy", "allkeys-lru")
    server.config_set("maxmemory", 10**9)
    world.advance(5.1)
    assert gives(world) == Lost("durability")
    server.config_set("maxmemory", 0)
    world.advance(5.1)
    assert isinstance(gives(world), Committed)


def test_a_server_that_came_up_empty_gives_nothing_though_it_was_durable_a_moment_ago(server: redis.Redis) -> None:
    world = redis_world(server)
    assert isinstance(gives(world), Committed)
    server.flushall()
    server.config_set("appendonly", "no")
    assert gives(world) == Lost("durability")


def test_a_mark_that_ran_out_during_a_pause_is_made_again(server: redis.Redis) -> None:
    world = redis_world(server)
    assert isinstance(gives(world), Committed)
    server.delete("prodaccess:durable")
    assert isinstance(gives(world), Committed)


def test_with_a_sync_every_second_an_intent_waits_for_the_disk(waiting_server: redis.Redis) -> None:
    waiting_server.config_set("appendfsync", "everysec")
    world = redis_world(waiting_server)
    assert isinstance(gives(world), Committed)
    assert world.ledger.make_durable()


def test_an_intent_that_this_server_has_never_heard_of_is_not_durable(waiting_server: redis.Redis) -> None:
    """As where a replica has taken over that the commit had not reached."""
    waiting_server.config_set("appendfsync", "everysec")
    world = redis_world(waiting_server)
    world.put("slot:a", slot("a"))
    (commit,) = waiting_server.keys("prodaccess:commit:*")
    assert world.ledger.make_durable(commit.removeprefix("prodaccess:commit:"))
    assert not world.ledger.make_durable("another")


def test_with_a_sync_every_second_and_no_answer_from_the_disk_the_call_is_not_made(
    waiting_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "WAIT_S_MAX", 0.001)
    waiting_server.config_set("appendfsync", "everysec")
    world = redis_world(waiting_server)
    assert isinstance(gives(world), Committed)
    answers = [world.ledger.make_durable() for _ in range(3)]
    assert False in answers


def test_an_intent_waits_for_the_replica_and_is_refused_when_it_is_silent(
    server: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.config_set("repl-diskless-sync-delay", 0)
    master = server.connection_pool.connection_kwargs
    with EmbeddedValkey(tmp_path / "replica", durable=False) as replica, impatient(replica.url) as other:
        other.config_set("masterauth", master["password"])
        other.execute_command("REPLICAOF", "127.0.0.1", master["port"])
        eventually(lambda: server.info("replication").get("slave0", {}).get("state") == "online", "the replica follows")
        world = redis_world(server)
        world.put("slot:a", slot("a"))
        assert world.ledger.make_durable()
        assert other.get("prodaccess:record:slot:a")
        monkeypatch.setattr(durability, "WAIT_S_MAX", 0.1)
        os.kill(replica.pid, signal.SIGSTOP)
        try:
            assert not world.ledger.make_durable()
        finally:
            os.kill(replica.pid, signal.SIGCONT)
