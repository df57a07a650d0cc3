"""An approval that is taken and that the forge has not heard of yet can be called off: nobody goes on by it after that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.views.request_view import request_view
from bot.chat.wording.labels import Stage
from tests.support import build
from tests.support.forge import RULE, Held, holding, ruled
from tests.support.gates import gate, gated, role_target
from tests.support.http_stand_in import Fails
from tests.support.world import account
from workflows.core import keys
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.targets.aws.kinds import AwsKind
from workflows.usecases.decisions.approve import deny
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome
from workflows.usecases.upkeep.mend_indexes import indexed

IN_VAIN = [Fails("POST .*protection_rule", 502) for _ in range(200)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Held]:
    with holding(tmp_path) as found:
        yield found


def taken(world: Held, *, away: bool = True) -> str:
    """Approved by an owner and taken, while GitHub cannot be told."""
    run = world.waits_there()
    if away:
        world.github.fails = list(IN_VAIN)
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.work()
    world.advance(4)
    assert world.request(id_).state is RequestState.APPROVED
    assert world.reviews() == []
    return id_


def stage(world: Held, id_: str) -> Stage:
    request = world.request(id_)
    return request_view(request, None, world.policy.policy.environments["payments-prod"], world.clock.now()).stage


def github_is_back(world: Held) -> None:
    world.github.fails = []
    world.advance(120, step_s=2)


SCOPES = [RevocationScope(None, "", "payments-prod"), RevocationScope(build.DANA, "Dana")]


@pytest.mark.parametrize("scope", SCOPES)
def test_the_panic_switch_calls_off_what_github_could_not_be_told_yet(world: Held, scope: RevocationScope) -> None:
    id_ = taken(world)
    world.knows(build.SUE, build.NIA)

    answer = revoke_all(world.ctx, scope, account(build.SUE), "attack", "panic")

    assert isinstance(answer, Outcome), answer
    world.advance(5)
    github_is_back(world)
    assert world.reviews() == [("rejected", f"Denied by Sue ({id_}): attack")]
    assert world.events(id_)[-1] == "gate.not_taken"
    gate_ = world.request(id_).gate
    assert gate_ is not None
    assert (gate_.let_on_at, gate_.not_taken) == (None, "it was called off")
    assert not world.ledger.members(keys.RUNS)


GLASS = BreakGlass(("oncall",), ("read-only",), 30 * build.MINUTE, review_within=24 * build.HOUR)


@pytest.mark.parametrize("how", ["panic", "denied"])
def test_an_emergency_that_github_could_not_be_told_yet_is_called_off_and_bars_who_opened_it(
    world: Held, how: str
) -> None:
    world.policy.policy = ruled(found=replace(gate(), break_glass=True), place={"break_glass": GLASS})
    run = world.waits_there()
    world.github.fails = list(IN_VAIN)
    id_ = world.ask_of(run)
    world.knows(build.NIA, build.SUE, build.PAT)
    opened = break_open(world.ctx, id_, account(build.NIA), "checkout is down", "opened")
    assert isinstance(opened, Outcome), opened
    world.work()
    world.advance(4)
    assert world.request(id_).state is RequestState.APPROVED
    assert world.reviews() == []

    if how == "panic":
        revoke_all(world.ctx, RevocationScope(None, "", "payments-prod"), account(build.SUE), "attack", "panic")
    else:
        assert isinstance(deny(world.ctx, id_, account(build.PAT), "no emergency", "deny"), Outcome)
    world.advance(5)
    github_is_back(world)

    assert [state for state, _ in world.reviews()] == ["rejected"]
    barred = world.ledger.read(keys.person(build.NIA)).get(keys.person(build.NIA), PersonRecord)
    assert barred is not None
    assert barred.break_glass_barred


def test_the_panic_switch_of_another_place_or_person_leaves_it(world: Held) -> None:
    id_ = taken(world)
    world.knows(build.SUE, build.NIA)
    for number, scope in enumerate((RevocationScope(None, "", "payments-stage"), RevocationScope(build.PAT, "Pat"))):
        revoke_all(world.ctx, scope, account(build.SUE), "attack", f"panic{number}")
    world.advance(5)
    github_is_back(world)
    assert [state for state, _ in world.reviews()] == ["approved"]
    assert world.events(id_)[-1] == "gate.let_on"
    assert not world.ledger.members(keys.RUNS)


def test_an_owner_who_changes_their_mind_denies_what_github_could_not_be_told_yet(world: Held) -> None:
    id_ = taken(world)

    answer = deny(world.ctx, id_, account(build.PAT), "the fix is wrong", "deny")

    assert isinstance(answer, Outcome), answer
    world.advance(2)
    assert stage(world, id_) is Stage.DENIED
    again = deny(world.ctx, id_, account(build.OLU), "no", "deny-again")
    assert isinstance(again, Refused)
    assert again.code is Code.DECIDED
    github_is_back(world)
    assert world.reviews() == [("rejected", f"Denied by Pat ({id_}): the fix is wrong")]
    assert world.events(id_).count("gate.denied") == 1


def test_whoever_may_not_deny_calls_nothing_off(world: Held) -> None:
    id_ = taken(world)
    world.knows(build.NIA)

    answer = deny(world.ctx, id_, account(build.NIA), "no", "deny")

    assert isinstance(answer, Refused)
    github_is_back(world)
    assert [state for state, _ in world.reviews()] == ["approved"]


def test_what_has_gone_on_is_not_called_off(world: Held) -> None:
    run = world.waits_there()
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.work()
    assert [state for state, _ in world.reviews()] == ["approved"]
    answer = deny(world.ctx, id_, account(build.PAT), "too late", "deny")
    assert isinstance(answer, Refused)
    assert answer.code is Code.DECIDED
    assert not world.ledger.members(keys.RUNS)


def test_what_was_called_off_and_had_reached_github_after_all_is_not_said_to_be_stopped(world: Held) -> None:
    run = world.waits_there()
    deployment = run.waits["production"]
    world.github.fails = [Fails("POST .*protection_rule", 504, done=True), *IN_VAIN]
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.work()
    deny(world.ctx, id_, account(build.PAT), "the fix is wrong", "deny")
    world.github.statuses[deployment].append("in_progress")
    github_is_back(world)
    assert [state for state, _ in world.reviews()] == ["approved"]
    assert world.events(id_)[-1] == "gate.let_on"


@pytest.mark.parametrize("how", ["end", "panic", "over"])
def test_a_run_whose_role_has_no_permission_any_more_is_not_let_on(world: Held, how: str) -> None:
    world.policy.policy = gated(gate(gives=role_target()), pipelines=(RULE,))
    run = world.waits_there()
    world.github.fails = list(IN_VAIN)
    id_ = world.ask_of(run)
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.advance(10, step_s=1)
    assert world.grant(id_).state is GrantState.ACTIVE
    if how == "end":
        assert isinstance(end(world.ctx, id_, account(build.PAT), "wrong release", "end"), Outcome)
    elif how == "panic":
        world.knows(build.SUE)
        revoke_all(world.ctx, RevocationScope(None, "", "payments-prod"), account(build.SUE), "attack", "panic")
    else:
        grant = world.grant(id_)
        world.clock.advance((grant.deadline - world.clock.now()).total_seconds())
    world.advance(5)
    assert world.grant(id_).state in (GrantState.REVOKED, GrantState.ENDED)
    github_is_back(world)
    assert [state for state, _ in world.reviews()] == ["rejected"]
    assert world.targets[AwsKind.IAM_ROLE_POLICY].changes() == 2


def test_a_lost_index_of_it_is_made_again(world: Held) -> None:
    id_ = taken(world)
    request = world.request(id_)
    assert keys.RUNS in {entry.name for entry in indexed(request)}
    github_is_back(world)
    assert keys.RUNS not in {entry.name for entry in indexed(world.request(id_))}
