"""The installation's own name."""

from __future__ import annotations

from tests.support import build
from tests.support.world import World
from workflows.core import keys
from workflows.core.records.installation import Installation
from workflows.usecases.shared.installation import installation


def test_it_is_made_once_and_stays() -> None:
    world = World(build.policy())
    first = installation(world.ctx)
    assert len(bytes.fromhex(first.id)) == 16
    assert first.epoch == 1
    assert installation(world.ctx) == first
    assert world.ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation) == first


def test_of_two_that_make_it_at_once_one_wins() -> None:
    world = World(build.policy())
    other: list[Installation] = []
    commit = world.ledger.commit

    def beaten(change: object) -> object:
        world.ledger.commit = commit  # type: ignore[method-assign]  # once
        other.append(installation(world.ctx))
        return commit(change)  # type: ignore[arg-type]  # what was handed in

    world.ledger.commit = beaten  # type: ignore[method-assign,assignment]  # somebody is in between
    assert [installation(world.ctx)] == other
