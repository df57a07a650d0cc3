"""Suggestions of a record that was made by what makes records: asked, approved, used, taken back."""

from __future__ import annotations

from datetime import timedelta

from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT
from tests.support.drift import by_hand, passed, settle
from tests.support.world import World
from workflows.core.suggestions.model import Because, Found
from workflows.usecases.oversight.suggestions import suggest
from workflows.usecases.shared.context import Outcome

DAY_S = 86_400


def lives(world: World, count: int = 20) -> None:
    """A day each, by both developers in turn and approved by both owners in turn, after a minute; given back at once."""
    for number in range(count):
        who, by = (DANA, NIA)[number % 2], (OLU, PAT)[number // 2 % 2]
        id_ = world.asked(who)
        world.clock.advance(60)
        assert isinstance(world.approve(id_, by), Outcome)
        world.work()
        assert isinstance(world.end(id_, who), Outcome)
        world.advance(400, step_s=100)
        world.clock.advance(1.5 * DAY_S)
        world.knows(DANA, NIA, OLU, PAT)


def found(world: World) -> Found:
    now = world.clock.now()
    return suggest(world.ctx, now - timedelta(days=90), now).found


def world_of() -> World:
    world = World(build.policy(build.environment(build.entitlement(requesters=("developers",)))))
    world.knows(DANA, NIA, OLU, PAT)
    return world


def test_what_people_approve_each_time_could_be_a_rule():
    world = world_of()
    lives(world)
    (one,) = found(world).rules
    assert (one.numbers.asks, one.groups, one.numbers.median) == (20, ("developers",), timedelta(seconds=60))
    assert found(world).withheld == ()


def test_each_thing_that_happens_is_seen_and_stays_seen():
    """On one record, one after the other."""
    world = world_of()
    lives(world)
    seen = set()

    def now_seen(*because: Because) -> None:
        seen.update(because)
        (one,) = found(world).withheld
        assert set(one.because) == seen

    world.end(world.active(DANA), OLU, "not needed")
    world.work()
    now_seen(Because.REVOKED, Because.ONE_APPROVER)
    # The other owner has answered as often from here on.
    id_ = world.asked(NIA)
    world.approve(id_, PAT)
    world.work()
    seen.discard(Because.ONE_APPROVER)
    now_seen()
    more = world.more_asked(id_, who=NIA)
    assert isinstance(world.deny(more, OLU), Outcome)
    world.work()
    now_seen(Because.MORE_TIME, Because.DENIED, Because.ONE_APPROVER)
    late = world.asked(DANA)
    world.advance(16 * 60, step_s=120)
    assert isinstance(world.withdraw(late), Outcome)
    now_seen(Because.SLOW)
    world.end(id_, NIA)
    settle(world)
    by_hand(world, NIA)
    passed(world)
    now_seen(Because.DRIFT)
