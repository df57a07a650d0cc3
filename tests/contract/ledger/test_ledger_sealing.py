"""What the ledger does for the seal: it is due while there are entries that are not sealed, and at no other time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.contract.ledger.ledger_world import World, event, worlds
from workflows.core import keys
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import Seal

STATE = SealState(0, "", (), datetime(2026, 1, 5, 9, 0, tzinfo=UTC), Seal("{}", "a" * 64, ""))


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def sealed(world: World, size: int) -> None:
    world.commit(keys.SEAL, puts={keys.SEAL: STATE}, sealed=size)


def write(world: World, count: int = 1) -> None:
    at = world.ledger.now()
    world.commit(at=at, audit=tuple(event(world, f"PA-{number}", at) for number in range(count)))


def claimed(world: World, after_s: float) -> list[str]:
    world.advance(after_s)
    assert world.due.lead("t")
    return list(world.due.claim("t"))


def test_without_a_seal_no_entry_makes_it_due(world: World) -> None:
    write(world)
    assert claimed(world, 2) == []


def test_an_entry_behind_the_seal_makes_it_due_in_a_second(world: World) -> None:
    sealed(world, 0)
    assert claimed(world, 0) == []
    write(world)
    assert claimed(world, 0.5) == []
    assert claimed(world, 0.6) == [keys.SEAL]


def test_more_entries_do_not_put_it_off(world: World) -> None:
    sealed(world, 0)
    for _ in range(4):
        write(world)
        world.advance(0.3)
    assert claimed(world, 0) == [keys.SEAL]


def test_what_is_sealed_is_due_no_more(world: World) -> None:
    sealed(world, 0)
    write(world, 3)
    sealed(world, 3)
    assert claimed(world, 10) == []


@pytest.mark.parametrize("size", [0, 2])
def test_an_entry_that_the_seal_does_not_cover_keeps_it_due(world: World, size: int) -> None:
    sealed(world, 0)
    write(world, 3)
    sealed(world, size)
    assert claimed(world, 1.1) == [keys.SEAL]


def test_a_commit_without_entries_is_no_reason_to_seal(world: World) -> None:
    sealed(world, 0)
    world.commit("slot:a")
    assert claimed(world, 2) == []


def test_the_newest_entry_that_was_seen_is_known_without_asking(world: World) -> None:
    assert world.ledger.newest_seen() == 0
    write(world, 3)
    world.ledger.read()
    assert world.ledger.newest_seen() == 3
