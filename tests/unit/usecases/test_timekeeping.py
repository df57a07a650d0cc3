"""Redis's own clock is set: it is noticed, nothing is given, and what is open ends no later than was agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.chat.messages.clock_alarm import clock_told
from bot.slack.render import text_of
from tests.support import build
from tests.support.world import World, account
from tests.unit.usecases.test_extensions import ruled
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.clockwork import LedgerClock
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome
from workflows.usecases.upkeep.timekeeping import SUBJECT, Timekeeper, accept

HOUR_S = 3600.0


def record(world: World) -> LedgerClock:
    return world.ledger.read(keys.CLOCK).get(keys.CLOCK, LedgerClock) or LedgerClock()


def looks(world: World, *witnesses: Timekeeper, times: int = 4, every_s: float = 3.0) -> None:
    for _ in range(times):
        world.clock.advance(every_s)
        for witness in witnesses:
            witness.look()


def code(answer: Outcome | Refused) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def told(world: World) -> list[str]:
    return [text_of(clock_told(entry)) for entry in world.all_entries() if entry.subject.startswith(SUBJECT)]


def test_a_clock_that_goes_as_it_should_is_never_written_about() -> None:
    world = World()
    witness = world.witness()
    looks(world, witness, times=50)
    assert record(world) == LedgerClock()
    assert told(world) == []


def test_nothing_is_given_from_the_first_look_after_a_jump() -> None:
    world = World()
    witness = world.witness()
    id_ = world.asked()
    world.jump(-HOUR_S)
    witness.look()
    answer = world.approve(id_)
    assert code(answer) is Code.CLOCK_IN_DOUBT
    assert not world.request(id_).votes
    assert isinstance(world.deny(id_), Outcome)


def test_access_ends_when_it_should_have_though_redis_was_set_back_by_an_hour() -> None:
    world = World()
    witness = world.witness()
    id_ = world.active(duration=timedelta(minutes=30))
    agreed = world.clock.monotonic() + 1800
    world.advance(600, step_s=60)
    world.jump(-HOUR_S)
    looks(world, witness)
    while world.clock.monotonic() < agreed + 5:
        world.advance(5, step_s=1)
        witness.look()
    assert not world.has_access(id_)
    grant = world.grant(id_)
    assert grant.state is GrantState.ENDED
    assert grant.closed_at is not None
    assert grant.activated_at is not None
    assert timedelta(minutes=29) < grant.closed_at - grant.activated_at < timedelta(minutes=31), "what it was used for"


def test_access_ends_early_where_redis_was_set_forward() -> None:
    world = World()
    witness = world.witness()
    id_ = world.active(duration=timedelta(minutes=30))
    world.jump(HOUR_S)
    looks(world, witness, times=1)
    world.work()
    assert not world.has_access(id_)


def test_what_was_put_off_is_tried_again_when_it_was_meant() -> None:
    """A removal that waits for its next try must not wait an hour more."""
    world = World()
    witness = world.witness()
    id_ = world.active(duration=timedelta(minutes=30))
    world.target().next("revoke", *[Lose(applied=False)] * 4)
    assert isinstance(world.end(id_), Outcome)
    world.work()
    assert world.has_access(id_)
    world.jump(-HOUR_S)
    looks(world, witness)
    world.advance(60)
    assert not world.has_access(id_)


def test_a_jump_of_five_seconds_is_a_failover_and_none() -> None:
    world = World()
    witness = world.witness()
    world.jump(-4.9)
    looks(world, witness)
    assert record(world).trusted
    assert isinstance(world.approve(world.asked()), Outcome)


def test_many_small_steps_are_a_jump_in_the_end() -> None:
    world = World()
    witness = world.witness()
    for _ in range(6):
        world.jump(-2.0)
        looks(world, witness, times=1)
    looks(world, witness)
    assert record(world).doubt is not None


def test_a_slow_drift_is_followed_for_ever() -> None:
    world = World()
    witness = world.witness()
    for _ in range(4_000):
        world.jump(0.001)
        looks(world, witness, times=1, every_s=3.0)
    assert record(world).trusted


def test_ten_steady_minutes_end_the_doubt_and_say_so() -> None:
    world = World()
    witness = world.witness()
    world.jump(-HOUR_S)
    looks(world, witness)
    looks(world, witness, times=199)
    assert not record(world).trusted
    looks(world, witness, times=3)
    assert record(world).trusted
    assert [entry.event for entry in world.all_entries() if entry.subject.startswith(SUBJECT)] == [
        Event.CLOCK_JUMPED,
        Event.CLOCK_STEADY,
    ]
    assert isinstance(world.approve(world.asked()), Outcome)


def test_a_second_jump_begins_the_ten_minutes_anew() -> None:
    world = World()
    witness = world.witness()
    world.jump(-HOUR_S)
    looks(world, witness, times=150)
    world.jump(HOUR_S)
    looks(world, witness, times=150)
    assert not record(world).trusted


def test_an_operator_accepts_the_clock_and_the_record_names_who_and_why() -> None:
    world = World()
    witness = world.witness()
    world.jump(-HOUR_S)
    looks(world, witness)
    answer = accept(world.ctx, "Rosa Ops", "NTP was off since the move")
    assert isinstance(answer, Outcome)
    assert answer.outcome == "accepted"
    assert isinstance(world.approve(world.asked()), Outcome)
    entry = next(entry for entry in world.all_entries() if entry.event is Event.CLOCK_ACCEPTED)
    assert (entry.private["actor_name"], entry.private["reason"]) == ("Rosa Ops", "NTP was off since the move")
    looks(world, witness)
    assert record(world).trusted, "the witness goes by the clock that was accepted"


def test_accepting_what_nobody_doubts_changes_nothing() -> None:
    world = World()
    world.witness()
    answer = accept(world.ctx, "Rosa Ops", "just in case")
    assert isinstance(answer, Outcome)
    assert answer.outcome == "trusted"
    assert world.all_entries() == []


def test_one_host_whose_own_clock_jumped_is_overruled_by_another() -> None:
    world = World()
    odd = [0.0]
    first, other = world.witness("odd", lambda: world.clock.monotonic() + odd[0]), world.witness("other")
    odd[0] = 90.0
    looks(world, first, other, times=1)
    looks(world, first, other, times=20)
    assert record(world).trusted
    assert told(world) == []
    world.jump(-60)
    looks(world, first, other)
    assert record(world).doubt is not None, "both are witnesses again"


def test_two_hosts_that_saw_the_same_jump_need_not_wait() -> None:
    world = World()
    first, other = world.witness("first"), world.witness("other")
    world.jump(-HOUR_S)
    looks(world, first, other, times=1)
    assert record(world).jumps == 1
    looks(world, first, other, times=30)
    assert record(world).jumps == 1, "one jump is counted once"


def test_a_host_that_starts_after_the_jump_knows_what_its_host_knew_before() -> None:
    world = World()
    world.witness()
    world.jump(-HOUR_S)
    later = world.witness()
    looks(world, later)
    assert record(world).doubt is not None


def test_a_new_host_sees_that_redis_is_behind_its_own_record() -> None:
    world = World()
    world.asked()
    world.jump(-HOUR_S)
    later = world.witness("a new host")
    looks(world, later)
    assert record(world).doubt is not None


def test_a_run_that_died_half_way_is_gone_on_with_and_moves_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.usecases.upkeep.timekeeping.AT_ONCE", 1)
    world = World()
    witness = world.witness()
    ids = [world.active(who, duration=timedelta(hours=2)) for who in (build.DANA, build.NIA)]
    before = {id_: world.grant(id_).deadline for id_ in ids}
    world.jump(-HOUR_S)
    looks(world, witness, times=2)

    class Died(Exception):
        pass

    def die(change: object) -> None:
        def second(_change: object) -> None:
            raise Died

        world.ledger.before_commit = second

    world.ledger.before_commit = lambda change: setattr(world.ledger, "before_commit", die)
    with pytest.raises(Died):
        looks(world, witness, times=1)
    moved = [before[id_] - world.grant(id_).deadline for id_ in ids]
    assert sorted(moved) != [timedelta(hours=1)] * 2
    assert code(world.approve(world.asked(build.OLU), build.PAT)) is Code.CLOCK_IN_DOUBT
    looks(world, witness, times=2)
    assert [before[id_] - world.grant(id_).deadline for id_ in ids] == [timedelta(hours=1)] * 2
    assert record(world).catchup is None


def test_the_end_that_the_target_enforces_is_not_taken_for_the_earlier_one() -> None:
    world = World(ruled(AwsKind.IAM_POLICY))
    witness = world.witness()
    id_ = world.active(duration=timedelta(hours=1))
    assert world.grant(id_).resource.enforces_end
    world.jump(-1800)
    looks(world, witness)
    accept(world.ctx, "Rosa Ops", "it is right")
    world.advance(20)
    held = world.holding(id_)
    assert held is not None
    assert held.enforced_until == world.grant(id_).deadline


def test_in_an_emergency_who_breaks_the_glass_is_told_at_once() -> None:
    place = build.environment(break_glass=BreakGlass(("oncall",), ("read-only",), timedelta(minutes=30)))
    world = World(build.policy(place))
    witness = world.witness()
    world.jump(-HOUR_S)
    witness.look()
    world.knows(build.NIA)
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    answer = break_glass(world.ctx, ask, account(build.NIA), Origin(), "press")
    assert code(answer) is Code.CLOCK_IN_DOUBT


def test_what_is_said_of_a_jump_is_true_and_says_what_to_do() -> None:
    world = World()
    witness = world.witness()
    world.jump(-HOUR_S)
    looks(world, witness)
    (text,) = told(world)
    assert "set back by 1 h" in text
    assert "`prodaccess clock accept`" in text


def test_a_worker_that_held_a_lease_before_the_jump_does_not_hold_it_for_an_hour() -> None:
    world = World()
    assert world.ledger.acquire("holding:H-1") is not None
    world.jump(-HOUR_S)
    assert world.ledger.acquire("holding:H-1") is not None


def test_everything_that_is_due_comes_as_much_sooner_not_only_ends() -> None:
    world = World()
    witness = world.witness()
    id_ = world.asked()
    before = dict(world.ledger.due)
    assert keys.chase_due(id_) in before
    world.jump(-HOUR_S)
    looks(world, witness, times=3)
    after = world.ledger.due
    assert {item: round(at - after[item]) for item, at in before.items()} == dict.fromkeys(before, 3600)
