"""A comparison on a real ledger: found, taken away with its way on the record, and told; and what a quiet pass costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.support import build
from tests.support.drift import by_hand, marking, marks, mine
from tests.support.redis_world import RedisWorld
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.policy import OnDrift
from workflows.core.records.drift import Drift, DriftKind
from workflows.core.records.holding import Holding
from workflows.ports import Change, Committed
from workflows.targets.aws.kinds import AwsKind
from workflows.usecases.drift.passes import look_for_drift
from workflows.usecases.drift.standing import open_of_all, progress
from workflows.usecases.fulfilment.converge import converge

LATER = timedelta(minutes=11)


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """As the product has it: answers are bytes."""
    with redis.Redis.from_url(redis_url) as found:
        yield found


def passed(world: RedisWorld) -> None:
    number = progress(world.ctx).number
    for _ in range(50):
        look_for_drift(world.ctx, "pass")
        stands = progress(world.ctx)
        if stands.number > number and stands.started_at is None:
            return
    raise AssertionError(f"the comparison does not end: {progress(world.ctx)}")


def _as_if_found_before(world: RedisWorld) -> None:
    for id_, found in open_of_all(world.ctx).items():
        snapshot = world.ledger.read(keys.drift(id_))
        older = replace(found, first_seen=found.first_seen - LATER)
        change = Change(world.press_id(), snapshot.now, snapshot.versions(), puts={keys.drift(id_): older})
        assert isinstance(world.ledger.commit(change), Committed)


def events(world: RedisWorld) -> list[Event]:
    return [entry.event for entry in world.ledger.entries(limit=1000) if entry.event.value.startswith("drift.")]


def test_what_carries_our_mark_goes_by_the_ordinary_way(client: Any) -> None:
    world = RedisWorld(client, marking(OnDrift.REVOKE))
    marks(world)
    world.activate()
    one = by_hand(world, build.DANA, world.ledger.next_id(), mine(world))
    other = by_hand(world, build.NIA, "PA-1", "00000000000f")
    passed(world)
    assert {found.kind for found in open_of_all(world.ctx).values()} == {DriftKind.UNKNOWN, DriftKind.FOREIGN}
    _as_if_found_before(world)
    passed(world)
    held = world.ledger.read(keys.holding(one.holding)).get(keys.holding(one.holding), Holding)
    assert held is not None, "its removal stands on the record before anything is called"
    assert held.ours
    converge(world.ctx, one.holding)
    look_for_drift(world.ctx, one.holding)
    target = world.target(AwsKind.IAM_POLICY)
    assert (target.has(one), target.has(other)) == (False, True)
    assert events(world)[2:] == [Event.DRIFT_REMOVAL_STARTED, Event.DRIFT_REMOVED]
    assert [found.kind for found in open_of_all(world.ctx).values()] == [DriftKind.FOREIGN]
    assert list(world.ledger.members(keys.DRIFT)) == [other.holding]
    assert world.ledger.read(keys.drift(one.holding)).get(keys.drift(one.holding), Drift) is None
