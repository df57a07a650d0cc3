"""What can still be done has a button: taken back, asked again, more time, set up once, a note, a way out of the panic switch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.actions.reply import Reply
from bot.chat.interaction import ACKNOWLEDGE, COMMAND, PRESS
from bot.chat.message import SAID_LENGTH_MAX, Button, Buttons, Line, Menu, Message, said_of
from bot.chat.messages import approval_card as cards
from bot.chat.messages import break_glass, notices, revoke_all
from bot.chat.plain_text import as_text
from bot.slack.render import blocks_of
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, SUE
from tests.support.every_scene import rules
from tests.support.scenes_of_refusals import with_role
from tests.support.spoken import Listener
from tests.support.views import every_state
from tests.support.world import World
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.policy import Group
from workflows.core.records.oversight import Review

STATES = every_state()
CHANNEL, DIRECT = "C0OPS", "D0DANA"


@pytest.fixture
def t() -> Listener:
    heard = Listener(World(rules()))
    heard.time_passed()
    return heard


def acts(t: Listener, who: PersonId, kind: str, **what: Any) -> Reply:
    return t._acts(who, kind, **what)


def pressed_in(message: Message) -> list[Button]:
    found = [item for part in message.parts if isinstance(part, Buttons) for item in part.elements]
    found += [part.button for part in message.parts if isinstance(part, Line) and part.button]
    return [item for item in found if isinstance(item, Button)]


def labels(message: Message) -> list[str]:
    return [one.label for one in pressed_in(message)]


# ---------------------------------------------------------------- taken back, asked again, more time


def test_an_ask_is_taken_back_from_the_answer_to_it(t: Listener) -> None:
    t.dry = t.real
    answer = acts(t, DANA, COMMAND, text="payments-prod read-only 1h INC-42 errors").message
    assert answer is not None
    assert labels(answer) == ["Take back"]


def test_the_answer_that_nobody_keeps_current_says_that_it_was_taken_back(t: Listener) -> None:
    id_ = t.world.asked()
    beside = acts(t, DANA, PRESS, action=cards.WITHDRAW, value=id_, channel=CHANNEL)
    assert beside.replaces
    assert beside.message is not None
    assert as_text(beside.message) == f"↩︎ You took back {id_}."
    for kept in (DIRECT, ""):
        assert acts(t, DANA, PRESS, action=cards.WITHDRAW, value=id_, channel=kept) == Reply()


@pytest.mark.parametrize("name", ["denied", "expired", "ended"])
def test_what_is_over_can_be_asked_for_again(name: str) -> None:
    assert labels(cards.approval_card(STATES[name])) == ["Ask again"]
    assert labels(notices.outcome(STATES[name])) == ["Ask again"]
    assert labels(cards.approval_card(STATES[name], to_owner=True)) == []


def test_a_second_ask_offers_what_can_be_done_with_the_first() -> None:
    assert labels(notices.have_it(STATES["pending"], STATES["pending"].requester_id)) == ["Take back"]
    assert labels(notices.have_it(STATES["active"], STATES["active"].holder_id)) == ["Extend"]
    assert labels(notices.have_it(STATES["pending"], OLU)) == []


# ---------------------------------------------------------------- in, for the first time


def test_the_holder_reads_one_line_to_type_and_the_rest_when_asking_for_it(t: Listener) -> None:
    active = notices.active(STATES["active"])
    assert labels(active) == ["Open console", "I am done", "Extend", "First time?"]
    text = as_text(active)
    assert text.count("aws ") == 1
    assert "aws sso login --profile payments-prod-read-only" in text
    first = as_text(notices.first_time(STATES["active"]))
    assert first.count("aws configure set") == 5
    assert "Then, each time: `aws sso login --profile payments-prod-read-only`" in first


def test_only_who_has_it_reads_how_to_set_it_up(t: Listener) -> None:
    id_ = t.world.active()
    t.time_passed()
    told = acts(t, DANA, PRESS, action=notices.FIRST_TIME, value=id_)
    assert told.message is not None
    assert told.refused is None
    assert acts(t, NIA, PRESS, action=notices.FIRST_TIME, value=id_).refused is not None


# ---------------------------------------------------------------- a note, a way out


def test_a_review_is_acknowledged_with_a_note_or_without() -> None:
    notes = {}
    for note in ("", " well  done "):
        world = World(rules())
        heard = Listener(world)
        heard.dry = heard.real
        heard.time_passed()
        heard.really(NIA, "break-glass payments-prod read-only INC-42 all is down")
        world.work()
        (id_,) = (name.partition(":")[2] for name in world.ledger.records("request"))
        heard.time_passed()
        reply = acts(heard, OLU, ACKNOWLEDGE, fields={"id": id_, "reason": note})
        assert reply.refused is None
        found = world.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
        assert found is not None
        notes[note] = found.note
    assert notes == {"": None, " well  done ": "well done"}


def test_the_panic_switch_can_be_left_alone(t: Listener) -> None:
    t.world.active()
    t.time_passed()
    question = acts(t, SUE, COMMAND, text="revoke-all person <@UDANA|dana> laptop stolen").message
    assert question is not None
    assert labels(question) == ["Revoke all", "Cancel"]
    reply = acts(t, SUE, PRESS, action=revoke_all.CANCEL, value="panic")
    assert reply.replaces
    assert reply.message is not None
    assert as_text(reply.message) == "Cancelled: nothing was revoked."


# ---------------------------------------------------------------- what a screen reader says


@pytest.mark.parametrize("name", list(STATES))
def test_every_button_says_what_it_is_about(name: str) -> None:
    view = STATES[name]
    for message in (
        cards.approval_card(view),
        break_glass.break_glass_card(view),
        notices.asked(view),
        notices.active(view),
        notices.ending(view),
    ):
        for one in pressed_in(message):
            assert one.said is not None, one.label
            assert one.said.endswith(f", {view.id}"), one.said


def test_a_label_for_a_screen_reader_is_cut_and_keeps_its_id() -> None:
    button = cards.deny_button(STATES["pending, dangerous"])
    assert button.said == "Deny admin for Dana Dev, PA-1042"
    long = said_of("Approve " + "x" * 200, "PA-1042")
    assert len(long) == SAID_LENGTH_MAX
    assert long.endswith("…, PA-1042")
    drawn = blocks_of(cards.approval_card(STATES["pending"]))
    (actions,) = [block for block in drawn if block["type"] == "actions"]
    assert actions["elements"][0]["accessibility_label"] == "Approve read-only for Dana Dev, PA-1042"


# ---------------------------------------------------------------- nothing is offered that will be refused


def card_of(t: Listener, id_: str) -> Message:
    """As it stands in the channel."""
    (card,) = [said.message for said in t.posted(id_) if said.what.startswith(f"{id_} card:")]
    assert isinstance(card, Message)
    return card


def menu_of(message: Message) -> list[str]:
    found = [item for part in message.parts if isinstance(part, Buttons) for item in part.elements]
    return [value.partition(":")[0] for item in found if isinstance(item, Menu) for _, value in item.options]


def changed(t: Listener, **changes: Any) -> None:
    policy = t.world.policy.policy
    role = policy.environments["payments-prod"].roles["read-only"]
    t.world.policy.policy = with_role(policy, replace(role, **changes))


def test_less_is_offered_only_where_there_is_less(t: Listener) -> None:
    most, least = t.world.asked(), t.world.asked(NIA, duration=30 * MINUTE)
    assert menu_of(card_of(t, most)) == ["less", "explain"]
    assert menu_of(card_of(t, least)) == ["explain"]


def test_what_is_longer_than_allowed_by_now_is_offered_for_less_alone(t: Listener) -> None:
    id_ = t.world.asked()
    assert labels(card_of(t, id_)) == ["Approve", "Deny"]
    changed(t, max_duration=30 * MINUTE, durations=(30 * MINUTE,))
    card = card_of(t, id_)
    assert labels(card) == ["Deny"]
    assert menu_of(card) == ["less", "explain"]
    assert "by now the policy gives it for 30 min at most: it can be approved for less" in as_text(card)


def test_what_who_asked_may_not_ask_for_any_more_is_only_denied(t: Listener) -> None:
    id_ = t.world.asked()
    groups = {**t.world.policy.policy.groups, "developers": Group("developers", members=frozenset({NIA}))}
    t.world.policy.policy = replace(t.world.policy.policy, groups=groups)
    card = card_of(t, id_)
    assert labels(card) == ["Deny"]
    assert menu_of(card) == ["explain"]
    assert "Dana may no longer ask for this: cannot be approved" in as_text(card)


@pytest.mark.parametrize("changes", [{"account": "999988887777"}, {"max_total": HOUR}])
def test_more_time_is_not_offered_where_the_policy_gives_none(t: Listener, changes: dict[str, Any]) -> None:
    id_ = t.world.active()
    assert labels(card_of(t, id_)) == ["End early", "Extend"]
    changed(t, **changes)
    assert labels(card_of(t, id_)) == ["End early"]
