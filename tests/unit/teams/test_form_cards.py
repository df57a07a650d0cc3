"""Forms as cards: each field, what is wrong beside it, what is kept, what comes back; and odd things that come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.form import Choice, Field, Filled, Form, Moment, Select, Several, Somebody, Typed, choices_key
from bot.chat.forms import request as request_form
from bot.chat.message import Button, Line
from bot.chat.rich import say
from bot.teams.cards.form_fields import CHOICES_MAX
from bot.teams.cards.form_input import filled, picked
from bot.teams.cards.form_view import form_card
from tests.support import golden, views
from tests.support.teams_text import HOSTILE, alive, card_as_text, elements, hostile

NOW = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
PLACES = [views.environment(), replace(views.environment(), name="shop", title="Shop & <co>", roles={})]


def a_form(*parts: Any) -> Form:
    return Form("some_form", "Some form", "Send", parts, "carried", "F1")


def inputs(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in elements(card) if str(each.get("type")).startswith("Input.")}


def presses(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["title"]: each for each in elements(card) if str(each.get("type")).startswith("Action.")}


def sent(card: dict[str, Any], title: str = "Send", **typed: str) -> dict[str, str]:
    """What Teams brings: the press's own data, with what stands in the inputs."""
    stands = {id_: each.get("value", "") for id_, each in inputs(card).items()}
    return {**stands, **typed, **presses(card)[title]["data"]}


def select(**changes: Any) -> Select:
    return replace(Select([Choice("One", "1"), Choice("Two", "2", "the second")]), **changes)


# ---------------------------------------------------------------- each field


def test_a_field_has_its_label_its_hint_and_what_is_wrong_with_it() -> None:
    card = form_card(a_form(Field("why", "Why", Typed(100, "text"), hint="In a few words.")), {"why": "Say *why*."})
    field, wrong, hint = card["body"][1:4]
    assert (field["label"], field["isRequired"], field["maxLength"]) == ("Why", True, 100)
    assert wrong["inlines"][0] == {"type": "TextRun", "text": "❌ Say *why*.", "color": "Attention", "weight": "Bolder"}
    assert hint["inlines"][0]["text"] == "In a few words."


def test_what_is_wrong_with_a_field_that_is_not_shown_stands_at_the_top() -> None:
    card = form_card(a_form(Field("why", "Why", Typed(100))), {"ticket": "It is closed."})
    assert card_as_text(card).splitlines()[1] == "❌ It is closed."


@pytest.mark.parametrize(
    ("count", "shown", "style"),
    [(3, True, "expanded"), (3, False, "compact"), (11, True, "compact"), (30, False, "filtered")],
)
def test_one_of_many_is_shown_as_there_is_room(count: int, style: str, *, shown: bool) -> None:
    choices = [Choice(f"Choice {number}", str(number)) for number in range(count)]
    (field,) = inputs(form_card(a_form(Field("one", "One", Select(choices, shown=shown))))).values()
    assert field["style"] == style


def test_of_too_many_choices_the_first_stand_there_and_the_chosen_one_and_that_is_said() -> None:
    choices = [Choice(f"env-{number}", str(number)) for number in range(300)]
    card = form_card(a_form(Field("one", "One", Select(choices, choices[-1], searched=True))))
    (field,) = inputs(card).values()
    assert [len(field["choices"]), field["value"], field["style"]] == [CHOICES_MAX + 1, "299", "filtered"]
    assert "100 of 300 stand here" in card_as_text(card)


def test_without_choices_nothing_is_chosen() -> None:
    card = form_card(a_form(Field("one", "One", Select([]))))
    assert filled(sent(card, one="none")).chosen("one") == ""


def test_some_of_many_come_back() -> None:
    field = Field("some", "Some", Several(select().choices, 2, select().choices), optional=True)
    card = form_card(a_form(field))
    assert inputs(card)["some"]["isMultiSelect"]
    assert inputs(card)["some"]["label"] == "Some (optional)"
    assert filled(sent(card)).several("some") == ("1", "2")
    assert filled(sent(card, some="")).several("some") == ()


def test_a_moment_is_on_the_clock_that_the_form_names() -> None:
    card = form_card(a_form(Field("begin", "Begin", Moment(NOW), optional=True)), zone="Europe/Vienna")
    day, time = inputs(card).values()
    assert [day["label"], day["value"], time["label"], time["value"]] == [
        "Begin, day (optional)",
        "2026-07-01",
        "At, Europe/Vienna time",
        "12:00",
    ]
    assert filled(sent(card)).moment("begin") == NOW


@pytest.mark.parametrize(
    ("day", "clock", "moment"),
    [
        ("2026-07-02", "08:30", datetime(2026, 7, 2, 6, 30, tzinfo=UTC)),
        ("2026-07-02", "08:30:00", datetime(2026, 7, 2, 6, 30, tzinfo=UTC)),
        ("2026-07-02", "", datetime(2026, 7, 1, 22, 0, tzinfo=UTC)),
        ("", "23:00", datetime(2026, 7, 1, 21, 0, tzinfo=UTC)),
        ("", "", None),
        ("2026-02-30", "08:30", None),
        ("2026-07-02", "25:00", None),
        ("9999-12-31", "23:59", datetime(9999, 12, 31, 22, 59, tzinfo=UTC)),
        ("0001-01-01", "00:00", None),
    ],
)
def test_what_was_picked_is_a_moment_or_none(day: str, clock: str, moment: datetime | None) -> None:
    data = {"begin#day": day, "begin#time": clock, "zone": "Europe/Vienna"}
    assert filled(data, NOW).moment("begin") == moment


def test_somebody_is_picked_or_their_address_is_typed() -> None:
    card = form_card(a_form(Field("holder", "For", Somebody("", "For myself"), of=("a",), optional=True)))
    id_ = f"holder@{choices_key(['a'])}"
    assert inputs(card)[id_]["choices.data"] == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    aad = "11111111-2222-3333-4444-555555555555"
    assert filled(sent(card, **{id_: aad, f"{id_}#address": "x@y.z"})).chosen("holder") == aad
    assert filled(sent(card, **{f"{id_}#address": " dana@example.com "})).chosen("holder") == "dana@example.com"
    assert filled(sent(card)).chosen("holder") == ""


def test_what_is_chosen_stands_there_again() -> None:
    for who, id_ in (("11111111-2222-3333-4444-555555555555", "holder"), ("dana@example.com", "holder#address")):
        found = inputs(form_card(a_form(Field("holder", "For", Somebody(who)))))
        assert [name for name, each in found.items() if each.get("value") == who] == [id_]


# ---------------------------------------------------------------- a form that follows what is chosen


def test_such_a_form_can_be_continued_and_is_sent_once_everything_is_chosen() -> None:
    card = form_card(request_form.request_form(PLACES))
    assert list(presses(card)) == ["Continue"]
    chosen = request_form.Chosen("payments-prod", "admin", "why", timedelta(hours=1), "INC-1")
    card = form_card(request_form.request_form(PLACES, chosen))
    assert [presses(card)["Ask"]["verb"], presses(card)["Continue"]["verb"]] == ["form", "redraw"]
    assert not any(each.get("isRequired") for each in elements(card)), "Teams would stop Continue"


def test_drawn_again_it_keeps_what_was_typed_and_drops_what_belongs_to_another_choice() -> None:
    first = form_card(request_form.request_form(PLACES))
    came = filled(sent(first, "Continue", environment="payments-prod", reason="INC-42 errors"))
    second = form_card(request_form.request_form(PLACES, request_form.chosen(came)), filled=came)
    assert inputs(second)["environment"]["value"] == "payments-prod"
    assert inputs(second)["reason"]["value"] == "INC-42 errors"
    role = f"role@{choices_key(['payments-prod'])}"
    came = filled(sent(second, "Continue", **{role: "admin"}))
    third = form_card(request_form.request_form(PLACES, request_form.chosen(came)), filled=came)
    assert inputs(third)[role]["value"] == "admin"
    other = replace(views.environment(), name="books", title="Books")
    moved = filled(sent(third, "Continue", environment="books"))
    fourth = form_card(request_form.request_form([*PLACES, other], request_form.chosen(moved)), filled=moved)
    assert inputs(fourth)["reason"]["value"] == "INC-42 errors"
    assert "value" not in inputs(fourth)[f"role@{choices_key(['books'])}"]


def test_the_whole_of_it_is_read_as_it_was_filled_in() -> None:
    chosen = request_form.Chosen("payments-prod", "admin", "why", timedelta(hours=1), "INC-1")
    card = form_card(request_form.request_form(PLACES, chosen, request_form.Where("C1", "ops", "1.2")))
    found = request_form.read(filled(sent(card, "Ask")))
    assert isinstance(found, request_form.FormAsk)
    assert (found.ask.environment, found.ask.role, found.ask.reason) == ("payments-prod", "admin", "why")
    assert (found.ask.duration, found.ask.ticket, found.where.channel) == (timedelta(hours=1), "INC-1", "C1")


def test_a_button_in_a_form_brings_the_form() -> None:
    card = form_card(a_form(Line(say("Shut."), Button("Ask for then", "begin_then", "then"))))
    data = presses(card)["Ask for then"]["data"]
    assert data == {
        "action": "begin_then",
        "value": "then",
        "form": "some_form",
        "carries": "carried",
        "name": "F1",
        "zone": "UTC",
    }


def test_who_sends_a_form_sends_what_it_carries() -> None:
    found = filled(sent(form_card(a_form(Field("why", "Why", Typed(100, "x"))))))
    assert (found.kind, found.carries, found.text("why")) == ("some_form", "carried", "x")


# ---------------------------------------------------------------- what somebody makes of it


@pytest.mark.parametrize("worst", HOSTILE)
def test_in_no_form_is_anything_more_than_text(worst: str) -> None:
    for name, form in golden._forms(PLACES):
        if name.startswith("request") or name.endswith((", pending", "break-glass")):
            unkind = hostile(form, worst)
            assert alive(form_card(unkind, {"reason": worst, "elsewhere": worst}), unkind) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        "form",
        "carries",
        "zone",
        "name",
        "action",
        "reason",
        "begin#day",
        "begin#time",
        "#day",
        "@",
        "a@b@c#address",
        "menu:x",
    ]
)


@settings(max_examples=30)
@given(
    _JSON | st.dictionaries(_NAMES | st.text(), _JSON | st.sampled_from(["2026-07-01", "08:00", "../etc", "none", ","]))
)
def test_whatever_comes_back_nothing_raises(data: Any) -> None:
    found = filled(data, NOW)
    assert isinstance(found, Filled)
    form_card(a_form(Field("reason", "Why", Typed(10)), Field("begin", "Begin", Moment())), filled=found)
    assert isinstance(picked(data), str)


def test_what_is_picked_in_a_menu() -> None:
    assert picked({"action": "ask", "menu:ask": "payments-prod", "menu:other": "x"}) == "payments-prod"
    assert picked({"action": "ask"}) == ""
    assert filled({"menu:ask": "x", "reason": "y"}).values[0].name == "reason"
