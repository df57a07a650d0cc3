"""What one act reads at once: the same answers as without it, as of one instant, and nothing of them for any other act."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.support.build import DANA, OLU, PAT, facts
from tests.support.redis_world import RedisWorld
from tests.support.round_trips import round_trips
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code
from workflows.ledger import ahead as reading
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, CorruptLedger, CorruptRecord, IndexEntry, Lost, about_groups
from workflows.usecases.shared.actor import whose

NIGHT = keys.person(DANA)


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def ledger(client: Any) -> RedisLedger:
    return RedisLedger(client, durability="volatile", monotonic=time.monotonic)


@pytest.fixture
def other(client: Any) -> RedisLedger:
    """Another process."""
    return RedisLedger(client, durability="volatile", monotonic=time.monotonic)


def write(ledger: RedisLedger, name: str, commit_id: str = "") -> Committed | Lost:
    snapshot = ledger.read(NIGHT)
    return ledger.commit(change(ledger, snapshot, name, commit_id or f"write-{time.monotonic_ns()}"))


def change(_ledger: RedisLedger, snapshot: Any, name: str, commit_id: str) -> Change:
    return Change(commit_id, snapshot.now, snapshot.versions(), puts={NIGHT: PersonRecord(DANA, name)})


def name_in(ledger: RedisLedger) -> str | None:
    found = ledger.read(NIGHT).get(NIGHT, PersonRecord)
    return found.name if found else None


def test_an_act_sees_one_instant_and_its_commit_is_refused_where_that_is_over(
    ledger: RedisLedger, other: RedisLedger
) -> None:
    write(ledger, "Dana")
    with ledger.ahead.act():
        first = ledger.read(NIGHT)
        write(other, "Dana D.")
        again = ledger.read(NIGHT)
        assert (again.now, again.versions()) == (first.now, first.versions())
        lost = ledger.commit(change(ledger, again, "Nobody", "late"))
        assert isinstance(lost, Lost)
        assert lost.keys == (NIGHT,)
        assert name_in(ledger) == "Dana D."


def test_nothing_is_handed_on_to_the_next_act_or_past_the_end(ledger: RedisLedger, other: RedisLedger) -> None:
    write(ledger, "Dana")
    with ledger.ahead.act():
        assert name_in(ledger) == "Dana"
    write(other, "Dana D.")
    assert name_in(ledger) == "Dana D."
    with ledger.ahead.act():
        assert name_in(ledger) == "Dana D."


def test_an_act_that_was_held_up_looks_anew(client: Any, other: RedisLedger) -> None:
    now = [0.0]
    ledger = RedisLedger(client, durability="volatile", monotonic=lambda: now[0])
    with ledger.ahead.act():
        assert name_in(ledger) is None
        write(other, "Dana")
        now[0] += reading.OLD_S
        assert name_in(ledger) is None
        now[0] += 0.001
        assert name_in(ledger) == "Dana"


def test_an_act_that_reads_very_much_reads_it_in_parts(
    ledger: RedisLedger, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TOGETHER_MAX", 3)
    write(ledger, "Dana")
    with round_trips(client) as sent, ledger.ahead.act():
        ledger.ahead.expect_records(newest_of="numbers")
        for number in range(12):
            ledger.read(keys.person(PersonId(f"dev{number}@example.com")))
        assert name_in(ledger) == "Dana"
    assert max(each.count(b"prodaccess:record:") for each in sent) <= 5


def test_an_act_within_an_act_is_part_of_it(ledger: RedisLedger, other: RedisLedger) -> None:
    with ledger.ahead.act():
        with ledger.ahead.act():
            assert name_in(ledger) is None
        write(other, "Dana")
        assert name_in(ledger) is None


def test_what_one_thread_has_read_no_other_one_sees(ledger: RedisLedger, other: RedisLedger) -> None:
    def of_their_own() -> tuple[str | None, str | None]:
        without = name_in(ledger)
        with ledger.ahead.act():
            return without, name_in(ledger)

    with ThreadPoolExecutor(1) as threads, ledger.ahead.act():
        assert name_in(ledger) is None
        write(other, "Dana")
        assert threads.submit(of_their_own).result() == ("Dana", "Dana")
        assert name_in(ledger) is None


def test_a_repeated_commit_is_known_by_its_answer(ledger: RedisLedger) -> None:
    write(ledger, "Dana", "once")
    with ledger.ahead.act():
        assert ledger.read(NIGHT, commit_id="once").replay == ""
        assert ledger.read(NIGHT, commit_id="never").replay is None
        assert ledger.read(NIGHT).replay is None


def test_what_is_no_record_is_told_as_ever(ledger: RedisLedger, client: Any) -> None:
    client.rpush("prodaccess:record:person:olu@example.com", "x")
    client.set("prodaccess:record:person:pat@example.com", "7:{}")
    client.rpush("prodaccess:commit:odd", "x")
    with ledger.ahead.act():
        name_in(ledger)
        for who in (OLU, PAT):
            with pytest.raises(CorruptRecord):
                ledger.read(keys.person(who)).get(keys.person(who), PersonRecord)
        with pytest.raises(CorruptLedger):
            ledger.read(NIGHT, commit_id="odd")
        assert name_in(ledger) is None


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("bounds", [{}, {"low": 2.0}, {"high": 2.0}, {"low": 1.5, "high": 3.5}])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_an_index_names_the_same_members(ledger: RedisLedger, newest: bool, bounds: Any, limit: int) -> None:
    entries = tuple(IndexEntry("numbers", f"n{number}", float(number)) for number in range(5))
    ledger.commit(Change("numbers", ledger.now(), reads={}, index=entries))
    wanted = ledger.members("numbers", limit=limit, newest=newest, **bounds)
    with ledger.ahead.act():
        assert ledger.members("numbers", limit=limit, newest=newest, **bounds) == wanted
        assert ledger.members("numbers", limit=limit, newest=newest, **bounds) == wanted


def test_what_is_no_index_is_told_as_ever(ledger: RedisLedger, client: Any) -> None:
    client.set("prodaccess:index:numbers", "x")
    with ledger.ahead.act():
        for _ in range(2):
            with pytest.raises(CorruptLedger):
                ledger.members("numbers")


def test_the_next_time_a_question_takes_one_look(ledger: RedisLedger, client: Any) -> None:
    def asked() -> int:
        with round_trips(client) as sent, ledger.ahead.act(), ledger.ahead.question("who"):
            for who in (DANA, OLU, PAT):
                ledger.read(keys.person(who))
            ledger.members(keys.PENDING)
        return len(sent)

    ledger.now()
    assert [asked(), asked()] == [4, 1]


def test_members_of_a_group_who_change_are_others_in_the_next_act(client: Any) -> None:
    world = RedisWorld(client)
    policy = world.policy.policy
    for who in (OLU, PAT):
        whose(world.ctx, policy, world.chat.refresh_person(account(who), policy))

    def owners() -> frozenset[str]:
        with world.ctx.ahead.act():
            world.ctx.ahead.expect(about_groups(policy, ("platform",)))
            return frozenset(world.directory.groups(policy, ("platform",)).members(("platform",)))

    assert owners() == {OLU, PAT}
    world.chat.people[account(PAT)] = facts(PAT, standing_problem=Code.PERSON_DEACTIVATED.value)
    world.chat.refresh_person(account(PAT), policy)
    assert owners() == {OLU}


def test_what_follows_from_values_of_two_instants_is_not_kept(ledger: RedisLedger, other: RedisLedger) -> None:
    """A name that another process changes while it is made into something, and is changed back to."""
    write(ledger, "Dana")

    def both() -> str:
        first = name_in(ledger)
        write(other, "Dana D.")
        # Was not asked for before: all is read anew.
        ledger.read(keys.person(OLU))
        return f"{first} and {name_in(ledger)}"

    with ledger.ahead.act():
        name_in(ledger)
        assert ledger.ahead.derived("both", both) == "Dana and Dana D."
    with ledger.ahead.act():
        assert ledger.ahead.derived("both", lambda: str(name_in(ledger))) == "Dana D."


def test_what_was_derived_counts_while_each_value_is_the_same(ledger: RedisLedger, other: RedisLedger) -> None:
    made = []

    def shout() -> str:
        made.append((name_in(ledger) or "nobody").upper())
        return made[-1]

    def shouted() -> str:
        with ledger.ahead.act():
            ledger.now()
            name_in(ledger)
            return ledger.ahead.derived("shout", shout)

    assert [shouted(), shouted(), len(made)] == ["NOBODY", "NOBODY", 1]
    write(other, "Dana")
    assert [shouted(), shouted(), len(made)] == ["DANA", "DANA", 2]


def test_facts_that_another_process_learnt_meanwhile_are_not_written_over(client: Any) -> None:
    world, other = RedisWorld(client), RedisWorld(client)
    with world.ctx.ahead.act():
        assert world.directory.person(account(DANA)) is None
        newer = other.chat.refresh_person(account(DANA), other.policy.policy)
        older = replace(newer, as_of=newer.as_of - timedelta(seconds=10), name="Somebody else")
        assert world.directory.put_person(older).name == newer.name


def test_facts_that_are_learnt_within_an_act_are_kept_and_seen(client: Any) -> None:
    world = RedisWorld(client)
    with world.ctx.ahead.act():
        assert world.directory.person(account(DANA)) is None
        world.chat.refresh_person(account(DANA), world.policy.policy)
        assert world.directory.person(account(DANA)) is not None
