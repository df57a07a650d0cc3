"""Every event once, numbered without a gap, in the order of the commits."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import redis

from tests.contract.ledger.ledger_world import World, event, redis_world, slot, worlds
from workflows.core.absent_words import NumberRanges
from workflows.core.audit import AuditEvent, Event
from workflows.core.canonical_json import digest
from workflows.ports import Change, Committed, Lost
from workflows.usecases.upkeep.verify_audit import all_faults


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def tell(world: World, *subjects: str) -> Committed:
    at = world.ledger.now()
    return world.commit(at=at, audit=tuple(event(world, subject, at) for subject in subjects))


def test_without_entries_the_head_is_0(world: World) -> None:
    assert world.ledger.head() == 0
    assert world.ledger.entries() == []
    assert world.ledger.entries_of("PA-1") == []


def test_numbers_have_no_gap_and_follow_the_commits(world: World) -> None:
    assert tell(world, "PA-1", "PA-2").numbers == (1, 2)
    assert tell(world).numbers == ()
    assert tell(world, "PA-1").numbers == (3,)
    assert [(entry.number, entry.subject) for entry in world.ledger.entries()] == [
        (1, "PA-1"),
        (2, "PA-2"),
        (3, "PA-1"),
    ]
    assert world.ledger.head() == 3


def test_entries_of_some_kinds_are_found_whatever_stands_between_them(world: World) -> None:
    """What is passed over is not read as an entry; what cannot be told apart is."""
    at, said = world.ledger.now(), f'"event":"{Event.GRANT_ENDED.value}"'
    kinds = [Event.REQUEST_MADE] * 5 + [Event.GRANT_ENDED, Event.REQUEST_MADE, Event.GRANT_REVOKED]
    entries = tuple(
        replace(event(world, f"PA-{number}", at), event=kind, facts={"of": said}) for number, kind in enumerate(kinds)
    )
    world.commit(at=at, audit=entries)
    wanted, found, after = frozenset({Event.GRANT_ENDED, Event.GRANT_REVOKED}), list[Event](), 0
    while page := world.ledger.entries(after=after, limit=2, events=wanted):
        found += [entry.event for entry in page]
        after = page[-1].number
    assert found == [Event.GRANT_ENDED, Event.GRANT_REVOKED]
    assert world.ledger.entries(events=frozenset({Event.DRIFT_GONE})) == []
    assert len(world.ledger.entries()) == len(kinds)


def test_numbers_have_no_gap_when_many_commit_at_once(world: World) -> None:
    def work(place: int) -> list[int]:
        at = world.ledger.now()
        change = world.change(
            commit_id=f"t{place}", at=at, audit=tuple(event(world, f"s{place}", at) for _ in range(3))
        )
        result = world.ledger.commit(change)
        assert isinstance(result, Committed)
        return list(result.numbers)

    with ThreadPoolExecutor(10) as pool:
        runs = list(pool.map(work, range(20)))
    assert sorted(number for run in runs for number in run) == list(range(1, 61))
    assert all(run == list(range(run[0], run[0] + 3)) for run in runs)
    for place, run in enumerate(runs):
        assert [entry.number for entry in world.ledger.entries_of(f"s{place}")] == run


def test_entries_are_read_in_parts(world: World) -> None:
    tell(world, *["PA-1"] * 7)
    assert [entry.number for entry in world.ledger.entries(limit=3)] == [1, 2, 3]
    assert [entry.number for entry in world.ledger.entries(after=3, limit=3)] == [4, 5, 6]
    assert [entry.number for entry in world.ledger.entries(after=6)] == [7]
    assert world.ledger.entries(after=7) == []


def test_entries_of_one_subject_are_only_its_own(world: World) -> None:
    tell(world, "PA-1", "PA-10", "PA-1", "PA-2")
    assert [entry.number for entry in world.ledger.entries_of("PA-1")] == [1, 3]
    assert [entry.number for entry in world.ledger.entries_of("PA-1", after=1)] == [3]


def test_an_entry_is_read_back_as_it_was_told_and_its_digest_can_be_made_again(world: World) -> None:
    at = world.ledger.now()
    told = AuditEvent(
        event=Event.REQUEST_DENIED,
        subject="PA-1",
        at=at,
        nonce="a" * 32,
        salt="b" * 32,
        facts={"rule": "dual authorization", "age_s": "12"},
        private={"reason": 'not "now": \u2028 später <!channel>', "by": "Åsa"},
    )
    (number,) = world.commit(at=at, audit=(told,)).numbers
    (entry,) = world.ledger.entries()
    assert (entry.number, entry.event, entry.subject, entry.at) == (number, told.event, "PA-1", at)
    assert (entry.facts, entry.private, entry.salt) == (told.facts, told.private, told.salt)
    assert entry.digest == told.digest == digest(json.loads(entry.body))
    assert "Åsa" not in entry.body


def test_a_commit_without_entries_still_counts_as_one(world: World) -> None:
    assert world.put("slot:a", slot("a")) == Committed((), "")


def test_an_entry_whose_private_words_were_erased_is_still_verifiable(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    at = world.ledger.now()
    world.commit(at=at, audit=(event(world, "PA-1", at, private={"by": "Åsa"}),))
    redis_client.hdel("prodaccess:audit:private", "1")
    (entry,) = world.ledger.entries()
    assert (entry.private, entry.salt) == ({}, "")
    assert entry.digest == digest(json.loads(entry.body))


def erased(world: World, *numbers: int, listed: str | None = None, **rest: Any) -> Change:
    at = world.ledger.now()
    facts = {"numbers": str(NumberRanges.of(numbers)) if listed is None else listed}
    said = AuditEvent(Event.PERSON_ERASED, "erased-1", at, "1" * 32, "2" * 32, facts)
    return world.change(at=at, audit=(said,), forget=numbers, **rest)


def test_words_are_deleted_in_the_commit_that_lists_their_entries(world: World) -> None:
    for _ in range(4):
        at = world.ledger.now()
        world.commit(at=at, audit=(event(world, "PA-1", at, private={"by": "Asa"}),))
    before = world.ledger.stored_entries()
    assert isinstance(world.ledger.commit(erased(world, 3, 1)), Committed)
    after = world.ledger.stored_entries()
    assert [entry.private is None for entry in after] == [True, False, True, False, False]
    assert [(one.body, one.digest, one.link) for one in after[:4]] == [(e.body, e.digest, e.link) for e in before]
    assert (all_faults(world.ledger), world.ledger.audit_state().words) == ([], 3)


def test_a_change_that_loses_forgets_nothing(world: World) -> None:
    tell(world, "PA-1", "PA-2")
    lost = world.ledger.commit(erased(world, 1, reads={"slot:a": 7}))
    assert isinstance(lost, Lost)
    assert all(entry.private is not None for entry in world.ledger.stored_entries())


@pytest.mark.parametrize("listed", ["", "1", "1-3", "x"])
def test_words_are_never_deleted_unsaid(world: World, listed: str) -> None:
    tell(world, "PA-1", "PA-2")
    with pytest.raises(ValueError, match="no entry lists"):
        world.ledger.commit(erased(world, 1, 2, listed=listed))


def test_a_number_beyond_all_numbers_hides_no_entry_and_stops_none(redis_client: redis.Redis) -> None:
    """Nothing can be added to a stream behind it: what is there stays readable, and numbers go on where they were."""
    world = redis_world(redis_client)
    tell(world, "PA-1", "PA-2")
    redis_client.xadd("prodaccess:audit", {"body": "{}"}, id="18446744073709551615-0")
    assert world.ledger.head() == 2
    assert tell(world, "PA-1").numbers == (3,)
    assert [entry.number for entry in world.ledger.entries()] == [1, 2, 3]
    assert [entry.number for entry in world.ledger.entries(after=1, limit=1)] == [2]
    assert [entry.number for entry in world.ledger.entries(after=2, limit=1)] == [3]
    assert [entry.number for entry in world.ledger.entries_of("PA-1")] == [1, 3]
    assert all_faults(world.ledger) == []


def test_what_was_put_aside_once_is_not_written_over(redis_client: redis.Redis) -> None:
    world = redis_world(redis_client)
    for content in ("first", "second"):
        redis_client.delete("prodaccess:audit:of:PA-1")
        redis_client.set("prodaccess:audit:of:PA-1", content)
        tell(world, "PA-1")
    kept = redis_client.keys("prodaccess:audit:of:PA-1:strange*")
    assert {redis_client.get(name) for name in kept} == {"first", "second"}
