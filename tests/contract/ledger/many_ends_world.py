"""Many grants whose time has come in the same second, on a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support import build
from tests.support.redis_world import RedisWorld, leases_renewed
from workflows.core import keys
from workflows.core.records.grant import GrantState
from workflows.ports import Change, Committed
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec

MANY = 20
ROLES = [f"role-{number}" for number in range(MANY // 2)]


@contextmanager
def crowded(client: Any, redis_url: str) -> Iterator[RedisWorld]:
    """An installation with so many roles."""
    sets = [AwsSpec(AwsKind.IDENTITY_CENTER, permission_set=f"Set{role}") for role in ROLES]
    roles = [build.entitlement(role, target=target) for role, target in zip(ROLES, sets, strict=True)]
    world = RedisWorld(client, build.policy(build.environment(*roles)))
    world.look()
    world.activate()
    # Who asks the server for the time here is no part of the product.
    began, began_s = world.ledger.now(), time.monotonic()
    for target in AwsKind:
        world.target(target)._now = lambda: began + timedelta(seconds=time.monotonic() - began_s)
    with leases_renewed(world, redis_url):
        yield world


def overdue(world: RedisWorld, count: int = MANY) -> list[str]:
    """Active grants whose deadline has come; all of them are due."""
    wanted = [(who, role) for role in ROLES for who in (build.DANA, build.NIA)][:count]
    found = [world.active(who, role=role) for who, role in wanted]
    for id_ in found:
        assert world.grant(id_).state is GrantState.ACTIVE
        item, snapshot = keys.grant(id_), world.ledger.read(keys.grant(id_))
        over = replace(world.grant(id_), deadline=snapshot.now - timedelta(seconds=1))
        due = {keys.end_due(id_): over.deadline}
        change = Change(world.press_id(), snapshot.now, snapshot.versions(), puts={item: over}, due=due)
        assert isinstance(world.ledger.commit(change), Committed)
    return found


def states(world: RedisWorld, ids: Sequence[str]) -> set[GrantState]:
    return {world.grant(id_).state for id_ in ids}
