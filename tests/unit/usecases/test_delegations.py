"""A delegate decides in an absent owner's right: never twice, never for either of them, and for no longer than was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.messages.approval_card import approval_card
from bot.chat.outbox.plans.delegation import delegation_planned
from bot.chat.plain_text import as_text
from bot.chat.views.request_view import StandIn
from tests.support.build import DANA, GUS, HOUR, NIA, OLU, PAT, SUE, entitlement, environment, facts, policy
from tests.support.views import every_state
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ports import Change
from workflows.usecases.oversight.delegate import delegate, delegation_of, end_delegation
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome

DAY = timedelta(days=1)


def hand_over(world: World, who: PersonId = OLU, to: PersonId = NIA, days: float = 3.0) -> Outcome | Refused:
    world.knows(who, to)
    facts = world.directory.person(account(to))
    assert facts is not None
    return delegate(world.ctx, account(who), facts, world.clock.now() + days * DAY, world.press_id())


def take_back(world: World, who: PersonId = OLU) -> Outcome | Refused:
    world.knows(who)
    return end_delegation(world.ctx, account(who), world.press_id())


def two() -> Policy:
    return policy(environment(entitlement(approve={"owners": 2})))


def refused(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


@pytest.fixture
def world() -> World:
    return World()


# ---------------------------------------------------------------- what a delegate may do


def test_a_delegate_approves_in_the_right_of_whoever_is_away(world: World):
    id_ = world.asked()
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER
    assert isinstance(hand_over(world), Outcome)
    assert isinstance(world.approve(id_, NIA), Outcome)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE
    (vote,) = world.request(id_).votes
    assert (vote.by, vote.for_, vote.said_by) == (NIA, (OLU,), "Nia for Olu")
    assert world.grant(id_).decision.by_names == ("Nia for Olu",)


def test_the_record_says_in_whose_place_it_was_decided(world: World):
    id_ = world.asked()
    hand_over(world)
    world.approve(id_, NIA)
    (entry,) = [item for item in world.ledger.entries_of(id_) if item.event == "request.approved"]
    assert (entry.facts["delegated"], entry.private["for"], entry.private["for_name"]) == ("yes", OLU, "Olu")
    assert [item.event.value for item in world.ledger.entries_of("person")].count("delegation.set") == 1


def test_a_delegate_denies_as_well(world: World):
    id_ = world.asked()
    hand_over(world)
    assert isinstance(world.deny(id_, NIA), Outcome)


def test_whoever_is_away_may_still_decide(world: World):
    id_ = world.asked()
    hand_over(world)
    assert isinstance(world.approve(id_, OLU), Outcome)


# ---------------------------------------------------------------- nobody approves their own access


def test_nobody_approves_their_own_access_through_a_delegate(world: World):
    """The delegator asked: whoever stands in for them has no right but theirs."""
    hand_over(world, OLU, NIA)
    id_ = world.asked(OLU)
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_nobody_approves_their_own_access_as_a_delegate(world: World):
    hand_over(world, OLU, DANA)
    id_ = world.asked(DANA)
    assert refused(world.approve(id_, DANA)) is Code.OWN_REQUEST


def test_a_delegation_does_not_help_the_holder_of_what_somebody_else_asked(world: World):
    for away, to, who in ((OLU, NIA, NIA), (OLU, SUE, SUE)):
        fresh = World()
        id_ = fresh.asked()
        item = keys.request(id_)
        snapshot = fresh.ledger.read(item)
        held = replace(fresh.request(id_), holder=away if who == SUE else to)
        fresh.ledger.commit(Change("hold", snapshot.now, snapshot.versions(), puts={item: held}))
        hand_over(fresh, away, to)
        assert refused(fresh.approve(id_, who)) in (Code.NOT_AN_APPROVER, Code.OWN_REQUEST)


# ---------------------------------------------------------------- one person, one place


def test_a_delegates_delegate_counts_for_nothing(world: World):
    id_ = world.asked()
    hand_over(world, OLU, PAT)
    hand_over(world, PAT, SUE)
    hand_over(world, OLU, PAT)
    # Pat's own right is with Sue; Olu's is with Pat and goes no further.
    assert isinstance(world.approve(id_, SUE), Outcome)
    (vote,) = world.request(id_).votes
    assert vote.for_ == (PAT,)


def test_there_are_no_chains():
    world = World(two())
    id_ = world.asked()
    hand_over(world, OLU, NIA)
    # Nia owns nothing, so there is nothing that she could hand on.
    assert refused(hand_over(world, NIA, SUE)) is Code.DELEGATE_NOT_AN_OWNER
    assert refused(world.approve(id_, SUE)) is Code.NOT_AN_APPROVER


def test_one_right_fills_one_place_whoever_uses_it():
    world = World(two())
    id_ = world.asked()
    hand_over(world, OLU, NIA)
    assert world.approve(id_, NIA).outcome == "agreed"
    # Olu is back: the right is used by its owner now, and not twice.
    assert world.approve(id_, OLU).outcome == "agreed"
    assert [vote.by for vote in world.request(id_).votes] == [OLU]
    assert world.approve(id_, PAT).outcome == "approved"


def test_whoever_has_decided_needs_nobody_to_speak_for_them():
    world = World(two())
    id_ = world.asked()
    hand_over(world, OLU, NIA)
    assert world.approve(id_, OLU).outcome == "agreed"
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_the_delegate_of_two_is_one_person():
    world = World(two())
    id_ = world.asked()
    hand_over(world, OLU, NIA)
    hand_over(world, PAT, NIA)
    assert world.approve(id_, NIA).outcome == "agreed"
    assert refused(world.approve(id_, NIA)) is Code.ALREADY_VOTED


def test_an_owner_who_is_a_delegate_too_is_one_person():
    world = World(two())
    id_ = world.asked()
    hand_over(world, OLU, PAT)
    assert world.approve(id_, PAT).outcome == "agreed"
    (vote,) = world.request(id_).votes
    assert vote.for_ == ()


# ---------------------------------------------------------------- how it ends


def test_it_ends_by_itself_on_the_day_that_was_named(world: World):
    id_ = world.asked()
    hand_over(world, days=0.01)
    world.clock.advance(20 * 60)
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_a_vote_stands_when_the_delegation_behind_it_has_run_out():
    world = World(two())
    id_ = world.asked()
    hand_over(world, days=0.01)
    assert world.approve(id_, NIA).outcome == "agreed"
    world.clock.advance(20 * 60)
    assert world.approve(id_, PAT).outcome == "approved"
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_it_ends_when_they_say_so_and_what_was_agreed_under_it_counts_no_more():
    world = World(two())
    id_ = world.asked()
    hand_over(world)
    assert world.approve(id_, NIA).outcome == "agreed"
    assert isinstance(take_back(world), Outcome)
    assert world.approve(id_, PAT).outcome == "agreed"
    assert refused(take_back(world)) is Code.DELEGATE_NONE
    assert [entry.event.value for entry in world.ledger.entries_of("person")].count("delegation.ended") == 1


def test_what_is_taken_back_before_anything_was_given_is_not_given(world: World):
    id_ = world.asked()
    hand_over(world)
    assert isinstance(world.approve(id_, NIA), Outcome)
    take_back(world)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert not world.has_access(id_)


def test_a_delegation_that_ends_while_the_delegate_presses_counts_for_nothing(world: World):
    id_ = world.asked()
    hand_over(world)
    commit = world.ledger.commit

    def interrupted(change):
        if change.commit_id == "race":
            world.ledger.commit = commit
            take_back(world)
        return commit(change)

    world.ledger.commit = interrupted
    assert refused(world.approve(id_, NIA, press="race")) is Code.NOT_AN_APPROVER


def test_nobody_takes_the_place_of_somebody_who_has_left(world: World):
    id_ = world.asked()
    hand_over(world)
    world.chat.people[account(OLU)] = replace(world.chat.people[account(OLU)], standing_problem="person_deactivated")
    world.knows(OLU)
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_nobody_takes_the_place_of_somebody_whose_rights_are_on_hold(world: World):
    id_ = world.asked()
    hand_over(world)
    world.chat.people[account(OLU)] = replace(world.chat.people[account(OLU)], address=Address("olu.o@example.com"))
    world.knows(OLU)
    assert refused(world.approve(id_, NIA)) is Code.NOT_AN_APPROVER


def test_a_delegate_who_has_become_a_guest_decides_nothing(world: World):
    id_ = world.asked()
    hand_over(world)
    world.chat.people[account(NIA)] = replace(world.chat.people[account(NIA)], standing_problem="person_guest")
    assert refused(world.approve(id_, NIA)) is Code.PERSON_GUEST


# ---------------------------------------------------------------- who may name whom


def test_only_who_approves_something_has_anything_to_hand_over(world: World):
    assert refused(hand_over(world, DANA, NIA)) is Code.DELEGATE_NOT_AN_OWNER


def test_nobody_hands_over_to_themselves(world: World):
    assert refused(hand_over(world, OLU, OLU)) is Code.DELEGATE_YOURSELF


def test_a_guest_is_nobodys_delegate(world: World):
    world.chat.people[account(GUS)] = replace(world.chat.people[account(GUS)], standing_problem="person_guest")
    assert refused(hand_over(world, OLU, GUS)) is Code.DELEGATE_UNFIT


@pytest.mark.parametrize(
    ("days", "code"), [(-1, Code.DELEGATE_PAST), (0, Code.DELEGATE_PAST), (31, Code.DELEGATE_TOO_LONG)]
)
def test_it_lasts_thirty_days_at_most(world: World, days: int, code: Code):
    assert refused(hand_over(world, days=days)) is code
    assert isinstance(hand_over(world, days=30), Outcome)


def test_an_ask_still_needs_somebody_with_a_right_of_their_own():
    """A delegate adds no person: of two owners, one of whom asks, two can never agree."""
    world = World(two())
    hand_over(world, OLU, NIA)
    world.knows(PAT)
    ask = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")
    answer = ask_for_access(world.ctx, ask, account(PAT), Origin(), world.press_id())
    assert refused(answer) is Code.NOBODY_CAN_APPROVE


# ---------------------------------------------------------------- who hears of it


def due(world: World, what: str) -> bool:
    """Whether chat has it to show."""
    return keys.chat(what) in world.ledger.due


def shown(world: World) -> None:
    """All that was to be shown has been."""
    for item in [item for item in world.ledger.due if item.startswith("chat:")]:
        del world.ledger.due[item]


def told_to(world: World, record: ChatRecord, away: PersonId = OLU, to: PersonId = NIA) -> dict[str, str]:
    found = delegation_of(world.ctx, facts(away))
    theirs = found if found and found.to_slack == account(to) else None
    user, name = account(to).user, facts(away).name
    wanted = delegation_planned(record, user, name, theirs, world.clock.now(), "/prodaccess")
    return {item.slot: as_text(item.message) for item in wanted}


def sent(told: dict[str, str], user: str = "UNIA") -> ChatRecord:
    return ChatRecord("x", {slot: Posting(user, ts="1.0", shown="once") for slot in told})


def test_the_delegate_hears_that_it_is_over_and_cards_call_them_no_more(world: World):
    id_ = world.asked()
    hand_over(world)
    begun = told_to(world, ChatRecord("x"))
    assert [text.startswith("Olu named you: you decide in their place until") for text in begun.values()] == [True]
    shown(world)
    take_back(world)
    assert due(world, f"delegation-UNIA-{OLU}")
    assert due(world, id_)
    (first,) = begun
    after = told_to(world, sent(begun))
    assert after[first] == "You decided in the place of Olu, who does it themselves again."
    assert after[f"ended:{first}"].startswith("Olu decides themselves again: you do it in their place no more.")


def test_another_delegate_is_news_to_the_first(world: World):
    hand_over(world)
    begun = told_to(world, ChatRecord("x"))
    shown(world)
    hand_over(world, OLU, SUE)
    assert due(world, f"delegation-UNIA-{OLU}")
    assert due(world, f"delegation-USUE-{OLU}")
    assert any(text.startswith("Olu decides themselves again") for text in told_to(world, sent(begun)).values())
    assert len(told_to(world, ChatRecord("x"), to=SUE)) == 1


def test_another_day_is_said_on_the_first_message_too(world: World):
    hand_over(world, days=1)
    begun = told_to(world, ChatRecord("x"))
    hand_over(world, days=3)
    after = told_to(world, sent(begun))
    assert len(after) == 2
    assert set(after.values()) == {after[next(iter(begun))]}


def test_what_ran_out_by_itself_is_left_as_it_was_said(world: World):
    hand_over(world, days=0.01)
    begun = told_to(world, ChatRecord("x"))
    world.clock.advance(20 * 60)
    assert told_to(world, sent(begun)) == {}
    hand_over(world)
    assert next(iter(begun)) not in told_to(world, sent(begun))


def test_a_card_says_who_decides_for_whom_and_nothing_of_where_they_are():
    view = every_state()["pending"]
    named = replace(view, stand_ins=(StandIn("Nia", "Olu", view.now + DAY),))
    assert "Nia decides for Olu until 22 Nov, 03:12 UTC" in as_text(approval_card(named))
