"""While a process of a version that knows no accounts on hold runs beside this one, nothing is given; and nothing is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.chat.wording.refusals import refusal
from bot.observability import readiness
from tests.support.build import DANA, HOUR, OLU, PAT, auto, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.mixed import OlderRunning, runs
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.mixed_versions import note_older

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")


def heard_of_older(world: World) -> None:
    note_older(world.ctx, {"worker"})


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def test_nothing_is_given_beside_an_older_process_and_it_goes_on_by_itself_when_that_has_stopped():
    world = World()
    open_, decided = world.active(), world.asked(OLU)
    assert isinstance(world.approve(decided, who=PAT), Outcome)
    heard_of_older(world)
    world.work()
    assert world.grant(decided).state is GrantState.ACTIVATING, "what is decided waits"
    assert not world.has_access(decided)
    assert isinstance(world.end(open_), Outcome)
    world.advance(3)
    assert not world.has_access(open_), "removals go on"
    assert world.grant(decided).state is GrantState.ACTIVATING
    world.advance(20)
    assert world.grant(decided).state is GrantState.ACTIVE


def test_an_ask_is_recorded_and_an_approval_is_told_why_not():
    world = World()
    heard_of_older(world)
    id_ = world.asked()
    assert world.request(id_).state is RequestState.PENDING
    answer = world.approve(id_)
    assert code(answer) is Code.OLDER_VERSION_RUNS
    said = refusal(answer)
    assert "a process of an older version of me is still running" in said
    assert "Try again in a minute" in said
    assert isinstance(world.deny(world.asked(OLU), who=PAT), Outcome), "no is no giving"
    world.advance(11)
    assert isinstance(world.approve(id_), Outcome)


def test_an_emergency_is_told_at_once():
    world = World(policy(environment(break_glass=BreakGlass(("platform",), ("read-only",), HOUR))))
    heard_of_older(world)
    world.knows(OLU)
    assert code(break_glass(world.ctx, ASK, account(OLU), Origin(), "glass")) is Code.OLDER_VERSION_RUNS
    world.advance(11)
    world.knows(OLU)
    assert isinstance(break_glass(world.ctx, ASK, account(OLU), Origin(), "again"), Outcome)


def test_a_rule_gives_when_the_older_one_is_gone():
    world = World(policy(environment(entitlement(auto_approve=(auto("quick", ("developers",)),)))))
    heard_of_older(world)
    id_ = world.asked()
    assert world.request(id_).decision is None
    world.advance(15)
    assert world.grant(id_).state is GrantState.ACTIVE


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_is_set_does_not_make_it_last(jump: float):
    world = World()
    heard_of_older(world)
    world.jump(jump)
    found = world.ledger.read(keys.OLDER)
    assert not runs(found.get(keys.OLDER, OlderRunning), found.now)


def test_a_sign_that_cannot_be_read_stops_nobody_and_is_written_anew():
    world = World()
    heard_of_older(world)
    world.ledger.spoil(keys.OLDER)
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    heard_of_older(world)
    assert code(world.approve(world.asked(OLU), who=PAT)) is Code.OLDER_VERSION_RUNS


def test_each_sign_makes_it_last_and_says_no_less_than_the_one_before():
    world = World()
    for _ in range(5):
        heard_of_older(world)
        world.advance(3)
    note_older(world.ctx, {"clock"})
    assert code(world.approve(world.asked(DANA))) is Code.OLDER_VERSION_RUNS
    before = world.ledger.read(keys.OLDER).versions()
    note_older(world.ctx, {"clock"})
    assert world.ledger.read(keys.OLDER).versions() == before, "what is known is not written again and again"
    note_older(world.ctx, ())
    assert world.ledger.read(keys.OLDER).versions() == before


def test_readyz_says_it():
    world = World()
    heard_of_older(world)
    alive: Any = SimpleNamespace(alive=lambda _: True)

    def said() -> list[str]:
        found = readiness.reasons(lambda: readiness.ledger_problems(world.ledger, alive))
        return [line for line in found if "older version" in line]

    assert said() == [
        "a worker of an older version runs, which knows no accounts on hold: nothing is given until it has stopped"
    ]
    world.clock.advance(11)
    assert said() == []
