"""What a forge holds back, on a real server: heard once and told once, however many hear and tell at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
import redis

from bot.forge.comments import GitHubComments
from tests.support import build
from tests.support.gates import gated
from tests.support.redis_world import RedisWorld
from tests.support.scenes_of_gates import RULE, WAITS, SaidForge
from workflows.core import keys
from workflows.core.records.forge import ForgeWait
from workflows.ledger import codec
from workflows.ports import BeforeSend
from workflows.usecases.gates.forge_see_to import see_to
from workflows.usecases.gates.forge_wait import remember
from workflows.usecases.shared.context import Outcome

AT_ONCE = 20
ITEM = keys.forge(WAITS.id)


class Counting(SaidForge):
    """`told`: every answer that it was given."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        self.told.append(approved)
        return super().answer(wait, approved=approved, comment=comment, before_send=before_send)


@pytest.fixture
def world(redis_url: str) -> Iterator[RedisWorld]:
    """As the product has it: answers are bytes."""
    with redis.Redis.from_url(redis_url) as client:
        found = RedisWorld(client, gated(pipelines=(RULE,)))
        found.activate()
        found.knows(build.DANA, build.OLU, build.PAT)
        yield found


def waits(world: RedisWorld) -> ForgeWait | None:
    return world.ledger.read(ITEM).get(ITEM, ForgeWait)


def test_of_twenty_who_hear_it_at_once_one_has_news(world: RedisWorld) -> None:
    start = Barrier(AT_ONCE)

    def hear(number: int) -> bool:
        start.wait()
        return remember(world.ctx, WAITS, "github", (f"delivery:{number % 3}", "body:1"))

    with ThreadPoolExecutor(AT_ONCE) as many:
        assert sum(many.map(hear, range(AT_ONCE))) == 1
    found = waits(world)
    assert found is not None
    assert found == replace(WAITS, ticket=found.ticket, since=found.since)
    assert codec.decode(ITEM, codec.encode(ITEM, found)) == found
    at_gitlab = replace(found, gitlab="https://gitlab.example.com", installation="")
    assert codec.decode(ITEM, codec.encode(ITEM, at_gitlab)) == at_gitlab
    # As the version before wrote it.
    assert codec.decode(ITEM, codec.encode(ITEM, found).replace(b',"gitlab":""', b"")) == found


def test_of_twenty_workers_at_once_one_tells_it_once(world: RedisWorld) -> None:
    forge, start = Counting(), Barrier(AT_ONCE)
    world.forge = lambda ctx, id_: see_to(ctx, forge, GitHubComments("/prodaccess"), id_)
    assert remember(world.ctx, WAITS, "github", ("d",))
    world.work()
    found = waits(world)
    assert found is not None
    assert found.request is not None
    assert isinstance(world.approve(found.request), Outcome)
    world.run(keys.request(found.request))

    def tell(_: int) -> None:
        start.wait()
        world.forge(world.ctx, WAITS.id)

    with ThreadPoolExecutor(AT_ONCE) as many:
        list(many.map(tell, range(AT_ONCE)))
    world.run(ITEM)
    assert forge.told == [True]
    assert waits(world) is None
    assert world.events(found.request)[-1] == "gate.let_on"
    assert codec.decode(
        keys.request(found.request), codec.encode(keys.request(found.request), world.request(found.request))
    )
