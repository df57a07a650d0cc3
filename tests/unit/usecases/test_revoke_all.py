"""The panic switch: everything of a person or in an environment is taken back, verified, and kept away for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.messages.revoke_all import RevocationScope as PanicAim
from bot.chat.messages.revoke_all import confirm_first, progress, read_pressed
from bot.chat.outbox.plans.revoke_all import revoke_all_planned
from bot.chat.plain_text import as_text
from bot.chat.views.read_model import Reader
from bot.slack.render import blocks_of
from tests.support.build import DANA, GUS, NIA, OLU, SUE, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.people import PersonId
from workflows.core.policy import Visibility
from workflows.core.records.grant import GrantState
from workflows.core.records.oversight import BulkRevocation
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.usecases.decisions.approve import approve
from workflows.usecases.revocation.revoke_all import EffectiveScope, RevocationScope, carry_out_revocation, revoke_all
from workflows.usecases.shared.context import Outcome

ELSEWHERE = "shop-prod"


@pytest.fixture
def world() -> World:
    roles = [entitlement("read-only"), entitlement("deploy")]
    other = environment(
        *(replace(role, environment=ELSEWHERE, owners=("security",), account="999900001111") for role in roles),
        name=ELSEWHERE,
        owners=("security",),
    )
    return World(policy(environment(*roles), other, panic_group="security"))


def pull(world: World, who: PersonId, *, of: PersonId | None = None, place: str | None = None) -> Outcome | Refused:
    world.knows(who)
    scope = RevocationScope(of, "Dana Dev" if of else "", place)
    return revoke_all(world.ctx, scope, account(who), "stolen laptop", world.press_id())


def bulk_revocation(world: World, done: Outcome | Refused) -> BulkRevocation:
    assert isinstance(done, Outcome), done
    found = world.ledger.read(keys.bulk_revocation(done.id)).get(keys.bulk_revocation(done.id), BulkRevocation)
    assert found is not None
    return found


def code(answer: Outcome | Refused) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


def test_security_takes_back_everything_of_a_person_and_it_is_verified_gone(world):
    active, waiting = world.active(), world.asked(role="deploy")
    other = world.active(NIA)
    pulled = pull(world, SUE, of=DANA)
    world.work()
    world.advance(3)
    assert world.grant(active).state is GrantState.REVOKED
    assert not world.has_access(active)
    assert world.request(waiting).state is RequestState.DENIED
    assert world.has_access(other), "nobody else loses anything"
    after = bulk_revocation(world, pulled)
    assert after.finished_at is not None
    assert set(after.taken) == {active, waiting}
    assert world.events(f"sweepout-{after.id}") == ["sweepout.started", "sweepout.finished"]


def test_an_owner_reaches_only_their_own_environments(world):
    here, there = world.active(), world.asked(environment=ELSEWHERE)
    world.approve(there, SUE)
    world.work()
    pulled = pull(world, OLU, of=DANA)
    world.work()
    world.advance(3)
    assert not world.has_access(here)
    assert world.has_access(there)
    assert bulk_revocation(world, pulled).blocked_until is None, "an owner does not keep anybody out elsewhere"
    assert isinstance(world.ask(), Outcome)


def test_an_environment_is_emptied_and_others_stay_as_they_are(world):
    first, second = world.active(), world.active(NIA)
    pull(world, OLU, place="payments-prod")
    world.work()
    world.advance(3)
    assert not world.has_access(first)
    assert not world.has_access(second)


@pytest.mark.parametrize("who", [DANA, NIA, GUS])
def test_whoever_owns_nothing_takes_nothing_back(world, who):
    id_ = world.active()
    assert code(pull(world, who, of=DANA)) in {Code.NOT_YOURS, Code.PERSON_GUEST}
    assert code(pull(world, who, place="payments-prod")) in {Code.NOT_YOURS, Code.PERSON_GUEST}
    world.work()
    assert world.has_access(id_)


def test_an_owner_cannot_empty_what_others_own(world):
    assert code(pull(world, OLU, place=ELSEWHERE)) is Code.NOT_YOURS


def test_a_reason_is_needed_and_something_to_take_back(world):
    world.knows(OLU)
    assert (
        code(revoke_all(world.ctx, RevocationScope(environment="payments-prod"), account(OLU), " ", "p"))
        is Code.REASON_MISSING
    )
    assert code(pull(world, OLU, place="payments-prod")) is Code.NOTHING_TO_REVOKE


def test_new_asks_are_kept_out_for_an_hour_even_where_nothing_was_open(world):
    pulled = pull(world, SUE, of=DANA)
    assert code(world.ask()) is Code.PERSON_BLOCKED
    world.work()
    world.advance(2)
    assert bulk_revocation(world, pulled).finished_at is not None
    world.clock.advance(timedelta(hours=1).total_seconds())
    assert isinstance(world.ask(), Outcome)


def test_access_that_is_still_being_set_up_is_taken_back(world):
    id_ = world.asked()
    world.approve(id_)
    assert world.grant(id_).state is GrantState.ACTIVATING
    pull(world, SUE, of=DANA)
    world.work()
    world.advance(120)
    assert world.grant(id_).state is GrantState.REVOKED
    assert not world.has_access(id_)


def test_an_approval_that_was_quicker_than_the_sweep_is_caught_by_the_next_look(world):
    id_ = world.asked()
    pulled = pull(world, SUE, of=DANA)
    world.knows(OLU)
    # The worker has not come to it yet, and the owner presses.
    assert isinstance(approve(world.ctx, id_, account(OLU), "quick"), Outcome)
    world.work()
    world.advance(120)
    assert world.grant(id_).state is GrantState.REVOKED
    assert not world.has_access(id_)
    assert bulk_revocation(world, pulled).finished_at is not None


def test_a_second_press_of_the_same_button_is_the_same_press(world):
    world.active()
    world.knows(SUE)
    first = revoke_all(world.ctx, RevocationScope(DANA, "Dana"), account(SUE), "stolen", "same")
    again = revoke_all(world.ctx, RevocationScope(DANA, "Dana"), account(SUE), "stolen", "same")
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (again.id, again.outcome) == (first.id, "sweeping")
    assert [entry.event for entry in world.all_entries()].count(Event.BULK_REVOCATION_STARTED) == 1


def test_it_is_finished_only_when_every_removal_is_verified(world):
    id_ = world.active()
    pulled = pull(world, SUE, of=DANA)
    assert isinstance(pulled, Outcome)
    carry_out_revocation(world.ctx, pulled.id)
    carry_out_revocation(world.ctx, pulled.id)
    assert world.grant(id_).state is GrantState.REVOKING
    assert bulk_revocation(world, pulled).finished_at is None
    world.work()
    world.advance(3)
    assert bulk_revocation(world, pulled).finished_at is not None


# ---------------------------------------------------------------- what is told


def test_the_question_shows_what_would_go_and_carries_whom_and_why(world):
    id_ = world.active()
    views = Reader(world.ctx).some((id_,), world.policy.policy)
    scope = PanicAim(DANA, "Dana Dev")
    message = confirm_first(scope, EffectiveScope(None, timedelta(hours=1)), views, "stolen laptop")
    text = as_text(message)
    for words in ("Revoke everything of Dana Dev?", "1 thing would be revoked", "read-only", "1 h", "stolen laptop"):
        assert words in text
    (actions,) = [block for block in blocks_of(message) if block["type"] == "actions"]
    button, _cancel = actions["elements"]
    pressed = read_pressed(button["value"])
    assert pressed is not None
    assert (pressed.scope, pressed.reason) == (scope, "stolen laptop")
    assert "confirm" in button


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"p": "a@b", "n": "", "e": "shop", "r": ""}', "PA-1 abc"])
def test_a_button_that_is_not_ours_means_nothing(value):
    assert read_pressed(value) is None


def test_one_message_fills_up_until_all_is_gone(world):
    id_ = world.active()
    pulled = pull(world, SUE, of=DANA)
    assert isinstance(pulled, Outcome)

    def told() -> str:
        now = bulk_revocation(world, pulled)
        views = Reader(world.ctx).some(now.taken, world.policy.policy)
        return as_text(progress(now, views, "/prodaccess", panic_group="security"))

    assert "looking for what is open" in told()
    carry_out_revocation(world.ctx, pulled.id)
    assert "0 of 1 gone · 1 being removed" in told()
    world.work()
    world.advance(3)
    assert "All gone, verified at" in told()
    assert f"/prodaccess lift {DANA} REASON" in told()
    assert world.grant(id_).end.reason == "stolen laptop"


def test_the_receipts_channel_reads_nothing_of_a_hidden_environment(world):
    hidden = replace(world.policy.policy.environments["payments-prod"], visibility=Visibility.MEMBERS)
    world.policy.policy = replace(world.policy.policy, environments={"payments-prod": hidden})
    world.activate()
    world.active()
    pulled = pull(world, SUE, place="payments-prod")
    assert isinstance(pulled, Outcome)
    carry_out_revocation(world.ctx, pulled.id)
    now = bulk_revocation(world, pulled)
    channel, mine = revoke_all_planned(
        now, Reader(world.ctx).some(now.taken, world.policy.policy), world.policy.policy, "/p"
    )
    assert "stolen laptop" not in str(channel.message)
    assert "stolen laptop" in str(mine.message)
