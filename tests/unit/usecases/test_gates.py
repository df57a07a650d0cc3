"""A pipeline waits for an environment's owner: who may let it on, and that it goes on once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.gates import Gates, gate, gated, pipeline_run, starter
from tests.support.signed import checking, pressed
from tests.support.world import account
from workflows.core import keys
from workflows.core.gates.terms import NothingToGive
from workflows.core.identity import Address
from workflows.core.pipelines.identity import Part
from workflows.core.policy import Freeze, Hours, Ticket, TicketCheck, UnknownStarter
from workflows.core.records.request import Decision, DecisionKind, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.grant_terms import grant_for
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.ports import Durability
from workflows.usecases.decisions.approve import approve
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.gates.ask import Asked
from workflows.usecases.gates.redeem import Redeemed
from workflows.usecases.gates.state import Approved, Denied, Expired, NotGiven, Used, Waiting, Withdrawn, standing
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.identity.holders import holders
from workflows.usecases.identity.leavers import look_at_holders
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.signed_votes import Signed
from workflows.usecases.upkeep.mend_indexes import make_again


def refused(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def approved(world: Gates, *people: object, **changes: object) -> str:
    """Waits, is agreed to by these people, and was looked at again."""
    id_ = world.waits(**changes)
    for who in people or (build.OLU,):
        answer = world.approve(id_, who)  # type: ignore[arg-type]  # handed through
        assert isinstance(answer, Outcome), answer
    world.work()
    return id_


def test_a_pipeline_waits_until_an_owner_agrees_and_goes_on_once() -> None:
    world = Gates()
    id_ = world.waits()
    assert world.state(id_) == Waiting()
    assert refused(world.goes_on(id_)) is Code.GATE_NOT_DECIDED
    answer = world.approve(id_)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "let_on"
    # Nothing is given out before a worker has looked at it again.
    assert world.state(id_) == Waiting()
    world.work()
    assert world.state(id_) == Approved(("Olu",), world.clock.now())
    assert isinstance(world.goes_on(id_), Redeemed)
    assert world.state(id_) == Used(world.clock.now())
    assert refused(world.goes_on(id_)) is Code.GATE_USED
    assert world.events(id_) == ["gate.asked", "gate.approved", "gate.redeemed", "gate.refused"]


def test_the_same_answer_for_the_same_redemption() -> None:
    world = Gates()
    id_ = approved(world)
    assert world.goes_on(id_, press="r1") == world.goes_on(id_, press="r1")


@pytest.mark.parametrize(
    "other", [{"commit": "b" * 40}, {"run": "1"}, {"attempt": "2"}, {"job": "7"}, {"repository_id": "8"}]
)
def test_another_commit_run_attempt_or_job_is_refused_and_on_the_record(other: dict[str, str]) -> None:
    world = Gates()
    id_ = approved(world)
    assert refused(world.goes_on(id_, pipeline_run(**other))) is Code.GATE_OTHER_RUN
    assert world.events(id_)[-1] == "gate.refused"
    assert isinstance(world.goes_on(id_, pipeline_run()), Redeemed)


def test_nothing_that_is_access_follows_from_it() -> None:
    world = Gates()
    id_ = approved(world)
    world.goes_on(id_)
    world.advance(60)
    assert world.ledger.read(keys.grant(id_)).items[keys.grant(id_)].is_absent
    assert not world.ledger.members(keys.LIVE)
    request = world.request(id_)
    assert request.decision is not None
    with pytest.raises(NothingToGive):
        grant_for(replace(request, resource=build.request().resource), request.decision)
    with pytest.raises(NothingToGive):
        grant_for(replace(request, gate=None, resource=build.request().resource), request.decision)


# ---------------------------------------------------------------- who may not


def test_who_pushed_does_not_approve_and_neither_does_their_delegate() -> None:
    world = Gates(run=pipeline_run(starters=(starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))))
    id_ = world.waits()
    assert refused(world.approve(id_, build.OLU)) is Code.OWN_REQUEST
    until = world.clock.now() + timedelta(days=1)
    assert isinstance(delegate(world.ctx, account(build.OLU), build.facts(build.NIA), until, "d"), Outcome)
    assert refused(world.approve(id_, build.NIA)) is Code.NOT_AN_APPROVER
    assert isinstance(world.approve(id_, build.PAT), Outcome)


def test_who_ran_it_again_does_not_approve() -> None:
    starters = (starter(), starter(part=Part.PUSHED), starter(1002, "olu-gh", Part.RE_RAN))
    world = Gates(run=pipeline_run(starters=starters, attempt="2"))
    assert refused(world.approve(world.waits(), build.OLU)) is Code.OWN_REQUEST


def test_who_denies_did_not_push_either() -> None:
    world = Gates(run=pipeline_run(starters=(starter(1002, "olu-gh"),)))
    assert refused(world.deny(world.waits(), build.OLU)) is Code.OWN_REQUEST


@pytest.mark.parametrize("number", [None, 4711])
def test_where_nobody_knows_who_started_it_one_more_has_to_agree(number: int | None) -> None:
    world = Gates(run=pipeline_run(starters=(starter(number, "somebody"),)))
    id_ = world.waits()
    first = world.approve(id_, build.OLU)
    assert isinstance(first, Outcome)
    assert first.outcome == "agreed"
    world.work()
    assert world.state(id_) == Waiting()
    second = world.approve(id_, build.PAT)
    assert isinstance(second, Outcome)
    assert second.outcome == "let_on"
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)
    assert world.events(id_)[:3] == ["gate.asked", "gate.agreed", "gate.approved"]


def test_each_who_is_not_known_costs_one_more_and_the_same_one_counts_once() -> None:
    twice = Gates(run=pipeline_run(starters=(starter(9, "zoe"), starter(9, "zoe", Part.PUSHED))))
    assert twice.request(twice.waits()).terms.role == "gate:deploy+1"
    two = Gates(
        gated(gate(approve={"security": 1}, owners=("platform", "security"))),
        pipeline_run(starters=(starter(9, "zoe"), starter(None, "", Part.PUSHED))),
    )
    answer = two.wants()
    assert isinstance(answer, Asked)
    assert two.request(answer.id).terms.role == "gate:deploy+2"
    two.work()
    # Security has two people.
    state = two.state(answer.id)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.GATE_NOBODY


def test_a_schedule_is_nobody_and_whoever_pushed_counts() -> None:
    nightly = pipeline_run(starters=(starter(None, "dana-gh"), starter(None, "", Part.PUSHED)), event="schedule")
    world = Gates(run=nightly)
    assert world.request(world.waits()).terms.role == "gate:deploy+1"


def test_where_the_policy_wants_to_know_everybody_the_ask_is_refused() -> None:
    world = Gates(
        gated(gate(unknown_starter=UnknownStarter.REFUSE)), pipeline_run(starters=(starter(None, "", Part.PUSHED),))
    )
    answer = world.wants()
    assert refused(answer) is Code.GATE_STARTER_UNKNOWN
    assert [entry.event.value for entry in world.all_entries()][-1] == "gate.refused"


def test_somebody_whose_id_became_known_meanwhile_agreed_to_other_terms() -> None:
    """The card asked two of them, because nobody knew who had pushed; now it is known, and it was Olu."""
    world = Gates(gated(forge_ids={}), pipeline_run(starters=(starter(1002, "olu-gh"),)))
    id_ = world.waits()
    assert isinstance(world.approve(id_, build.OLU), Outcome)
    world.policy.policy = gated(hash="e" * 64)
    world.activate()
    answer = world.approve(id_, build.PAT)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "gate_changed"
    world.work()
    assert world.request(id_).votes == ()
    assert refused(world.approve(id_, build.OLU)) is Code.OWN_REQUEST
    again = world.approve(id_, build.PAT)
    assert isinstance(again, Outcome)
    assert again.outcome == "let_on"


def test_an_approval_of_somebody_who_turns_out_to_have_pushed_is_not_given_out() -> None:
    world = Gates(gated(forge_ids={}), pipeline_run(starters=(starter(1002, "olu-gh"),)))
    id_ = world.waits()
    world.approve(id_, build.OLU)
    world.approve(id_, build.PAT)
    world.policy.policy = gated(hash="e" * 64)
    world.activate()
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


# ---------------------------------------------------------------- decided again before it is given out


def test_an_approver_who_left_the_group_has_not_let_it_on() -> None:
    world = Gates()
    id_ = world.waits()
    world.approve(id_, build.OLU)
    world.policy.policy = replace(
        gated(),
        groups={**gated().groups, "platform": replace(gated().groups["platform"], members=frozenset({build.PAT}))},
    )  # type: ignore[arg-type]
    world.work()
    assert isinstance(world.state(id_), NotGiven)


def test_an_approval_that_was_looked_at_long_ago_is_looked_at_again_first() -> None:
    world = Gates()
    id_ = approved(world)
    world.clock.advance(61)
    world.knows(build.OLU)
    assert refused(world.goes_on(id_, press="r")) is Code.GATE_LOOKED_AT_AGAIN
    assert world.state(id_) == Waiting()
    world.work()
    assert isinstance(world.goes_on(id_, press="r"), Redeemed)


def test_a_freeze_that_began_meanwhile_holds() -> None:
    world = Gates()
    id_ = approved(world)
    world.clock.advance(61)
    freeze = Freeze(world.clock.now() - timedelta(seconds=5), world.clock.now() + build.HOUR, "Year-end")
    world.policy.policy = gated(place={"freezes": (freeze,)})
    assert refused(world.goes_on(id_)) is Code.GATE_LOOKED_AT_AGAIN
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.FREEZE


def test_a_freeze_that_begins_within_the_minute_of_a_look_holds() -> None:
    begins = build.NOW + timedelta(seconds=40)
    world = Gates(gated(place={"freezes": (Freeze(begins, begins + build.HOUR, "Year-end"),)}))
    id_ = approved(world)
    world.clock.advance((begins - world.clock.now()).total_seconds())
    assert refused(world.goes_on(id_)) is Code.GATE_LOOKED_AT_AGAIN
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.FREEZE


def test_a_policy_that_came_into_force_after_the_look_is_looked_at_first() -> None:
    world = Gates()
    id_ = approved(world)
    world.clock.advance(5)
    world.policy.policy = gated(pipelines=())
    world.activate()
    assert refused(world.goes_on(id_)) is Code.GATE_LOOKED_AT_AGAIN
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.PIPELINE_NOT_ALLOWED


def test_a_pipeline_that_the_policy_names_no_more_goes_not_on() -> None:
    world = Gates()
    id_ = world.waits()
    world.approve(id_)
    world.policy.policy = gated(pipelines=())
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.PIPELINE_NOT_ALLOWED


def test_nothing_is_given_out_while_the_ledger_is_not_durable() -> None:
    world = Gates()
    id_ = approved(world)
    world.ledger.is_durable = Durability(False, "verify", "no append-only file")
    assert refused(world.goes_on(id_)) is Code.LEDGER_NOT_DURABLE
    world.ledger.is_durable = Durability(True, "declared")
    assert isinstance(world.goes_on(id_), Redeemed)


def test_a_vote_that_slack_has_not_signed_lets_nothing_on_and_calls_people() -> None:
    world = Gates()
    checking(world)
    id_ = approved(world)
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.VOTE_NOT_PROVED
    assert "vote.unproved" in world.events(id_)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


def test_a_vote_that_slack_has_signed_for_this_run_lets_it_on() -> None:
    world = Gates()
    checking(world)
    id_ = world.waits()
    act = Signed(pressed(world, id_))
    assert isinstance(approve(world.ctx, id_, account(build.OLU), "p", None, act), Outcome)
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)


def test_while_the_account_of_who_pushed_is_on_hold_nothing_is_given_out() -> None:
    """Whoever it is now may be somebody who agreed."""
    world = Gates()
    id_ = approved(world)
    known = world.chat.people[account(build.DANA)]
    world.chat.people[account(build.DANA)] = replace(known, address=Address("dana.new@example.com"))
    world.knows(build.DANA)
    for press in ("r1", "r2"):
        assert refused(world.goes_on(id_, press=press)) is Code.GATE_LOOKED_AT_AGAIN
        world.work()
        assert world.state(id_) == Waiting()


def test_while_an_approvers_account_is_on_hold_nothing_is_given_out() -> None:
    world = Gates()
    id_ = approved(world)
    known = world.chat.people[account(build.OLU)]
    world.chat.people[account(build.OLU)] = replace(known, address=Address("olu.new@example.com"))
    world.clock.advance(61)
    for press in ("r1", "r2"):
        assert refused(world.goes_on(id_, press=press)) is Code.GATE_LOOKED_AT_AGAIN
        world.work()
        assert world.state(id_) == Waiting()
    world.chat.people[account(build.OLU)] = known
    world.clock.advance(61)
    world.knows(build.OLU)
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)


# ---------------------------------------------------------------- other ways for it to end


def test_a_denial_carries_its_reason() -> None:
    world = Gates()
    id_ = world.waits()
    assert isinstance(world.deny(id_, build.OLU, "not before the fix"), Outcome)
    assert world.state(id_) == Denied("Olu", "not before the fix")
    assert refused(world.goes_on(id_)) is Code.GATE_OVER
    assert "gate.denied" in world.events(id_)


def test_what_was_agreed_to_can_be_called_off_until_the_run_takes_it() -> None:
    world = Gates()
    id_ = approved(world)
    assert isinstance(world.deny(id_, build.PAT, "wrong commit"), Outcome)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


def test_an_ask_that_nobody_answers_and_an_approval_that_nobody_takes_are_over_at_the_end() -> None:
    world = Gates()
    silent, taken = world.waits(), world.waits(run=pipeline_run(run="2"))
    world.advance(29 * 60, step_s=60)
    world.approve(taken)
    world.advance(61, step_s=1)
    assert world.state(silent) == Expired()
    assert world.state(taken) == Expired()
    assert refused(world.goes_on(taken)) is Code.GATE_OVER
    assert world.events(silent)[-1] == world.events(taken)[-2] == "gate.expired"
    assert not world.ledger.members(keys.PENDING)
    assert not world.ledger.members(keys.SCHEDULED)


@pytest.mark.parametrize("agreed", [False, True])
def test_a_cancelled_job_takes_its_ask_back(agreed: bool) -> None:
    world = Gates()
    id_ = approved(world) if agreed else world.waits()
    assert isinstance(withdraw(world.ctx, id_, "w"), Outcome)
    assert world.state(id_) == Withdrawn("")
    assert refused(world.goes_on(id_)) is Code.GATE_OVER
    assert refused(withdraw(world.ctx, id_, "w2")) is Code.GATE_OVER


@pytest.mark.parametrize("agreed", [False, True])
def test_the_panic_switch_of_an_environment_closes_it(agreed: bool) -> None:
    world = Gates()
    id_ = approved(world) if agreed else world.waits()
    world.advance(1)
    world.knows(build.SUE)
    answer = revoke_all(world.ctx, RevocationScope(None, "", "payments-prod"), account(build.SUE), "attack", "panic")
    assert isinstance(answer, Outcome), answer
    world.work()
    assert isinstance(world.state(id_), Denied)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER


@pytest.mark.parametrize("agreed", [False, True])
def test_the_panic_switch_of_a_person_closes_what_they_began_and_no_other_run(agreed: bool) -> None:
    world = Gates()
    id_ = approved(world) if agreed else world.waits()
    others = (starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED))
    of_olu = world.waits(run=pipeline_run(run="2", starters=others))
    world.advance(1)
    world.knows(build.SUE)
    dana = RevocationScope(build.DANA, "Dana")
    answer = revoke_all(world.ctx, dana, account(build.SUE), "attack", "panic")
    assert isinstance(answer, Outcome), answer
    world.work()
    assert isinstance(world.state(id_), Denied)
    assert refused(world.goes_on(id_)) is Code.GATE_OVER
    assert world.state(of_olu) == Waiting()


def test_an_owner_who_takes_back_everything_of_a_person_closes_their_runs_in_what_they_own() -> None:
    world = Gates()
    id_ = world.waits()
    world.advance(1)
    answer = revoke_all(world.ctx, RevocationScope(build.DANA, "Dana"), account(build.OLU), "attack", "panic")
    assert isinstance(answer, Outcome), answer
    world.work()
    assert isinstance(world.state(id_), Denied)


def test_it_cannot_be_approved_for_less() -> None:
    world = Gates()
    id_ = world.waits()
    world.knows(build.OLU)
    for role in (None, "read-only"):
        assert (
            refused(approve_reduced(world.ctx, id_, account(build.OLU), role, None, f"less-{role}"))
            is Code.GATE_NOT_LESS
        )


# ---------------------------------------------------------------- the ask


def test_who_began_it_stands_outside_of_the_chain_where_it_can_be_erased() -> None:
    world = Gates()
    id_ = world.waits()
    (entry,) = world.ledger.entries_of(id_)
    assert entry.facts["starters"] == "started:known,pushed:known"
    assert "1001" not in entry.body
    assert entry.private["starters"] == "started: dana-gh 1001 dana@example.com\npushed: dana-gh 1001 dana@example.com"


def test_a_token_is_taken_once() -> None:
    world = Gates()
    first = world.wants(token="t", ticket="1" * 64)
    assert isinstance(first, Asked)
    assert world.wants(token="t", ticket="1" * 64) == replace(first)
    assert refused(world.wants(token="t", ticket="2" * 64)) is Code.TOKEN_USED
    assert refused(world.wants(run=pipeline_run(run="9"), token="t", ticket="3" * 64)) is Code.TOKEN_USED


def test_a_token_that_somebody_else_shows_is_refused_and_on_the_record() -> None:
    world = Gates()
    assert isinstance(world.wants(token="t"), Asked)
    assert refused(world.wants(token="t", nonce="thief")) is Code.TOKEN_USED
    assert world.all_entries()[-1].event.value == "gate.refused"


def test_the_accounts_of_who_pushed_are_barred_whosever_they_are_by_then() -> None:
    world = Gates(run=pipeline_run(starters=(starter(1002, "olu-gh"),)))
    id_ = world.waits()
    assert world.request(id_).accounts == (build.facts(build.OLU).account,)


def test_tokens_that_have_run_out_are_forgotten() -> None:
    world = Gates()
    world.wants(token="old")
    world.clock.advance(601)
    world.wants(run=pipeline_run(run="9"), token="new")
    left = world.ledger.members(keys.TOKENS)
    assert len(left) == 1
    assert list(world.ledger.records("jti")) == list(left)


def test_the_same_run_asks_again_for_the_same_and_its_newest_wait_ticket_counts() -> None:
    world = Gates()
    first, second = world.wants(ticket="1" * 64), world.wants(ticket="2" * 64)
    assert isinstance(first, Asked)
    assert isinstance(second, Asked)
    assert (second.id, second.new) == (first.id, False)
    found = standing(world.ctx, first.id)
    assert found is not None
    assert found.wait_ticket == "2" * 64
    world.work()
    world.approve(first.id)
    world.work()
    assert isinstance(world.goes_on(first.id), Redeemed)
    assert refused(world.wants()) is Code.GATE_USED


def test_a_run_that_was_denied_may_ask_anew() -> None:
    world = Gates()
    id_ = world.waits()
    world.deny(id_)
    assert world.waits() != id_


def test_a_pipeline_that_asks_without_end_is_stopped() -> None:
    world = Gates()
    for number in range(10):
        assert isinstance(world.wants(run=pipeline_run(run=str(number + 1))), Asked)
    assert refused(world.wants(run=pipeline_run(run="99"))) is Code.GATE_TOO_MANY


@pytest.mark.parametrize("how", ["denied", "withdrawn"])
def test_a_pipeline_that_asks_again_and_again_calls_nobody_any_more(how: str) -> None:
    """A job that does not take a no, round which somebody has written a loop."""
    world = Gates()
    for number in range(20):
        asked = world.wants()
        assert isinstance(asked, Asked), (number, asked)
        world.work()
        if how == "denied":
            assert isinstance(world.deny(asked.id), Outcome)
        else:
            withdraw(world.ctx, asked.id, f"gone-{number}")
    one_more = world.wants()
    assert refused(one_more) is Code.GATE_TOO_MANY
    assert isinstance(one_more, Refused)
    assert one_more.params == {"max": "20", "minutes": "10"}
    world.advance(601, step_s=60)
    assert isinstance(world.wants(), Asked)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"environment": "payments-prd"}, Code.ENVIRONMENT_UNKNOWN),
        ({"gate": "release"}, Code.GATE_UNKNOWN),
        ({"gate": "read-only"}, Code.GATE_UNKNOWN),
        ({"change": "  "}, Code.REASON_MISSING),
        ({"change": "x" * 501}, Code.REASON_TOO_LONG),
    ],
)
def test_slips_are_told_at_once(words: dict[str, str], code: Code) -> None:
    assert refused(Gates().wants(**words)) is code


def test_a_gate_that_wants_a_ticket_gets_one() -> None:
    world = Gates(gated(gate(ticket=Ticket("OPS-[0-9]+"))))
    assert refused(world.wants()) is Code.TICKET_MISSING
    id_ = world.wants(change="OPS-7 faster")
    assert isinstance(id_, Asked)
    assert world.request(id_.id).ticket == "OPS-7"


def test_a_ticket_that_is_closed_closes_the_ask() -> None:
    check = TicketCheck("https://t.example.com/{ticket}")
    world = Gates(gated(gate(ticket=Ticket("OPS-[0-9]+", verify=check))))
    world.tickets.says["OPS-7"] = TicketSeen(TicketState.CLOSED)
    id_ = world.waits(change="OPS-7 faster")
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.TICKET_CLOSED


def test_nothing_is_asked_for_in_a_freeze_or_outside_of_the_hours() -> None:
    now = Gates().clock.now()
    frozen = Gates(gated(place={"freezes": (Freeze(now, now + build.HOUR, "Year-end"),)}))
    assert refused(frozen.wants()) is Code.FREEZE
    closed = Gates(gated(gate(hours=Hours(frozenset({0}), now.time(), now.time()))))
    assert refused(closed.wants()) is Code.OUTSIDE_HOURS


def test_where_nobody_can_decide_it_is_closed_with_why() -> None:
    world = Gates(gated(gate(approve={"owners": 2})), pipeline_run(starters=(starter(1002, "olu-gh"),)))
    state = world.state(world.waits())
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.GATE_NOBODY


def test_a_worker_with_another_copy_of_the_policy_turns_nobody_away() -> None:
    world = Gates()
    answer = world.wants()
    assert isinstance(answer, Asked)
    in_force = world.policy.policy
    world.policy.policy = build.policy(hash="e" * 64)
    world.work()
    assert world.state(answer.id) == Waiting()
    assert world.request(answer.id).state is RequestState.PENDING
    world.policy.policy = in_force
    world.advance(3)
    assert world.request(answer.id).is_resolved


def test_a_pipeline_is_nobody_who_could_leave() -> None:
    world = Gates()
    id_ = world.waits()
    assert holders(world.ctx) == {}
    look_at_holders(world.ctx)
    world.advance(700, step_s=60)
    assert world.state(id_) == Waiting()


def test_lost_indexes_are_made_again_for_what_waits_and_for_what_was_approved() -> None:
    world = Gates()
    waiting, agreed = world.waits(), approved(world, run=pipeline_run(run="2"))
    for index, id_ in ((keys.PENDING, waiting), (keys.SCHEDULED, agreed)):
        world.ledger._indexes.pop(index)
        make_again(world.ctx)
        assert list(world.ledger.members(index)) == [id_]
    tokens = world.ledger._indexes.pop(keys.TOKENS)
    make_again(world.ctx)
    assert set(world.ledger.members(keys.TOKENS)) == set(tokens)


def test_people_are_reminded_as_of_any_other_ask() -> None:
    world = Gates()
    id_ = world.waits()
    world.advance(60 * 5, step_s=30)
    assert "request.reminded" in world.events(id_)


def test_whose_account_is_on_hold_stops_nothing_that_they_did_not_begin() -> None:
    world = Gates(run=pipeline_run(starters=(starter(None, "bot[bot]"),)))
    request = world.request(world.waits())
    assert request.parties == (request.requester,)
    assert request.state is RequestState.PENDING


def test_a_decision_kind_of_a_gate_is_an_approval() -> None:
    world = Gates()
    decision = world.request(approved(world)).decision
    assert isinstance(decision, Decision)
    assert decision.kind is DecisionKind.APPROVAL
