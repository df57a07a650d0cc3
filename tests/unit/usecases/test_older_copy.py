"""While the ledger is perhaps an older copy of itself nothing is given, everybody is told why, and what is known ends on time."""

from __future__ import annotations

from copy import copy
from types import SimpleNamespace
from typing import Any

import pytest

from bot.chat.wording.refusals import refusal
from bot.observability import readiness
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, PAT, auto, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core.audit import Event
from workflows.core.ledger_doubt import Sign
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.ledger_doubt import accept, raise_doubt, stands, watch

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")


def fallen_back(world: World) -> None:
    """The server holds what it held before somebody asked; this process has seen more."""
    kept = world.ledger.copy()
    assert isinstance(world.ask(NIA), Outcome)
    world.ledger.put_back(kept)


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def test_what_is_decided_waits_what_is_open_ends_and_an_operator_lets_it_go_on() -> None:
    world = World()
    open_, decided = world.active(duration=10 * MINUTE), world.asked(OLU)
    assert isinstance(world.approve(decided, who=PAT), Outcome)
    fallen_back(world)
    world.work()
    assert world.grant(decided).state is GrantState.ACTIVATING, "before anybody has looked"
    watch(world.ctx)
    world.advance(60)
    assert not world.has_access(decided)
    world.advance(600)
    assert world.grant(open_).state is GrantState.ENDED
    assert not world.has_access(open_)
    assert world.grant(decided).state is GrantState.ACTIVATING, "it does not pass by itself"
    assert isinstance(accept(world.ctx, "Rosa Ops", "nothing is open"), Outcome)
    world.advance(60)
    assert world.grant(decided).state is GrantState.ACTIVE


def test_a_press_in_the_second_after_it_was_accepted_counts() -> None:
    world = World()
    id_ = world.asked(OLU)
    fallen_back(world)
    assert code(world.approve(id_, who=PAT)) is Code.LEDGER_IN_DOUBT
    assert watch(world.ctx)
    world.advance(1)
    remembered = copy(world.ledger._seen)
    assert isinstance(accept(world.ctx, "Rosa Ops", "nothing is open"), Outcome)
    # By another process: this one remembers still what it saw.
    world.ledger._seen = remembered
    assert world.ledger.lost() is not None
    assert isinstance(world.approve(id_, who=PAT), Outcome)


def test_an_ask_is_recorded_and_whoever_would_give_is_told_why_not() -> None:
    glass = BreakGlass(("oncall",), ("read-only",), HOUR, max_per_day=2, review_within=HOUR)
    world = World(policy(environment(entitlement(), break_glass=glass)))
    world.knows(NIA)
    fallen_back(world)
    id_ = world.asked(DANA)
    answer = world.approve(id_)
    assert code(answer) is Code.LEDGER_IN_DOUBT
    assert isinstance(answer, Refused)
    assert "perhaps an older copy" in refusal(answer)
    watch(world.ctx)
    assert code(break_glass(world.ctx, ASK, account(NIA), Origin(), "glass")) is Code.LEDGER_IN_DOUBT
    assert world.request(id_).state is RequestState.PENDING
    assert isinstance(world.deny(id_), Outcome)


def test_a_rule_approves_nothing_and_does_so_afterwards() -> None:
    world = World(policy(environment(entitlement(auto_approve=(auto("always", ("developers",)),)))))
    raise_doubt(world.ctx, Sign.SAID, {})
    id_ = world.asked(DANA)
    world.advance(20)
    assert world.request(id_).state is RequestState.PENDING
    accept(world.ctx, "Rosa Ops", "nothing is open")
    world.advance(20)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_it_is_on_the_record_once_however_often_it_is_seen() -> None:
    world = World()
    fallen_back(world)
    for _ in range(3):
        world.ledger.now()
        watch(world.ctx)
    found = [entry for entry in world.all_entries() if entry.event is Event.LEDGER_ROLLED_BACK]
    assert len(found) == 1
    assert int(found[0].facts["seen"]) > int(found[0].facts["newest"])
    assert found[0].facts["seen_at"]


def test_a_ledger_that_has_all_costs_the_watch_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.active()
    monkeypatch.setattr(world.ledger, "read", None)
    watch(world.ctx)


def test_readyz_says_so_before_and_after_it_is_on_the_record() -> None:
    world = World()
    beats: Any = SimpleNamespace(alive=lambda _: True)
    assert readiness.ledger_problems(world.ledger, beats) == []
    fallen_back(world)
    (before,) = readiness.ledger_problems(world.ledger, beats)
    watch(world.ctx)
    assert stands(world.ctx)
    assert readiness.ledger_problems(world.ledger, beats) == [before]
    assert "`prodaccess ledger accept`" in before


def test_what_was_given_after_the_copy_is_taken_for_ours_and_ends() -> None:
    """The copy has it as decided and not given. Found at the target, it would be access that stood before: for ever."""
    world = World()
    id_ = world.asked(duration=10 * MINUTE)
    assert isinstance(world.approve(id_), Outcome)
    kept = world.ledger.copy()
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE
    world.ledger.put_back(kept)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATING
    assert world.has_access(id_)
    world.advance(660)
    assert not world.has_access(id_), "its time is over, whoever gave it"
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED


def test_and_goes_on_where_its_time_is_not_over_when_the_record_is_accepted() -> None:
    world = World()
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    kept = world.ledger.copy()
    world.work()
    world.ledger.put_back(kept)
    world.ledger.trust()
    raise_doubt(world.ctx, Sign.SAID, {})
    world.work()
    accept(world.ctx, "Rosa Ops", "nothing is open")
    world.advance(30)
    assert world.grant(id_).state is GrantState.ACTIVE
    world.advance(3700, step_s=60)
    assert not world.has_access(id_)
