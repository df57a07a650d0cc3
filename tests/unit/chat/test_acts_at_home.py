"""What is pressed on a home is decided at the press, whatever the page shows; and what it opens is carried out as shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import Reply
from bot.chat.actions.sent_forms import SENT, Sent
from bot.chat.form import Filled, Form, Value
from bot.chat.interaction import PRESS, Interaction
from bot.chat.messages.home import home
from bot.chat.messages.home_oversight import BREAK_GLASS, CONFIRM, END_DELEGATION, LIFT
from bot.chat.plain_text import as_text, parts_as_text, text_of
from bot.sandbox.slack.blockkit.limits import check_view
from bot.slack.form_view import view_of as drawn
from tests.support import build, homes
from tests.support.build import DANA, HOUR, NIA, NOW, OLU, PAT, SUE
from tests.support.homes import view_of
from tests.support.memory_chat import MemoryChat
from tests.support.people import acts, gets_address
from tests.support.scenes import rules
from tests.support.slack_text import view_as_text
from tests.support.spoken import Listener
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code
from workflows.ports import Change
from workflows.usecases.upkeep.mend_indexes import list_kept_out, make_again


class Door(MemoryChat):
    """A chat that notes what it opens, and whether on top of what is open."""

    opened: list[tuple[Form, bool]]

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:
        super().open_form(trigger, form, on_top=on_top)
        self.opened.append((form, on_top))


class Rig(World):
    """People at their homes, as a chat has them."""

    def __init__(self) -> None:
        super().__init__(rules())
        self.door = Door(self.clock.now)
        self.door.opened = []
        self.does = Dispatcher(self.ctx, "/prodaccess")
        self.forms = FormOpener(self.does, self.door, cast(Any, self.chat))

    def page(self, who: PersonId) -> str:
        return parts_as_text(home(view_of(self, who)))

    def press(self, who: PersonId, action: str, value: str = "") -> Reply:
        return self.does.carry_out(self._act(who, action, value))

    def _act(self, who: PersonId, action: str, value: str) -> Interaction:
        self.knows(who)
        return Interaction(self.press_id(), PRESS, account(who), action=action, value=value)

    def opens(self, who: PersonId, action: str, value: str) -> Form | None:
        """The form; None where its reader was told why there is none."""
        act = self._act(who, action, value)
        found = handler(act)
        opener = found.opens(self.forms, act) if found else None
        assert opener is not None
        trigger = f"t{len(self.door.triggers)}"
        self.door.triggers.add(trigger)
        self.door.opened.clear()
        opener(self.forms, act, trigger, Filled("", "", ()))
        return self.door.opened[-1][0] if self.door.opened else None

    def sends(self, who: PersonId, form: Form, **given: str) -> Reply:
        check_view(drawn(form), "modal")
        values = tuple(Value(name, text=text, chosen=(text,)) for name, text in given.items())
        brought = SENT[form.kind].read(Filled(form.kind, form.carries, values))
        assert isinstance(brought, Sent)
        self.knows(who)
        act = Interaction(self.press_id(), SENT[form.kind].act, account(who), fields=brought.fields)
        return self.does.carry_out(act)

    @property
    def told(self) -> str:
        return text_of(self.door.answered[-1][1].summary)

    def listed(self) -> list[str]:
        return list(self.ledger.members(keys.BARRED))


@pytest.fixture
def rig() -> Rig:
    return Rig()


# ---------------------------------------------------------------- a delegation


def test_a_delegation_is_ended_on_the_page_and_a_page_that_is_old_gets_one_sentence(rig: Rig) -> None:
    homes.hand_over(rig)
    assert "Nia decides in your place" in rig.page(OLU)
    assert rig.press(OLU, END_DELEGATION).message is None
    assert "in your place" not in rig.page(OLU)
    again = rig.press(OLU, END_DELEGATION)
    assert again.refused is not None
    assert (again.refused.code, as_text(again.message).count("\n")) == (Code.DELEGATE_NONE, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("channel", "is_drawn"), [("", True), ("C0PAYMENTS", False)])
def test_what_a_worker_decides_draws_the_page_anew_where_it_was_pressed_there(
    rig: Rig, channel: str, *, is_drawn: bool
) -> None:
    homes.hand_over(rig)
    woken: list[str] = []
    ctx = replace(rig.ctx, wake=lambda *items: woken.extend(items))
    act = Interaction("pressed", PRESS, account(OLU), action=END_DELEGATION, channel=channel)
    defer(ctx, act)
    (item,) = [item for item in rig.ledger.due if item.startswith("press:")]
    worker = Deferred(ctx, Dispatcher(ctx, "/prodaccess"), cast(Any, rig.chat), rig.door, "/prodaccess")
    worker.decide(item.removeprefix("press:"))
    assert "in your place" not in rig.page(OLU)
    assert (keys.chat(keys.home(account(OLU))) in woken) is is_drawn


# ---------------------------------------------------------------- the panic switch


def test_an_owner_hears_how_far_the_switch_reached(rig: Rig) -> None:
    rig.active(DANA)
    rig.knows(OLU)
    value = json.dumps({"p": DANA, "n": "Dana", "e": None, "r": "laptop stolen"})
    assert "Everything of Dana in payments-prod is being" in as_text(rig.press(OLU, "revoke_all", value).message)  # type: ignore[arg-type]


# ---------------------------------------------------------------- whom security keeps out


def test_security_lifts_with_a_reason_and_the_person_may_break_the_glass_again(rig: Rig) -> None:
    homes.flagged(rig)
    form = rig.opens(SUE, LIFT, NIA)
    assert form is not None
    refused = rig.sends(SUE, form, reason=" ").refused
    assert refused is not None
    reply = rig.sends(SUE, form, reason="talked to her")
    assert "You lifted what kept Nia from asking or using break-glass" in as_text(reply.message)  # type: ignore[arg-type]
    assert "Nia cannot use break-glass" not in rig.page(SUE)
    assert "[ Break glass... ]" in rig.page(NIA)
    assert rig.opens(SUE, LIFT, NIA) is None
    assert "Nothing is blocked for Nia" in rig.told


@pytest.mark.parametrize("who", [DANA, OLU, NIA])
def test_who_is_not_of_security_lifts_nothing_whatever_their_page_showed(rig: Rig, who: PersonId) -> None:
    homes.flagged(rig)
    form = rig.opens(SUE, LIFT, NIA)
    assert form is not None
    assert rig.opens(who, LIFT, NIA) is None
    refused = rig.sends(who, form, reason="let her").refused
    assert refused is not None
    assert rig.listed() == [NIA]


def test_who_is_kept_out_of_emergencies_hears_so_before_a_form_is_filled_in(rig: Rig) -> None:
    assert rig.opens(NIA, "break_glass", "payments-prod") is not None
    homes.flagged(rig)
    assert rig.opens(NIA, "break_glass", "payments-prod") is None
    assert "You cannot use break-glass at the moment" in rig.told


def _flagged(rig: Rig) -> PersonId:
    homes.flagged(rig)
    return NIA


def _taken_back(rig: Rig) -> PersonId:
    rig.end(homes.break_it(rig), OLU, "not an emergency")
    return NIA


def _review_overdue(rig: Rig) -> PersonId:
    homes.break_it(rig)
    rig.clock.advance(25 * HOUR.total_seconds())
    rig.work()
    return NIA


def _everything_taken_back(rig: Rig) -> PersonId:
    homes.all_of(rig, DANA)
    return DANA


KEPT_OUT = (_flagged, _taken_back, _review_overdue, _everything_taken_back)


@pytest.mark.parametrize("happens", KEPT_OUT)
def test_whoever_is_kept_out_stands_on_the_list_until_it_is_lifted(rig: Rig, happens: Any) -> None:
    who = happens(rig)
    assert rig.listed() == [who]
    assert f"{build.facts(who).name} cannot use break-glass: " in rig.page(SUE)
    form = rig.opens(SUE, LIFT, who)
    assert form is not None
    rig.sends(SUE, form, reason="it was found")
    assert rig.listed() == []


def test_who_was_kept_out_by_a_version_without_the_list_is_listed_once(rig: Rig) -> None:
    item = keys.person(NIA)
    rig.knows(NIA)
    record = rig.ledger.read(item).get(item, PersonRecord)
    assert record is not None
    barred = replace(record, break_glass_barred="Olu flagged the break-glass PA-1")
    snapshot = rig.ledger.read(item)
    rig.ledger.commit(Change("by an earlier version", snapshot.now, snapshot.versions(), puts={item: barred}))
    assert rig.listed() == []
    list_kept_out(rig.ctx)
    assert rig.listed() == [NIA]
    before = rig.ledger.head()
    list_kept_out(rig.ctx)
    make_again(rig.ctx)
    assert (rig.listed(), rig.ledger.head()) == ([NIA], before)


# ---------------------------------------------------------------- accounts on hold


def on_hold(rig: Rig, who: PersonId) -> str:
    rig.knows(who)
    gets_address(rig, who, f"new.{who}")
    return acts(rig, account(who)).account


def test_an_account_on_hold_is_confirmed_with_a_reason(rig: Rig) -> None:
    held = on_hold(rig, DANA)
    form = rig.opens(SUE, CONFIRM, held)
    assert form is not None
    reply = rig.sends(SUE, form, whose="same", reason="saw her badge")
    assert "the same person's, and may act again" in as_text(reply.message)  # type: ignore[arg-type]
    assert "Confirm" not in rig.page(SUE)
    assert rig.opens(SUE, CONFIRM, held) is None
    assert "nothing to confirm" in rig.told


def test_where_it_takes_two_the_second_reads_what_the_first_has_said(rig: Rig) -> None:
    held = on_hold(rig, OLU)
    first = rig.opens(SUE, CONFIRM, held)
    assert first is not None
    assert "It takes two" in as_text(rig.sends(SUE, first, whose="same", reason="I called him").message)  # type: ignore[arg-type]
    assert "Sue says that it is the same person's: I called him." in rig.page(PAT)
    second = rig.opens(PAT, CONFIRM, held)
    assert second is not None
    assert "may act again" in as_text(rig.sends(PAT, second, whose="same", reason="so did I").message)  # type: ignore[arg-type]


def test_what_is_said_of_a_hold_that_is_another_by_now_counts_for_nothing(rig: Rig) -> None:
    held = on_hold(rig, DANA)
    form = rig.opens(SUE, CONFIRM, held)
    assert form is not None
    gets_address(rig, DANA, "dana.third@example.com")
    acts(rig, account(DANA))
    refused = rig.sends(SUE, form, whose="same", reason="saw her badge").refused
    assert refused is not None
    assert refused.code is Code.HOLD_CHANGED


@pytest.mark.parametrize("who", [DANA, OLU, NIA])
def test_who_is_not_of_security_is_told_before_they_type(rig: Rig, who: PersonId) -> None:
    held = on_hold(rig, DANA)
    assert rig.opens(who, CONFIRM, held) is None
    assert rig.door.answered


@pytest.mark.parametrize("carries", ["", "{}", "[]", "{", '{"a": 1, "h": 2}'])
def test_a_form_that_is_none_of_ours_says_nothing(carries: str) -> None:
    for kind, filled in (("confirm_form", (Value("whose", chosen=("same",)),)), ("lift_form", ())):
        assert SENT[kind].read(Filled(kind, carries if kind == "confirm_form" else "", filled)) is None


# ---------------------------------------------------------------- asking


def test_the_glass_is_broken_in_a_window_of_its_own(rig: Rig) -> None:
    """No other window stands open under it, as it does in the request form."""
    form = rig.opens(NIA, BREAK_GLASS, "payments-prod")
    assert form is not None
    assert [on_top for _, on_top in rig.door.opened] == [False]


def test_extending_and_ending_ones_own_start_from_the_page(rig: Rig) -> None:
    id_ = rig.active(DANA)
    assert rig.opens(DANA, "extend", id_) is not None
    assert rig.press(DANA, "end", id_).refused is None
    rig.work()
    over = rig.press(DANA, "end", id_)
    assert over.refused is not None
    assert over.refused.code is Code.GRANT_OVER
    assert rig.grant(id_).deadline > NOW


def test_a_page_is_drawn_for_whose_account_it_is_by_the_record() -> None:
    """The chat says an address, and an address is not a person."""
    t = Listener(World(rules()))
    t.world.active(DANA, reason="INC-7 nobody else's affair")
    t.world.knows(NIA)
    gets_address(t.world, NIA, "dana@example.com")
    t.sender.show(keys.home(account(NIA)))
    (view,) = t.slack.views
    text = view_as_text(view)
    assert "Your account is on hold" in text
    assert [part for part in ("[ Ask", "YOUR ACCESS", "INC-7") if part in text] == []
