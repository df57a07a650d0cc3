"""One step, all of it or nothing: the same promises of the ledger in memory and on Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.contract.ledger.ledger_world import World, event, person, press, slot, worlds
from workflows.core.records.request import Slot
from workflows.ledger.codec import UnstorableRecord
from workflows.ports import STALE_S_MAX, Committed, Fence, IndexEntry, LedgerUnreachable, Lost


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


# ---------------------------------------------------------------- versions


def test_what_was_never_written_is_absent_at_version_0(world: World) -> None:
    seen = world.ledger.read("slot:a", "slot:b")
    assert seen.versions() == {"slot:a": 0, "slot:b": 0}
    assert seen.get("slot:a", Slot) is None


def test_what_was_written_is_read_back(world: World) -> None:
    world.put("slot:a", slot("a", "PA-1"))
    assert world.ledger.read("slot:a").get("slot:a", Slot) == slot("a", "PA-1")


def test_each_write_has_a_version_above_all_before_it(world: World) -> None:
    versions = []
    for name in ("a", "b", "a", "b"):
        world.put(f"slot:{name}", slot(name))
        versions.append(world.ledger.read(f"slot:{name}").versions()[f"slot:{name}"])
    assert versions == sorted(set(versions))


def test_a_deleted_record_made_again_does_not_get_its_old_version_back(world: World) -> None:
    world.put("slot:a", slot("a"))
    before = world.ledger.read("slot:a")
    world.commit("slot:a", deletes=frozenset({"slot:a"}))
    assert world.ledger.read("slot:a").versions() == {"slot:a": 0}
    world.put("slot:a", slot("a"))
    late = replace(world.change(), reads=before.versions(), puts={"slot:a": slot("a", "PA-1")})
    assert world.ledger.commit(late) == Lost("version", ("slot:a",))


def test_a_record_that_appeared_meanwhile_is_a_conflict(world: World) -> None:
    late = world.change("slot:a", "slot:b", puts={"slot:a": slot("a", "PA-2")})
    world.put("slot:a", slot("a", "PA-1"))
    assert world.ledger.commit(late) == Lost("version", ("slot:a",))
    assert world.ledger.read("slot:a").get("slot:a", Slot) == slot("a", "PA-1")


def test_a_record_that_was_only_read_counts_as_well(world: World) -> None:
    late = world.change("person:ada", "slot:a", puts={"slot:a": slot("a")})
    world.put("person:ada", person("ada", pending=("PA-1",)))
    assert world.ledger.commit(late) == Lost("version", ("person:ada",))


def test_a_lost_commit_writes_nothing_at_all(world: World) -> None:
    world.put("slot:a", slot("a"))
    stale = world.change("slot:a")
    world.put("slot:a", slot("a", "PA-1"))
    late = replace(
        stale,
        reads={**stale.reads, "slot:b": 0, "slot:c": 0},
        puts={"slot:b": slot("b")},
        deletes=frozenset({"slot:c"}),
        due={"PA-1": stale.at},
        index=(IndexEntry("open", "PA-1", 1.0),),
        audit=(event(world, "PA-1", stale.at),),
    )
    assert isinstance(world.ledger.commit(late), Lost)
    assert world.ledger.read("slot:b").versions() == {"slot:b": 0}
    assert world.ledger.count("open") == 0
    assert world.ledger.head() == 0
    assert world.due.lead("t")
    assert world.due.claim("t") == []
    again = world.ledger.commit(replace(late, reads=world.ledger.read("slot:a", "slot:b", "slot:c").versions()))
    assert again == Committed((1,), "")


def test_all_parts_of_a_commit_are_there_together(world: World) -> None:
    world.put("slot:old", slot("old"))
    at = world.ledger.now()
    result = world.commit(
        "slot:old",
        "slot:new",
        at=at,
        puts={"slot:new": slot("new")},
        deletes=frozenset({"slot:old"}),
        due={"PA-1": at},
        index=(IndexEntry("open", "PA-1", 1.0),),
        audit=(event(world, "PA-1", at), event(world, "PA-2", at)),
        answer="done: ok",
    )
    assert result == Committed((1, 2), "done: ok")
    seen = world.ledger.read("slot:old", "slot:new")
    assert (seen.get("slot:old", Slot), seen.get("slot:new", Slot)) == (None, slot("new"))
    assert world.ledger.members("open") == ["PA-1"]
    assert world.due.lead("t")
    assert world.due.claim("t") == ["PA-1"]


def test_of_50_threads_on_the_same_versions_exactly_one_commits(world: World) -> None:
    world.put("slot:a", slot("a"))
    seen = world.change("slot:a")
    changes = [
        replace(
            seen, commit_id=f"thread {n}", puts={"slot:a": slot("a", f"PA-{n}")}, audit=(event(world, "a", seen.at),)
        )
        for n in range(1, 51)
    ]
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(world.ledger.commit, changes))
    won = [place for place, result in enumerate(results, start=1) if isinstance(result, Committed)]
    assert len(won) == 1
    assert world.ledger.read("slot:a").get("slot:a", Slot) == slot("a", f"PA-{won[0]}")
    assert world.ledger.head() == 1


def test_a_read_of_thousands_of_records_is_one_instant(world: World) -> None:
    names = [f"slot:{n}" for n in range(9000)]
    world.put("slot:8999", slot("8999"))
    seen = world.ledger.read(*names)
    assert len(seen.items) == 9000
    assert seen.get("slot:8999", Slot) == slot("8999")


# ---------------------------------------------------------------- replays


def test_a_commit_id_that_is_used_again_changes_nothing_and_gets_the_first_answer(world: World) -> None:
    first = world.change("slot:a", audit=(event(world, "a"),), puts={"slot:a": slot("a", "PA-1")}, answer="first:1")
    first = replace(first, audit=(replace(first.audit[0], at=first.at),))
    assert world.ledger.commit(first) == Committed((1,), "first:1")
    second = replace(first, puts={"slot:a": slot("a", "PA-2")}, answer="second")
    assert world.ledger.commit(second) == Committed((1,), "first:1", replayed=True)
    assert world.ledger.read("slot:a").get("slot:a", Slot) == slot("a", "PA-1")
    assert world.ledger.head() == 1


def test_a_replay_is_answered_however_old_it_is_and_whatever_changed(world: World) -> None:
    lease = world.ledger.acquire("holding")
    assert lease
    change = world.change("slot:a", puts={"slot:a": slot("a")}, answer="yes", gives_access=True)
    change = replace(change, fence=Fence("holding", lease.number))
    world.ledger.commit(change)
    world.put("slot:a", slot("a", "PA-9"))
    world.ledger.release(lease)
    world.lose_durability()
    world.advance(3600)
    assert world.ledger.commit(change) == Committed((), "yes", replayed=True)


def test_a_read_tells_whether_a_commit_id_was_used(world: World) -> None:
    assert world.ledger.read("slot:a", commit_id="press 1").replay is None
    world.commit("slot:a", commit_id="press 1", answer="")
    assert world.ledger.read("slot:a", commit_id="press 1").replay == ""


def test_a_lost_commit_may_be_tried_again_under_its_id(world: World) -> None:
    late = world.change("slot:a", commit_id="press", puts={"slot:a": slot("a", "PA-2")})
    world.put("slot:a", slot("a", "PA-1"))
    assert isinstance(world.ledger.commit(late), Lost)
    fresh = world.ledger.read("slot:a", commit_id="press")
    assert fresh.replay is None
    assert world.ledger.commit(replace(late, reads=fresh.versions())) == Committed((), "")


# ---------------------------------------------------------------- the other checks


def test_a_process_that_was_paused_between_read_and_commit_is_refused_as_stale(world: World) -> None:
    old = world.change("slot:a", puts={"slot:a": slot("a")})
    old = replace(old, at=old.at - timedelta(seconds=STALE_S_MAX + 0.001))
    assert world.ledger.commit(old) == Lost("stale")
    assert world.ledger.read("slot:a").versions() == {"slot:a": 0}


def test_a_decision_some_seconds_old_is_taken(world: World) -> None:
    old = world.change("slot:a", puts={"slot:a": slot("a")})
    assert isinstance(world.ledger.commit(replace(old, at=old.at - timedelta(seconds=STALE_S_MAX - 2))), Committed)


def test_a_decision_from_the_future_is_refused(world: World) -> None:
    change = world.change("slot:a")
    assert world.ledger.commit(replace(change, at=change.at + timedelta(seconds=3))) == Lost("stale")


def test_a_commit_under_a_living_lease_is_taken(world: World) -> None:
    lease = world.ledger.acquire("H-1")
    assert lease
    world.commit("slot:a", fence=Fence("H-1", lease.number))


def test_a_commit_after_the_lease_ran_out_is_refused(world: World) -> None:
    lease = world.ledger.acquire("H-1")
    assert lease
    world.advance(3.1)
    assert world.ledger.commit(world.change("slot:a", fence=Fence("H-1", lease.number))) == Lost("fence")


def test_a_commit_under_a_lease_that_another_has_taken_over_is_refused(world: World) -> None:
    lease = world.ledger.acquire("H-1")
    assert lease
    world.advance(3.1)
    assert world.ledger.acquire("H-1")
    change = world.change("slot:a", puts={"slot:a": slot("a")}, fence=Fence("H-1", lease.number))
    assert world.ledger.commit(change) == Lost("fence")
    assert world.ledger.read("slot:a").versions() == {"slot:a": 0}


def test_without_durability_nothing_is_given_but_removal_goes_on(world: World) -> None:
    world.lose_durability()
    assert not world.ledger.durability().durable
    assert world.ledger.commit(world.change("slot:a", gives_access=True)) == Lost("durability")
    world.commit("slot:a", removes_access=True, puts={"slot:a": slot("a")})


def test_with_full_memory_only_removal_is_taken(world: World) -> None:
    world.put("slot:a", slot("a"))
    plain = world.change("slot:a", puts={"slot:a": slot("a", "PA-1")})
    world.fill_memory()
    with pytest.raises(LedgerUnreachable, match="memory limit"):
        world.ledger.commit(plain)
    lease = world.ledger.acquire("H-1")
    assert lease
    assert world.ledger.renew(lease)
    at = world.ledger.now()
    removal = world.change("slot:a", removes_access=True, fence=Fence("H-1", lease.number), at=at)
    removal = replace(removal, deletes=frozenset({"slot:a"}), audit=(event(world, "a", at),), due={"PA-1": at})
    assert isinstance(world.ledger.commit(removal), Committed)
    assert world.due.lead("t")
    assert world.due.claim("t") == ["PA-1"]
    assert world.buckets.take("iam", rate=1, burst=1) == 0.0


# ---------------------------------------------------------------- what is no change


def test_a_record_that_was_not_read_cannot_be_written(world: World) -> None:
    with pytest.raises(ValueError, match="without having been read: slot:a"):
        world.ledger.commit(world.change("slot:b", puts={"slot:a": slot("a")}))
    with pytest.raises(ValueError, match="without having been read: slot:a"):
        world.ledger.commit(world.change("slot:b", deletes=frozenset({"slot:a"})))


def test_a_record_under_a_key_of_another_kind_is_refused_before_anything_is_written(world: World) -> None:
    with pytest.raises(UnstorableRecord, match="must hold a Slot, not a Press"):
        world.ledger.commit(world.change("slot:a", puts={"slot:a": press("a")}))
    with pytest.raises(UnstorableRecord, match="no record can stand"):
        world.ledger.commit(world.change("thing:a", puts={"thing:a": press("a")}))


def test_an_index_takes_only_finite_scores(world: World) -> None:
    for score in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="cannot stand at"):
            world.ledger.commit(world.change(index=(IndexEntry("open", "PA-1", score),)))


def test_an_entry_has_the_time_of_its_change(world: World) -> None:
    change = world.change("slot:a")
    other = event(world, "a", change.at + timedelta(microseconds=1))
    with pytest.raises(ValueError, match="another time"):
        world.ledger.commit(replace(change, audit=(other,)))


# ---------------------------------------------------------------- ids and indexes


def test_ids_go_on_behind_what_was_raised_and_never_back(world: World) -> None:
    assert world.ledger.raise_ids(40) == 40
    assert world.ledger.next_id() == "PA-41"
    assert world.ledger.raise_ids(7) == 41
    assert world.ledger.next_id() == "PA-42"


def test_ids_are_never_given_twice(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: world.ledger.next_id(), range(40)))
    assert len(set(ids)) == 40
    assert all(number.startswith("PA-") for number in ids)


def test_an_index_is_read_by_score_from_either_end(world: World) -> None:
    scores = {"a": 1.5, "b": 2.25, "c": 2.25, "d": 1_795_226_015.123456}
    world.commit(index=tuple(IndexEntry("open", member, score) for member, score in scores.items()))
    read = world.ledger.members
    assert read("open") == ["a", "b", "c", "d"]
    assert read("open", newest=True) == ["d", "c", "b", "a"]
    assert read("open", low=2.25) == ["b", "c", "d"]
    assert read("open", high=2.25, newest=True, limit=2) == ["c", "b"]
    assert read("open", low=1_795_226_015.123456) == ["d"]
    assert read("open", low=1_795_226_015.123457) == []
    assert read("other") == []
    assert world.ledger.count("open") == 4
    world.commit(index=(IndexEntry("open", "b", None), IndexEntry("open", "a", 9.0)))
    assert read("open") == ["c", "a", "d"]


def test_an_index_is_walked_to_its_end_whoever_leaves_it_meanwhile(world: World) -> None:
    """Also where many stand at the same score, and where whoever came last is the one who goes."""
    scores = {f"m{number}": float(number // 4) for number in range(14)}
    world.commit(index=tuple(IndexEntry("open", member, score) for member, score in scores.items()))
    in_order = world.ledger.members("open")
    assert [list(part) for part in world.ledger.walk("open", at_once=3)] == [
        in_order[first : first + 3] for first in range(0, 14, 3)
    ]
    came: list[str] = []
    gone = {"m4", "m5", "m0", "m7"}
    for part in world.ledger.walk("open", at_once=3):
        came += part
        world.commit(index=tuple(IndexEntry("open", member, None) for member in gone & set(came)))
    assert came == in_order
    assert list(world.ledger.walk("other")) == []


def test_records_of_every_kind_are_found(world: World) -> None:
    world.put("slot:a", slot("a"))
    world.put("press:b", press("b"))
    assert sorted(world.ledger.records("*")) == ["press:b", "slot:a"]
    assert list(world.ledger.records("slot")) == ["slot:a"]
