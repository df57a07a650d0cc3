"""The oldest audit entries leave the ledger in one step with their words and lists; all else goes on as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.ledger.ledger_world import World, event, worlds
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.retained import Retained
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import leaf_of
from workflows.ports import Lost, Trim
from workflows.usecases.upkeep.verify_audit import all_faults


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def tell(world: World, *subjects: str) -> None:
    for subject in subjects:
        at = world.ledger.now()
        world.commit(at=at, audit=(event(world, subject, at, private={"by": "Asa"}),))


def trim(world: World, first: int, **rest: Any) -> Any:
    """As the retainer does it, with its note."""
    gone = [entry for entry in world.ledger.stored_entries(limit=1000) if entry.number < first]
    tree = Tree()
    for entry in gone:
        tree.append(leaf_of(entry.number, entry.digest))
    at, subjects = world.ledger.now(), ("PA-1", "PA-2", "PA-3")
    noted = Retained(first, tuple(part.hex() for part in tree.frontier), gone[-1].link)
    said = AuditEvent(Event.AUDIT_RETAINED, "retained-log", at, "1" * 32, "2" * 32, {"first": str(first)})
    forget = tuple(entry.number for entry in gone)
    change = world.change(
        keys.RETAINED,
        at=at,
        puts={keys.RETAINED: noted},
        audit=(said,),
        forget=forget,
        trim=Trim(first, subjects),
        **rest,
    )
    return world.ledger.commit(change)


def test_entries_before_the_first_that_stays_are_gone_with_words_and_lists(world: World) -> None:
    tell(world, "PA-1", "PA-2", "PA-1", "PA-3", "PA-1")
    before = world.ledger.stored_entries(limit=100)
    assert not isinstance(trim(world, 4), Lost)
    left = world.ledger.stored_entries(limit=100)
    assert [entry.number for entry in left] == [4, 5, 6]
    assert left[:2] == before[3:]
    lists = {subject: list(numbers) for subject, numbers in world.ledger.audit_lists()}
    assert lists == {"PA-3": [4], "PA-1": [5], "retained-log": [6]}
    state = world.ledger.audit_state()
    assert (state.words, state.upto, state.counted) == (3, 6, 6)
    assert all_faults(world.ledger) == []


def test_numbers_and_links_go_on(world: World) -> None:
    tell(world, "PA-1", "PA-2")
    trim(world, 2)
    tell(world, "PA-4")
    assert [entry.number for entry in world.ledger.entries(limit=10)] == [2, 3, 4]
    assert world.ledger.head() == 4
    assert world.ledger.lost() is None
    assert [entry.number for entry in world.ledger.entries_of("PA-4")] == [4]
    assert world.ledger.entries_of("PA-1") == []
    assert all_faults(world.ledger) == []


def test_a_trim_that_loses_leaves_all(world: World) -> None:
    tell(world, "PA-1", "PA-2")
    assert isinstance(trim(world, 2, reads={keys.RETAINED: 7}), Lost)
    assert len(world.ledger.stored_entries()) == 2
    assert all(entry.private is not None for entry in world.ledger.stored_entries())


def test_entries_of_many_subjects_are_one_question(world: World) -> None:
    tell(world, "PA-1", "PA-2", "PA-1")
    found = world.ledger.stored_entries_of(["PA-1", "PA-2", "PA-9"])
    assert {subject: [entry.number for entry in entries] for subject, entries in found.items()} == {
        "PA-1": [1, 3],
        "PA-2": [2],
        "PA-9": [],
    }
    assert [entry.number for entry in world.ledger.stored_entries_of(["PA-1"], after=1)["PA-1"]] == [3]
    assert world.ledger.stored_entries_of([]) == {}


def test_what_the_clock_has_to_look_at_is_known(world: World) -> None:
    world.commit(due={"end:PA-1": world.ledger.now(), "chat:PA-1": None})
    assert world.ledger.due_among(["end:PA-1", "chat:PA-1", "end:PA-2"]) == {"end:PA-1"}
    assert world.ledger.due_among([]) == frozenset()
