"""Entries that are put back, in memory and on a server: whole by every check afterwards, whatever was killed when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.ledger.ledger_world import World, event, memory_world, redis_world
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import StoredEntry
from workflows.ledger.redis_log import RedisLog
from workflows.ports import Change, Committed, LedgerUnreachable
from workflows.usecases.upkeep.verify_audit import all_faults


@dataclass
class Logs:
    world: World
    put_back: Callable[..., int]
    forget: Callable[[int], None]


@pytest.fixture(params=["memory", "redis"])
def logs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    monkeypatch.setattr("workflows.ledger.redis_log._AT_ONCE", 3)
    if request.param == "memory":
        world = memory_world()
        ledger: Any = world.ledger

        def forget_in_memory(upto: int) -> None:
            kept = ledger.copy()
            kept[4] = kept[4][:upto]
            kept[5] = {name: [n for n in numbers if n <= upto] for name, numbers in kept[5].items()}
            ledger.put_back(kept)
            ledger.trust()

        yield Logs(world, ledger.put_back_entries, forget_in_memory)
        return
    client = request.getfixturevalue("redis_client")
    world = redis_world(client)
    yield Logs(world, RedisLog(client).put_back, lambda upto: forget(world, client, upto))


def forget(world: World, client: Any, upto: int) -> None:
    """As an older copy has it: all that came after is gone, and numbers go on from there."""
    link = next((entry.link for entry in world.ledger.stored_entries(limit=1000) if entry.number == upto), "")
    entries = client.xrange("prodaccess:audit", "-", f"{upto}-0") if upto else []
    client.delete("prodaccess:audit", "prodaccess:audit:head")
    for id_, fields in entries:
        client.xadd("prodaccess:audit", fields, id=id_)
    if upto:
        client.set("prodaccess:audit:head", f"{upto}:{link}")
    for number in client.hkeys("prodaccess:audit:private"):
        if int(number) > upto:
            client.hdel("prodaccess:audit:private", number)
    for name in client.keys("prodaccess:audit:of:*"):
        for number in client.lrange(name, 0, -1):
            if int(number) > upto:
                client.lrem(name, 0, number)
    world.ledger.trust()


def write(world: World, *subjects: str) -> None:
    for subject in subjects:
        now = world.ledger.now()
        world.counter[0] += 1
        entry = event(world, subject, now, private={"reason": f"words of {world.counter[0]}"})
        change = Change(f"w{world.counter[0]}", now, {}, audit=(entry,))
        assert isinstance(world.ledger.commit(change), Committed)


def entries(world: World) -> list[StoredEntry]:
    return list(world.ledger.stored_entries(limit=1000))


def what(found: Sequence[StoredEntry]) -> list[tuple[int, str, bytes | None]]:
    return [(entry.number, entry.digest, entry.private) for entry in found]


@pytest.mark.parametrize(("common", "later"), [(0, 0), (0, 4), (1, 0), (5, 4), (8, 2)])
def test_what_is_lacking_comes_back_and_what_came_later_goes_behind_it(logs: Logs, common: int, later: int) -> None:
    world = logs.world
    write(world, *[f"PA-{number % 3}" for number in range(10)])
    whole = entries(world)
    logs.forget(common)
    write(world, *["PA-1", "PA-7", "PA-1", "PA-8"][:later])
    own = [entry for entry in entries(world) if entry.number > common]
    link = whole[common - 1].link if common else ""
    newest = logs.put_back(common, link, iter(whole[common:]), iter(own), len(whole) + 1)
    after = entries(world)
    assert newest == len(whole) + later == world.ledger.head()
    assert what(after[: len(whole)]) == what(whole)
    assert [(entry.digest, entry.private) for entry in after[len(whole) :]] == [(e.digest, e.private) for e in own]
    assert all_faults(world.ledger) == []
    numbers = [entry.number for entry in world.ledger.entries_of("PA-1")]
    assert numbers == sorted(numbers)
    write(world, "PA-9")
    assert world.ledger.head() == newest + 1
    assert all_faults(world.ledger) == []


def test_words_that_the_archive_has_not_may_be_missing_where_it_is_said_that_they_were_put_back(logs: Logs) -> None:
    world = logs.world
    write(world, "PA-1", "PA-2", "PA-3")
    whole = entries(world)
    logs.forget(1)
    without = [StoredEntry(entry.number, entry.body, entry.digest, None) for entry in whole[1:]]
    logs.put_back(1, whole[0].link, iter(without), iter(()), 4)
    assert [entry.private is None for entry in entries(world)] == [False, True, True]
    assert len(all_faults(world.ledger)) == 1
    at = world.ledger.now()
    said = AuditEvent(Event.LEDGER_REBUILT, "ledger-1", at, "1" * 32, "2" * 32, {"from": "2", "to": "3", "moved": "0"})
    world.commit(at=at, audit=(said,))
    assert all_faults(world.ledger) == [], "an entry says which were put back without them"


@pytest.mark.parametrize("at", range(1, 26, 4))
def test_a_run_that_is_killed_leaves_one_of_the_two_logs_whole(
    redis_client: Any, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("workflows.ledger.redis_log._AT_ONCE", 3)
    world = redis_world(redis_client)
    write(world, *[f"PA-{number % 3}" for number in range(10)])
    whole = entries(world)
    forget(world, redis_client, 4)
    write(world, "PA-1", "PA-7")
    own = entries(world)
    log, sent = RedisLog(redis_client), [0]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **rest: Any) -> Any:
            sent[0] += 1
            if sent[0] == at:
                raise LedgerUnreachable("killed")
            return call(*args, **rest)

        return inner

    def put_back() -> None:
        log.put_back(4, whole[3].link, iter(whole[4:]), iter(own[4:]), 11)

    server: Any = log._server
    with monkeypatch.context() as patch:
        for name in ("run", "call", "pipeline"):
            patch.setattr(server, name, counted(getattr(server, name)))
        try:
            put_back()
        except LedgerUnreachable:
            assert what(entries(world)) == what(own), "until all of it is there, nothing has changed"
            put_back()
    assert what(entries(world))[:10] == what(whole)
    assert world.ledger.head() == 12
    assert all_faults(world.ledger) == []
    assert redis_client.keys("*:rebuilding") == []
