"""Many holdings at once, in memory: what is slow at a target, or does not come back from a worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import RedisError

from bot.clock import LOOK_EVERY_S, Ticker
from bot.queues import JOB_TIMEOUT_S, SPREAD, TOGETHER_BUSY
from tests.support import build
from tests.support.world import World
from workflows.core.records.grant import GrantState
from workflows.ports import IN_LINE, TargetThrottled
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.fulfilment.converge_many import AT_ONCE, converge_holdings

ROLES = [f"role-{number}" for number in range(AT_ONCE)]


@pytest.fixture
def world() -> World:
    sets = [AwsSpec(AwsKind.IDENTITY_CENTER, permission_set=f"Set{role}") for role in ROLES]
    roles = [build.entitlement(role, target=target) for role, target in zip(ROLES, sets, strict=True)]
    return World(build.policy(build.environment(*roles)))


def test_looks_that_are_all_slow_are_given_up_long_before_a_job_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RQ would stop the job in the middle of one of them, which would count as a fault of ours."""
    ids = [world.active(role=role) for role in ROLES]
    for id_ in ids:
        world.end(id_)
    world.work()
    # The first of the later looks is due.
    world.clock.advance(16)
    target, took_s = world.target(), 20
    really, asked = target.observe, []

    def slow(resource: Any) -> Any:
        asked.append(resource)
        world.lease_renewer.pass_time(took_s)
        return really(resource)

    monkeypatch.setattr(target, "observe", slow)
    began_s = world.clock.monotonic()
    outcomes = converge_holdings(world.ctx, [world.grant(id_).holding for id_ in ids])
    assert set(outcomes.values()) == {None}
    assert 0 < len(asked) < AT_ONCE
    assert world.clock.monotonic() - began_s < JOB_TIMEOUT_S / 2
    assert not world.faults
    # Those that had no turn are looked at soon, and what was seen is on record.
    monkeypatch.setattr(target, "observe", lambda resource: asked.append(resource) or really(resource))
    world.advance(3)
    assert {resource.holding for resource in asked} == {world.grant(id_).holding for id_ in ids}


def test_what_time_ends_stands_in_line_at_its_target_and_what_people_ask_for_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, asked = world.target(), []
    target.slow_s = 1.0

    def heard(name: str) -> Any:
        really = getattr(target, name)
        return lambda *given: asked.append((name, IN_LINE.get())) or really(*given)

    for name in ("grant", "revoke", "observe", "poll"):
        monkeypatch.setattr(target, name, heard(name))

    def since(step: Any) -> set[tuple[str, bool]]:
        asked.clear()
        step()
        world.advance(5)
        return set(asked)

    assert since(lambda: world.active(role=ROLES[0])) == {(name, False) for name in ("grant", "observe", "poll")}
    revoked = world.active(role=ROLES[1])
    assert since(lambda: world.end(revoked, build.OLU)) == {(name, False) for name in ("revoke", "observe", "poll")}
    returned = world.active(role=ROLES[2])
    assert since(lambda: world.end(returned)) == {(name, False) for name in ("revoke", "observe", "poll")}
    assert since(lambda: world.advance(60)) == {("observe", True)}, "a look after an end is waited for by nobody"
    ended = since(lambda: world.jump(3600))
    assert ended == {(name, True) for name in ("revoke", "observe", "poll")}
    assert not IN_LINE.get()


def test_a_look_that_was_told_to_wait_in_line_keeps_no_approval_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = world.active(role=ROLES[0])
    world.end(ended)
    world.work()
    target = world.target()
    really = target.observe

    def crowded(resource: Any) -> Any:
        if IN_LINE.get():
            raise TargetThrottled(25.0, "in line")
        return really(resource)

    monkeypatch.setattr(target, "observe", crowded)
    # The first of the later looks is due.
    world.advance(16)
    again = world.active(role=ROLES[0])
    assert world.grant(again).holding == world.grant(ended).holding
    assert world.grant(again).state is GrantState.ACTIVE


# ---------------------------------------------------------------- what a worker of another version took


class Clock:
    """A clock whose look finds what the test says."""

    def __init__(self, world: World, spread: int = 1) -> None:
        self.now_s, self.due, self.sent, self.waiting, self.again_s = 1000.0, [], [], 0, 0.0
        self.count_waiting = lambda: self.waiting
        parts: Any = SimpleNamespace(
            context=world.ctx,
            due=SimpleNamespace(lead=lambda _: True, claim=lambda _: self.due),
            token="t",
            monotonic_s=lambda: self.now_s,
            settings=SimpleNamespace(redis_durability="verify"),
            wake=SimpleNamespace(send=lambda *items: self.sent.append(items), waiting=lambda: self.count_waiting()),
            policy=world.policy,
            activate_policy=lambda: None,
        )
        self._ticker = Ticker(parts, spread)

    def finds(self, *items: str, after_s: float = 0.0) -> list[tuple[str, ...]]:
        """What is sent for these."""
        self.now_s += after_s
        self.due, self.sent = list(items), []
        self.again_s = self._ticker.tick()
        return self.sent


ENDS = ("end:PA-1", "end:PA-2", "end:PA-3")


@pytest.mark.parametrize("after_s", [5.0, 10.2, 60.0])
def test_an_end_that_was_sent_with_others_and_was_not_done_goes_alone_however_late_it_comes_back(
    world: World, after_s: float
) -> None:
    """While wake-ups wait in the queues it is not sent again, so that it may come back after some rounds."""
    clock = Clock(world)
    assert clock.finds(*ENDS) == [ENDS]
    assert clock.finds(*ENDS[:2], after_s=after_s) == [(ENDS[0],), (ENDS[1],)]


def test_a_holding_that_comes_back_after_two_rounds_goes_alone_and_its_later_look_with_others(world: World) -> None:
    clock, two = Clock(world), ("holding:H-1", "holding:H-2")
    assert clock.finds(*two) == [two]
    assert clock.finds(*two, after_s=10.1) == [(two[0],), (two[1],)]
    assert clock.finds(*two, after_s=20.0) == [two]
    assert clock.finds(*two, after_s=15.0) == [two]


def test_while_jobs_wait_for_a_free_thread_what_comes_goes_together_and_the_clock_takes_its_time(world: World) -> None:
    clock, ends = Clock(world, SPREAD), [f"end:PA-{number}" for number in range(12)]
    assert [len(items) for items in clock.finds(*ends)] == [1] * 12
    soon_s, clock.waiting = clock.again_s, SPREAD
    assert [len(items) for items in clock.finds(*(f"{end}0" for end in ends))] == [TOGETHER_BUSY, 4]
    assert soon_s < clock.again_s == LOOK_EVERY_S


def test_a_queue_that_cannot_be_looked_at_keeps_nothing_from_being_sent(world: World) -> None:
    clock = Clock(world)

    def away() -> int:
        raise RedisError

    clock.count_waiting = away
    assert clock.finds(*ENDS) == [ENDS]
