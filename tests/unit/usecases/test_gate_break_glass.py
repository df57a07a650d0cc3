"""Break-glass for a gate: one person opens it for the run that waits, as the policy says, and an owner reviews that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.wording.access_review import break_glass_words
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE
from tests.support.gates import Gates, gate, gated, pipeline_run, role_target, starter
from tests.support.world import account
from workflows.core import keys
from workflows.core.erasing import NAME, WORDS, Whom, scrubbed
from workflows.core.identity import Address
from workflows.core.people import PersonId
from workflows.core.pipelines.identity import Part
from workflows.core.policy import BreakGlass, Freeze, Group, Hours, Policy, UnknownStarter
from workflows.core.records.grant import GrantState
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import DecisionKind, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import may_review
from workflows.core.rules.moving import has_moved
from workflows.ports import Change
from workflows.usecases.gates.break_open import break_open
from workflows.usecases.gates.redeem import Redeemed
from workflows.usecases.gates.state import Approved, NotGiven, Used, Waiting
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.oversight.access_review import report_between
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.context import Outcome

GLASS = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=2, review_within=24 * HOUR)


def opens(glass: BreakGlass | None = GLASS, place: Mapping[str, Any] | None = None, **changes: Any) -> Policy:
    """A policy whose gate says that it can be opened in an emergency; Nia is on call."""
    found = replace(gate(**changes), break_glass=True)
    return gated(found, place={"break_glass": glass, **(place or {})})


class Emergency(Gates):
    def __init__(self, policy: Policy | None = None, run: Any = None) -> None:
        super().__init__(policy or opens(), run)

    def presses(
        self, id_: str, who: PersonId = NIA, reason: str = "checkout is down", **more: Any
    ) -> Outcome | Refused:
        self.knows(who)
        press = more.pop("press", None) or self.press_id()
        return break_open(self.ctx, id_, account(who), reason, press, **more)

    def breaks(self, who: PersonId = NIA, **changes: Any) -> str:
        """Waits, is opened, and was looked at again."""
        id_ = self.waits(**changes)
        answer = self.presses(id_, who)
        assert isinstance(answer, Outcome), answer
        self.work()
        return id_

    def code(self, id_: str, who: PersonId = NIA, reason: str = "checkout is down") -> Code:
        return refused(self.presses(id_, who, reason))

    def review(self, id_: str) -> Review:
        found = self.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
        assert found is not None
        return found

    def barred(self, who: PersonId = NIA) -> str | None:
        found = self.ledger.read(keys.person(who)).get(keys.person(who), PersonRecord)
        return found.break_glass_barred if found is not None else None

    def suspend(self, who: PersonId = NIA) -> None:
        """Their account has another address by now."""
        known = self.chat.people[account(who)]
        self.chat.people[account(who)] = replace(known, address=Address(f"new.{who}"))
        self.knows(who)

    def acknowledges(self, id_: str, who: PersonId = OLU) -> Outcome | Refused:
        self.knows(who)
        return acknowledge(self.ctx, id_, account(who), self.press_id())


def refused(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


# ---------------------------------------------------------------- at once


def test_one_person_opens_it_and_the_run_goes_on_once() -> None:
    world = Emergency()
    id_ = world.waits()
    answer = world.presses(id_)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "gate_broken"
    # As with an approval a worker looks at it again first.
    assert world.state(id_) == Waiting()
    world.work()
    # As its job's log says it.
    assert world.state(id_) == Approved(("Nia, in an emergency",), world.clock.now())
    assert isinstance(world.goes_on(id_), Redeemed)
    assert world.state(id_) == Used(world.clock.now(), emergency=True)
    assert refused(world.goes_on(id_)) is Code.GATE_USED
    assert world.events(id_) == ["gate.asked", "gate.broken", "gate.redeemed", "gate.refused"]


def test_it_is_for_this_run_alone() -> None:
    world = Emergency()
    id_ = world.breaks()
    assert refused(world.goes_on(id_, pipeline_run(attempt="2"))) is Code.GATE_OTHER_RUN
    assert isinstance(world.goes_on(id_, pipeline_run()), Redeemed)


def test_decision_review_and_use_are_one_commit() -> None:
    world = Emergency()
    id_ = world.waits()
    commits: list[Change] = []
    commit = world.ledger.commit
    world.ledger.commit = lambda change: (commits.append(change), commit(change))[1]  # type: ignore[method-assign]
    world.presses(id_)
    (decided,) = [one for one in commits if keys.review(id_) in one.puts]
    assert {keys.request(id_), keys.break_glass_uses("payments-prod", NIA), keys.person(NIA)} <= set(decided.puts)
    assert {keys.review(id_), keys.announced_due(id_), keys.request(id_)} <= set(decided.due)
    assert [entry.event.value for entry in decided.audit] == ["gate.broken"]


def test_the_record_says_who_opened_it_and_why() -> None:
    world = Emergency()
    id_ = world.breaks()
    request = world.request(id_)
    assert request.decision is not None
    assert (request.decision.kind, request.decision.by, request.break_glass) == (DecisionKind.BREAK_GLASS, (NIA,), True)
    assert request.gate is not None
    assert request.gate.emergency is not None
    assert request.gate.emergency.reason == "checkout is down"
    # What the pipeline wants to change is still what its job said.
    assert request.reason == "Faster checkout"
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event.value == "gate.broken"]
    assert entry.private["reason"] == "checkout is down"
    assert entry.facts["began"] == "no"


def test_who_began_the_run_may_open_it_and_that_stands_there() -> None:
    """As for access, where whoever asks lets themselves in: the review of somebody else is what makes it safe."""
    world = Emergency(gated_for(DANA))
    id_ = world.breaks(DANA)
    assert isinstance(world.goes_on(id_), Redeemed)
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event.value == "gate.broken"]
    assert entry.facts["began"] == "yes"


def gated_for(*people: PersonId, **changes: Any) -> Policy:
    found = opens(**changes)
    group = replace(found.groups["oncall"], members=frozenset(people))  # type: ignore[arg-type]  # the id is the address
    return replace(found, groups={**found.groups, "oncall": group})


def test_a_press_that_is_sent_twice_opens_it_once() -> None:
    world = Emergency()
    id_ = world.waits()
    first, again = world.presses(id_, press="p"), world.presses(id_, press="p")
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (first.id, first.outcome) == (again.id, again.outcome)
    uses = world.ledger.read(keys.break_glass_uses("payments-prod", NIA)).get(
        keys.break_glass_uses("payments-prod", NIA), Uses
    )
    assert uses is not None
    assert len(uses.times) == 1
    assert world.events(id_).count("gate.broken") == 1


def test_freezes_and_hours_stop_nobody_in_an_emergency_and_everybody_else() -> None:
    never = Hours(frozenset({0}), NOW.time(), (NOW + MINUTE).time())
    world = Emergency(opens(place={"freezes": (Freeze(NOW - HOUR, NOW + HOUR, "Black Friday"),)}, hours=never))
    # It waits in the freeze: else there would be nothing to open.
    id_ = world.waits()
    told = world.approve(id_)
    assert isinstance(told, Refused)
    assert told.code is Code.FREEZE
    assert isinstance(world.presses(id_), Outcome)
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)


def test_who_may_open_it_is_told_how_when_they_cannot_approve() -> None:
    frozen = {"freezes": (Freeze(NOW - HOUR, NOW + HOUR, "Black Friday"),)}
    world = Emergency(gated_for(OLU, place=frozen))
    id_ = world.waits()
    told = world.approve(id_, OLU)
    assert isinstance(told, Refused)
    assert told.params["break_glass"] == id_
    others = world.approve(id_, PAT)
    assert isinstance(others, Refused)
    assert "break_glass" not in others.params


def test_where_too_few_could_ever_agree_it_waits_to_be_opened() -> None:
    world = Emergency(opens(approve={"owners": 9}))
    assert isinstance(world.goes_on(world.breaks()), Redeemed)
    usual = Gates(gated(gate(approve={"owners": 9})))
    assert isinstance(usual.state(usual.waits()), NotGiven)


def test_where_nobody_knows_who_began_it_nobody_more_has_to_agree() -> None:
    run = pipeline_run(starters=(starter(9001, "stranger"),))
    world = Emergency(run=run)
    assert isinstance(world.goes_on(world.breaks()), Redeemed)


def test_who_wants_to_know_everybody_wants_that_in_an_emergency_too() -> None:
    run = pipeline_run(starters=(starter(9001, "stranger"),))
    world = Emergency(opens(unknown_starter=UnknownStarter.REFUSE), run)
    assert refused(world.wants()) is Code.GATE_STARTER_UNKNOWN


# ---------------------------------------------------------------- who may not


def test_a_gate_that_does_not_say_so_is_not_opened_alone() -> None:
    world = Emergency(gated(gate(), place={"break_glass": GLASS}))
    assert world.code(world.waits()) is Code.BREAK_GLASS_NOT_ALLOWED


def test_without_break_glass_in_the_environment_nobody_opens_it() -> None:
    world = Emergency(opens(None))
    assert world.code(world.waits()) is Code.BREAK_GLASS_NOT_ALLOWED


def test_an_owner_who_is_not_on_call_does_not_open_it() -> None:
    world = Emergency()
    assert world.code(world.waits(), OLU) is Code.BREAK_GLASS_NOT_ALLOWED


def test_who_is_on_call_that_nobody_can_tell_is_no_yes() -> None:
    found = opens()
    elsewhere = Group("oncall", slack_usergroup="S0ONCALL", trusted=True)
    world = Emergency(replace(found, groups={**found.groups, "oncall": elsewhere}))
    assert world.code(world.waits()) in (Code.NOT_KNOWN_YET, Code.FACTS_STALE)


@pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
def test_a_reason_is_wanted(reason: str) -> None:
    world = Emergency()
    assert world.code(world.waits(), reason=reason) is Code.REASON_MISSING


def test_a_bar_holds_for_gates_and_a_flag_of_a_gate_bars_from_all() -> None:
    world = Emergency()
    id_ = world.breaks()
    assert isinstance(flag(world.ctx, id_, account(OLU), "it could have waited", world.press_id()), Outcome)
    assert world.barred() is not None
    assert world.code(world.waits(run=pipeline_run(run="2"))) is Code.BREAK_GLASS_BARRED


def test_uses_of_gates_count_with_those_of_access() -> None:
    world = Emergency()
    for number in ("1", "2"):
        world.breaks(run=pipeline_run(run=number))
    assert world.code(world.waits(run=pipeline_run(run="3"))) is Code.BREAK_GLASS_TOO_OFTEN


def test_an_account_on_hold_opens_nothing() -> None:
    world = Emergency()
    id_ = world.waits()
    world.knows(NIA)
    world.suspend(NIA)
    assert world.code(id_) is Code.PERSON_SUSPENDED


def test_what_is_decided_is_not_opened() -> None:
    world = Emergency()
    id_ = world.waits()
    world.approve(id_)
    answer = world.presses(id_)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.params["state"]) == (Code.DECIDED, "let_on")


def test_what_is_over_is_not_opened() -> None:
    world = Emergency()
    id_ = world.waits()
    world.advance(31 * 60, step_s=600)
    assert world.code(id_) is Code.DECIDED


def test_before_a_worker_has_looked_nothing_is_opened() -> None:
    world = Emergency()
    asked = world.wants()
    assert not isinstance(asked, Refused)
    assert world.code(asked.id) is Code.NOT_RESOLVED_YET


def test_the_button_of_other_terms_opens_nothing() -> None:
    world = Emergency()
    assert refused(world.presses(world.waits(), terms_hash="0" * 16)) is Code.TERMS_CHANGED


def test_a_gate_that_means_something_else_by_now_is_shown_anew() -> None:
    world = Emergency()
    id_ = world.waits()
    world.policy.policy = opens(gives=role_target())
    answer = world.presses(id_)
    assert isinstance(answer, Outcome)
    assert answer.outcome == "gate_changed"
    assert world.request(id_).decision is None


def test_a_request_for_access_is_no_gate() -> None:
    world = Emergency()
    assert world.code(world.asked()) is Code.NOT_A_GATE


# ---------------------------------------------------------------- before the run goes on


def test_who_is_on_call_no_more_has_not_opened_it() -> None:
    world = Emergency()
    id_ = world.waits()
    world.presses(id_)
    world.policy.policy = replace(gated_for(PAT), hash=world.policy.policy.hash)
    world.work()
    state = world.state(id_)
    assert isinstance(state, NotGiven)
    assert state.refused.code is Code.BREAK_GLASS_NOT_ALLOWED


def test_a_gate_that_is_opened_alone_no_more_closes_it() -> None:
    world = Emergency()
    id_ = world.waits()
    world.presses(id_)
    world.policy.policy = replace(gated(gate(), place={"break_glass": GLASS}), hash=world.policy.policy.hash)
    world.work()
    assert isinstance(world.state(id_), NotGiven)


def test_a_starter_who_is_known_by_now_changes_nothing() -> None:
    run = pipeline_run(starters=(starter(9001, "stranger"),))
    world = Emergency(run=run)
    id_ = world.waits()
    world.presses(id_)
    there = world.policy.policy
    ids = {**there.forge_ids, build.PAT: {"github": 9001}}
    world.policy.policy = replace(there, forge_ids=ids)  # type: ignore[arg-type]  # an address is a text
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)


def test_while_the_account_that_opened_it_is_on_hold_nothing_is_given_out() -> None:
    world = Emergency()
    id_ = world.waits()
    world.presses(id_)
    world.suspend(NIA)
    world.work()
    assert world.state(id_) == Waiting()


# ---------------------------------------------------------------- what is owed


def test_a_review_is_owed_and_chased_and_outlives_the_run() -> None:
    world = Emergency()
    id_ = world.breaks()
    world.goes_on(id_)
    assert (world.review(id_).holder, world.review(id_).state) == (NIA, ReviewState.OWED)
    world.advance(25 * 3600, step_s=1800)
    assert world.events(id_).count("review.chased") == 3
    assert world.barred() is not None
    assert isinstance(world.acknowledges(id_), Outcome)
    assert world.review(id_).state is ReviewState.ACKNOWLEDGED


def test_neither_who_opened_it_nor_who_began_the_run_reviews_it() -> None:
    # Olu pushed it, and owns the place; Nia opened it.
    run = pipeline_run(starters=(starter(1002, "olu-gh"), starter(1002, "olu-gh", Part.PUSHED)))
    world = Emergency(run=run)
    id_ = world.breaks()
    assert refused(world.acknowledges(id_, OLU)) is Code.OWN_REVIEW
    assert refused(world.acknowledges(id_, NIA)) is Code.OWN_REVIEW
    assert isinstance(world.acknowledges(id_, PAT), Outcome)


def test_an_owner_who_opened_it_does_not_review_that() -> None:
    world = Emergency(gated_for(OLU))
    id_ = world.breaks(OLU)
    assert refused(world.acknowledges(id_, OLU)) is Code.OWN_REVIEW


def test_the_account_that_opened_it_reviews_nothing_whosever_it_is_by_then() -> None:
    world = Emergency()
    id_ = world.breaks()
    groups = world.directory.groups(world.policy.policy, ("platform",))
    by_now = build.facts(OLU, slack=build.facts(NIA).slack)
    answer = may_review(world.policy.policy, world.review(id_), by_now, groups, world.request(id_))
    assert refused(answer) is Code.OWN_REVIEW
    assert may_review(world.policy.policy, world.review(id_), build.facts(OLU), groups, world.request(id_)) is None


def test_the_review_is_owed_where_the_run_never_came() -> None:
    world = Emergency()
    id_ = world.breaks()
    world.advance(31 * 60, step_s=600)
    assert world.request(id_).state is RequestState.EXPIRED
    assert world.review(id_).state is ReviewState.OWED


@pytest.mark.parametrize("how", ["denied", "panic", "cancelled"])
def test_what_is_called_off_before_the_run_takes_it_bars_where_people_did(how: str) -> None:
    world = Emergency()
    id_ = world.breaks()
    if how == "denied":
        assert isinstance(world.deny(id_, OLU, "no emergency"), Outcome)
    elif how == "panic":
        revoke_all(world.ctx, RevocationScope(None, "", "payments-prod"), account(SUE), "stop", world.press_id())
        world.work()
    else:
        withdraw(world.ctx, id_, world.press_id())
    assert isinstance(world.goes_on(id_), Refused)
    assert (world.barred() is not None) is (how != "cancelled")
    assert world.review(id_).state is ReviewState.OWED


def test_the_panic_switch_of_a_person_closes_what_they_opened() -> None:
    world = Emergency()
    id_ = world.breaks()
    revoke_all(world.ctx, RevocationScope(NIA, "Nia"), account(SUE), "stop", world.press_id())
    world.work()
    assert world.request(id_).state is RequestState.DENIED


# ---------------------------------------------------------------- with a target


def given(world: Emergency) -> str:
    id_ = world.breaks()
    world.goes_on(id_)
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)
    return id_


def test_the_pipelines_role_has_its_permission_and_it_ends() -> None:
    world = Emergency(opens(gives=role_target()))
    id_ = given(world)
    assert world.grant(id_).state is GrantState.ACTIVE
    world.advance(31 * 60, step_s=60)
    assert world.grant(id_).state is GrantState.ENDED
    assert world.review(id_).state is ReviewState.OWED


def test_who_takes_it_back_bars_whoever_opened_it_and_no_pipeline() -> None:
    world = Emergency(opens(gives=role_target()))
    id_ = given(world)
    assert isinstance(end(world.ctx, id_, account(OLU), "no emergency", world.press_id()), Outcome)
    assert world.barred() is not None
    pipeline = world.request(id_).requester
    assert world.barred(pipeline) is None


def test_a_pipeline_has_not_moved() -> None:
    world = Emergency(opens(gives=role_target()))
    id_ = given(world)
    groups = world.directory.groups(world.policy.policy, ("oncall", "platform"))
    assert has_moved(world.policy.policy, world.grant(id_), groups) is False


def test_for_longer_than_an_emergency_lasts_nothing_is_given() -> None:
    glass = replace(GLASS, max_duration=timedelta(minutes=5))
    world = Emergency(opens(glass, gives=role_target()))
    id_ = world.waits()
    world.presses(id_)
    world.work()
    assert isinstance(world.state(id_), NotGiven)


# ---------------------------------------------------------------- what auditors read


def test_what_was_opened_stands_in_the_access_review_with_how_its_review_stands() -> None:
    world = Emergency()
    id_ = world.breaks()
    world.advance(1)
    found = report_between(world.ctx, NOW - HOUR, world.clock.now())
    assert found.opened == [id_]
    assert [break_glass_words(one) for one in found.report.break_glass] == [
        f"{id_}: Nia, gate deploy in payments-prod, 21 Nov 2026; the review is owed"
    ]
    world.acknowledges(id_)
    again = report_between(world.ctx, NOW - HOUR, world.clock.now())
    (one,) = again.report.break_glass
    assert (one.state, one.reviewer) == (ReviewState.ACKNOWLEDGED, "Olu")
    # Nobody had access by it.
    assert (again.rows, again.report.sums.break_glass) == ([], 0)


def test_who_opened_it_and_why_can_be_erased() -> None:
    world = Emergency()
    id_ = world.breaks()
    request = world.request(id_)
    whom = Whom(
        NIA, PersonId("erased:1"), frozenset({Address(NIA)}), frozenset({account(NIA)}), names=frozenset({"Nia"})
    )
    found = scrubbed(request, whom)
    assert found.gate is not None
    assert found.gate.emergency is not None
    assert (found.gate.emergency.by, found.gate.emergency.by_name, found.gate.emergency.reason) == (
        "erased:1",
        NAME,
        WORDS,
    )
    assert found.decision is not None
    assert found.decision.by_names == (NAME,)
    assert NIA not in repr(found)
