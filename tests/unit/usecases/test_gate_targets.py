"""What a gate gives the pipeline's own role: only by the approval, only for its run and its time, and surely taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.drift import passed, settle
from tests.support.gates import Gates, gate, gated, pipeline_run, role_target, starter
from tests.support.world import account
from workflows.core import keys
from workflows.core.gates.ask import pipeline_person
from workflows.core.pipelines.identity import Part
from workflows.core.records.drift import Drift
from workflows.core.records.grant import EndCause, Grant, GrantState
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.ledger import codec
from workflows.ports import CorruptRecord
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, MemoryTarget, Refuse, Throttle
from workflows.targets.aws.provider import AWS
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.gates.redeem import Redeemed
from workflows.usecases.gates.state import Approved, NotGiven, Used, Waiting
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.identity.holders import holders, holds_something
from workflows.usecases.identity.leavers import look_at_holders
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome
from workflows.usecases.upkeep.mend_indexes import indexed

HALF = timedelta(minutes=30)


def giving(**changes: object) -> Gates:
    return Gates(gated(gate(gives=role_target(**changes))))


def target(world: Gates) -> MemoryTarget:
    return world.targets[AwsKind.IAM_ROLE_POLICY]


def refused(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def approved(world: Gates, **changes: object) -> str:
    id_ = world.waits(**changes)
    answer = world.approve(id_, build.OLU)
    assert isinstance(answer, Outcome), answer
    world.work()
    return id_


def given(world: Gates) -> str:
    """Approved, taken by its run, given and read back."""
    id_ = approved(world)
    assert refused(world.goes_on(id_, press="take")) is Code.GATE_LOOKED_AT_AGAIN
    world.work()
    return id_


def has(world: Gates, id_: str) -> bool:
    return target(world).has(world.grant(id_).resource)


def test_an_approval_gives_nothing_before_its_run_takes_it() -> None:
    world = giving()
    id_ = approved(world)
    assert isinstance(world.state(id_), Approved)
    assert target(world).changes() == 0
    assert world.ledger.read(keys.grant(id_)).items[keys.grant(id_)].is_absent


def test_the_run_is_told_to_go_on_when_it_is_there_and_not_before() -> None:
    world = giving()
    id_ = approved(world)
    assert refused(world.goes_on(id_, press="take")) is Code.GATE_LOOKED_AT_AGAIN
    assert world.state(id_) == Waiting()
    assert refused(world.goes_on(id_, press="early")) is Code.GATE_LOOKED_AT_AGAIN
    assert target(world).changes() == 0
    world.work()
    assert isinstance(world.state(id_), Approved)
    grant = world.grant(id_)
    assert grant.state is GrantState.ACTIVE
    assert has(world, id_)
    gone = world.goes_on(id_, press="again")
    assert isinstance(gone, Redeemed)
    assert (gone.until, gone.what) == (grant.deadline, grant.resource.title)
    assert isinstance(world.state(id_), Used)
    assert [name for name in world.events(id_) if name.startswith(("gate.", "grant."))] == [
        "gate.asked",
        "gate.approved",
        "gate.redeemed",
        "grant.active",
    ]


def test_it_is_told_once() -> None:
    world = giving()
    id_ = given(world)
    assert isinstance(world.goes_on(id_), Redeemed)
    assert refused(world.goes_on(id_)) is Code.GATE_USED


def test_the_same_press_is_told_when_it_is_there_and_as_often_as_it_asks() -> None:
    world = giving()
    id_ = approved(world)
    assert refused(world.goes_on(id_, press="take")) is Code.GATE_LOOKED_AT_AGAIN
    assert refused(world.goes_on(id_, press="take")) is Code.GATE_LOOKED_AT_AGAIN
    world.work()
    first, again = world.goes_on(id_, press="take"), world.goes_on(id_, press="take")
    assert isinstance(first, Redeemed)
    assert again == first
    assert refused(world.goes_on(id_)) is Code.GATE_USED


def test_it_ends_by_itself_when_its_time_is_over_and_absence_is_read_back() -> None:
    world = giving()
    id_ = given(world)
    world.goes_on(id_)
    deadline = world.grant(id_).deadline
    (call,) = [one for one in target(world).calls if one.name == "grant"]
    assert call.until == deadline
    assert deadline - world.clock.now() <= HALF
    world.advance(HALF.total_seconds() + 1, 60.0)
    world.work()
    assert (world.grant(id_).state, has(world, id_)) == (GrantState.ENDED, False)
    assert world.events(id_)[-1] == "grant.ended"


def test_the_run_gives_it_back_when_it_is_done() -> None:
    world = giving()
    id_ = given(world)
    world.goes_on(id_)
    answer = withdraw(world.ctx, id_, "done")
    assert isinstance(answer, Outcome)
    assert answer.outcome == "returned"
    world.work()
    grant = world.grant(id_)
    assert (grant.state, grant.end and grant.end.cause, has(world, id_)) == (GrantState.ENDED, EndCause.RETURNED, False)


def test_a_job_that_is_cancelled_while_it_is_being_given_leaves_nothing() -> None:
    world = giving()
    id_ = approved(world)
    world.goes_on(id_)
    withdraw(world.ctx, id_, "cancelled")
    world.work()
    assert world.grant(id_).state is GrantState.ENDED
    assert not has(world, id_)
    assert isinstance(world.state(id_), NotGiven)


def test_an_owner_takes_it_back_and_the_approver_need_not() -> None:
    world = giving()
    id_ = given(world)
    answer = end(world.ctx, id_, account(build.PAT), "the release is wrong", "end")
    assert isinstance(answer, Outcome), answer
    world.work()
    assert world.grant(id_).state is GrantState.REVOKED
    assert not has(world, id_)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


@pytest.mark.parametrize("scope", [RevocationScope(None, "", "payments-prod"), RevocationScope(build.DANA, "Dana")])
def test_the_panic_switch_takes_it_back_by_place_and_by_who_began_the_run(scope: RevocationScope) -> None:
    world = giving()
    id_ = given(world)
    world.advance(1)
    world.knows(build.SUE)
    assert isinstance(revoke_all(world.ctx, scope, account(build.SUE), "attack", "panic"), Outcome)
    world.work()
    assert world.grant(id_).state is GrantState.REVOKED
    assert not has(world, id_)


def test_the_panic_switch_of_a_person_leaves_what_others_began() -> None:
    world = giving()
    others = (starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))
    id_ = world.waits(run=pipeline_run(starters=others))
    assert isinstance(world.approve(id_, build.PAT), Outcome)
    world.work()
    world.goes_on(id_)
    world.work()
    world.advance(1)
    world.knows(build.SUE)
    revoke_all(world.ctx, RevocationScope(build.DANA, "Dana"), account(build.SUE), "attack", "panic")
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_an_approver_who_left_before_it_was_given_gives_nothing() -> None:
    world = giving()
    id_ = approved(world)
    world.goes_on(id_)
    there = world.policy.policy
    platform = replace(there.groups["platform"], members=frozenset({build.PAT}))
    world.policy.policy = replace(there, groups={**there.groups, "platform": platform})
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert target(world).changes() == 0
    assert isinstance(world.state(id_), NotGiven)


def test_a_gate_that_gives_something_else_by_now_voids_the_approval() -> None:
    world = giving()
    id_ = approved(world)
    world.goes_on(id_)
    world.policy.policy = gated(gate(gives=role_target(role="other-deploy")))
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert target(world).changes() == 0


@pytest.mark.parametrize("seconds", [60.0, 3600.0])
def test_another_time_or_another_role_is_another_ask(seconds: float) -> None:
    world = giving()
    id_ = world.waits()
    before = world.request(id_).terms.hash
    world.policy.policy = gated(gate(gives=role_target(duration=timedelta(seconds=seconds))))
    answer = world.approve(id_, build.OLU)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "gate_changed"
    world.work()
    assert world.request(id_).terms.hash != before
    assert isinstance(world.approve(id_, build.OLU), Outcome)


def test_a_role_that_may_be_given_nothing_closes_the_ask_before_anybody_is_asked() -> None:
    world = giving()
    target(world).refusal = Refused(Code.TARGET_REFUSED, {"words": "People may take on orders-deploy."})
    id_ = world.waits()
    assert world.request(id_).state is RequestState.DENIED
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.params["words"] == "People may take on orders-deploy."


def test_while_the_target_asks_to_wait_nobody_is_asked_and_the_ask_stays() -> None:
    world = giving()
    target(world).next("resolve", Throttle(5.0), Lose())
    id_ = world.waits()
    assert not world.request(id_).is_resolved
    world.advance(6)
    world.work()
    world.advance(60)
    world.work()
    assert world.request(id_).is_resolved


def test_what_the_target_refuses_is_not_announced_and_leaves_nothing() -> None:
    world = giving()
    id_ = approved(world)
    target(world).next("grant", Refuse("no"))
    world.goes_on(id_)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert not has(world, id_)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


@pytest.mark.parametrize("applied", [True, False])
def test_a_call_without_an_answer_is_looked_at_before_the_run_goes_on(applied: bool) -> None:
    world = giving()
    id_ = approved(world)
    target(world).next("grant", Lose(applied=applied))
    world.goes_on(id_)
    for _ in range(20):
        world.work()
        world.advance(1)
    assert world.grant(id_).state is GrantState.ACTIVE
    assert has(world, id_)
    assert isinstance(world.goes_on(id_), Redeemed)


def test_a_removal_that_is_refused_is_tried_until_it_is_gone() -> None:
    world = giving()
    id_ = given(world)
    target(world).next("revoke", *[Refuse("no")] * 5)
    world.advance(HALF.total_seconds() + 1, 60.0)
    for _ in range(40):
        world.work()
        world.advance(30)
    assert world.grant(id_).state is GrantState.ENDED
    assert not has(world, id_)
    assert "grant.removal_failing" in world.events(id_)


def test_two_runs_of_one_pipeline_stand_side_by_side_and_the_end_of_one_leaves_the_other() -> None:
    world = giving()
    first = given(world)
    second = approved(world, run=pipeline_run(run="2"))
    world.goes_on(second)
    world.work()
    withdraw(world.ctx, first, "done")
    world.work()
    assert (world.grant(first).state, world.grant(second).state) == (GrantState.ENDED, GrantState.ACTIVE)
    assert has(world, second)


def test_whoever_holds_it_is_the_pipeline_and_no_person() -> None:
    world = giving()
    id_ = given(world)
    assert world.grant(id_).holder == pipeline_person(pipeline_run())
    assert holders(world.ctx) == {}


def test_lost_indexes_of_it_are_made_again() -> None:
    world = giving()
    grant = world.grant(given(world))
    names = {entry.name for entry in indexed(grant)}
    assert {keys.LIVE, keys.RUNS} <= names


def test_what_was_agreed_to_names_what_is_given() -> None:
    world, other = giving(), giving(role="other-deploy")
    first, second = world.waits(), other.waits()
    assert world.request(first).terms.hash != other.request(second).terms.hash
    assert world.request(first).terms.target.kind == "gate-with-target"


def test_a_grant_of_it_is_made_by_its_run_alone() -> None:
    world = giving()
    id_ = approved(world)
    world.advance(HALF.total_seconds() * 2, 60.0)
    world.work()
    assert world.request(id_).state is RequestState.EXPIRED
    assert world.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant) is None


# ---------------------------------------------------------------- what the record does not know, and what it knows


def drifts(world: Gates) -> list[Drift]:
    return [found for key in world.ledger.members(keys.DRIFT) if (found := _drift(world, key)) is not None]


def _drift(world: Gates, id_: str) -> Drift | None:
    return world.ledger.read(keys.drift(id_)).readable(keys.drift(id_), Drift)


def test_what_stands_on_the_role_and_the_record_does_not_know_is_found() -> None:
    world = giving()
    id_ = given(world)
    resource = world.grant(id_).resource
    target(world).put(replace(resource, ids={**resource.ids, "thing": "prodaccess-PA-999"}))
    passed(world)
    (found,) = drifts(world)
    assert (found.request, found.roles) == ("PA-999", (("payments-prod", "gate:deploy"),))


def test_what_the_record_has_and_the_role_has_not_is_found() -> None:
    world = giving()
    id_ = given(world)
    settle(world)
    target(world).take(world.grant(id_).resource)
    passed(world)
    (found,) = drifts(world)
    assert (found.grant, found.kind.value) == (id_, "missing")


def test_what_comes_back_after_its_end_is_taken_away_again_and_people_are_called() -> None:
    world = giving()
    id_ = given(world)
    resource = world.grant(id_).resource
    withdraw(world.ctx, id_, "done")
    world.work()
    target(world).put(resource)
    world.advance(20)
    assert not target(world).has(resource)
    assert "grant.reappeared" in world.events(id_)


def test_a_look_at_the_grants_of_people_counts_no_pipeline() -> None:
    world = giving()
    id_ = given(world)
    look_at_holders(world.ctx)
    world.advance(60, 10.0)
    assert world.grant(id_).state is GrantState.ACTIVE
    assert world.faults == []


def test_who_began_the_run_is_not_who_holds_it() -> None:
    """They leave: what the pipeline's role has ends when its time is over."""
    world = giving()
    id_ = given(world)
    assert not holds_something(world.ctx, build.DANA)
    assert world.ledger.members(keys.of_person(keys.LIVE, build.DANA)) == []
    assert world.ledger.members(keys.RUNS) == [id_]
    withdraw(world.ctx, id_, "done")
    world.work()
    assert world.ledger.members(keys.RUNS) == []


# ---------------------------------------------------------------- records that cannot be read, and versions that cannot read them


@pytest.mark.parametrize("which", ["grant", "holding", "both"])
def test_what_cannot_be_read_is_taken_away_all_the_same(which: str) -> None:
    world = giving()
    id_ = given(world)
    grant = world.grant(id_)
    spoilt = {"grant": [keys.grant(id_)], "holding": [keys.holding(grant.holding)]}
    for name in spoilt.get(which) or [*spoilt["grant"], *spoilt["holding"]]:
        version, _ = world.ledger._records[name]
        world.ledger._records[name] = version, b"{}]"
    world.ledger.remind(keys.holding(grant.holding), 0.0)
    for _ in range(40):
        world.clock.advance(60)
        for item in (keys.holding(grant.holding), keys.end_due(id_)):
            world.ledger.remind(item, 0.0)
        end_or_converge(world, id_, grant.holding)
    assert not target(world).has(grant.resource)


def end_or_converge(world: Gates, id_: str, holding: str) -> None:
    """As the worker's own jobs do."""
    converge(world.ctx, holding, id_)


def test_a_version_that_knows_no_targets_of_gates_can_read_neither_ask_nor_grant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It decides nothing and shows nothing by them; what it does not understand it leaves as it is."""
    world = giving()
    id_ = given(world)
    names = keys.request(id_), keys.grant(id_), keys.holding(world.grant(id_).holding)
    stored = {name: world.ledger._records[name][1] for name in names}
    before = [kind for kind in AWS.kinds if kind is not AwsKind.IAM_ROLE_POLICY]
    monkeypatch.setattr(codec, "KIND_GIVING", "gate")
    monkeypatch.setattr(codec, "_FORMS", {})
    monkeypatch.setattr(codec, "providers", lambda: (replace(AWS, kinds=tuple(before)),))
    for name in names:
        with pytest.raises(CorruptRecord):
            codec.decode(name, stored[name])
