"""Messages as Adaptive Cards: what each part becomes, who is called, what is pressed, and how much has room."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.chat.message import (
    Button,
    Confirm,
    Line,
    Listing,
    Menu,
    Message,
    Pick,
    Small,
    buttons,
    first_that_fits,
    message,
)
from bot.chat.messages import approval_card, break_glass
from bot.chat.messages.reminders import reminder
from bot.chat.rich import Called, Link, Rich, Time, call, lines, ours, say
from bot.chat.text import one_line
from bot.chat.wording.labels import Asked, Exactly
from bot.teams.cards import elements as e
from bot.teams.cards.parts import Drawing
from bot.teams.cards.render import CARD_BYTES_MAX, card_of, summary_of
from bot.teams.cards.text import inert
from tests.support import golden, teams_text, views
from tests.support.teams_text import HOSTILE, alive, card_as_text, elements, hostile

OLU, PAT = (f"teams:person:11111111-2222-3333-4444-55555555555{number}" for number in (1, 2))
AT = datetime(2026, 11, 21, 3, 12, 25, tzinfo=UTC)
SCHEMA = Path(__file__).parents[2] / "fixtures" / "teams" / "adaptive-card-1.5.json"


def shown(rich: Rich, **more: Any) -> dict[str, Any]:
    return card_of(Message(rich, (Line(rich, **more),)))


def actions(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [action for element in card["body"] if element["type"] == "ActionSet" for action in element["actions"]]


# ---------------------------------------------------------------- as Microsoft has published it


def test_every_card_is_as_the_published_schema_has_it() -> None:
    """Each kind of element once. The schema is Microsoft's for 1.5 (MIT), which knows neither `filtered`, which its own pages
    have since 1.5, nor what Teams adds: `msteams` and `choices.data`.
    """
    found: dict[str, Any] = {}
    for path in (golden.FOLDER / "teams").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            card = json.loads(line)["card"]
            assert {"type", "version", "body"} <= card.keys() <= {"type", "version", "body", "msteams"}
            for element in card["body"]:
                found.setdefault(_shape(element), element)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert len(found) > 50
    for element in found.values():
        validator.validate({"type": "AdaptiveCard", "version": "1.5", "body": [_published(element)]})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(e.card([e.words("x", weight="heavy")]))


def _shape(node: Any) -> str:
    if isinstance(node, dict):
        return repr([(name, "" if name == "data" else _shape(inside)) for name, inside in node.items()])
    if isinstance(node, list):
        return repr(list(dict.fromkeys(map(_shape, node))))
    return node if isinstance(node, str) and node.isalpha() and len(node) < 12 else type(node).__name__


def _published(node: Any) -> Any:
    if isinstance(node, dict):
        style = {"style": "compact"} if node.get("style") == "filtered" else {}
        return {name: _published(each) for name, each in node.items() if name != "choices.data"} | style
    return list(map(_published, node)) if isinstance(node, list) else node


# ---------------------------------------------------------------- nobody's text is markup


@cache
def messages() -> tuple[Message, ...]:
    """What is said of a request in a few of its states, each message once; the walk of all sentences brings all others."""
    states = ("pending, dangerous", "active, more asked", "not given", "ended")
    return tuple(each for name in states for each in golden._of(views.every_state()[name]).values())


@pytest.mark.parametrize("worst", HOSTILE)
def test_what_somebody_wrote_is_text_and_nothing_else(worst: str) -> None:
    for each in messages():
        unkind = hostile(each, worst)
        card = card_of(unkind)
        assert alive(card, unkind) == []
        assert "FactSet" not in {element.get("type") for element in elements(card)}
    reason = hostile(message(ours("x"), Line(say("{}", "because "))), worst)
    assert card_as_text(card_of(reason)) == f"because {one_line(worst)}"


@pytest.mark.parametrize("text", [f"a{' ' * 50_000}b", "{" * 50_000, "<" * 50_000 + "at", " " * 50_000])
def test_no_text_takes_long_to_be_made_harmless(text: str) -> None:
    shown = inert(text)
    assert "{{" not in shown
    assert shown.replace(teams_text.JOINER, "") == (one_line(text) or " ")


@pytest.mark.parametrize(
    "name", ["</at><at>Sue</at>", "Olu **x** [a](b)", '"}', "  ", "{{TIME(2026-01-01T00:00:00Z)}}"]
)
def test_a_name_does_not_end_the_tag_that_calls_it(name: str) -> None:
    card = shown(say("{} has to look", Called(OLU, name)))
    (entity,) = card["msteams"]["entities"]
    tag = entity["text"]
    assert card["body"][1]["text"] == f"🔔 {tag}"
    assert tag.count("<") == tag.count(">") == 2
    assert "{{" not in tag
    assert "](" not in tag
    assert "*" not in tag


# ---------------------------------------------------------------- who is called


def test_who_is_called_stands_by_name_and_in_a_line_of_tags_below() -> None:
    view = replace(views.every_state()["pending"], called_names={OLU: "Olu Owner", PAT: "Pat Owner"})
    card = card_of(approval_card.approval_card(view, {"platform": [OLU, PAT]}))
    state, tags = card["body"][1:3]
    assert state["inlines"][0]["text"] == "⏳ Needs approval from one of platform (Olu Owner, Pat Owner)"
    assert tags["text"] == "🔔 <at>Olu Owner</at>, <at>Pat Owner</at>"
    ids = [OLU.rpartition(":")[2], PAT.rpartition(":")[2]]
    assert [one["mentioned"]["id"] for one in card["msteams"]["entities"]] == ids


def test_two_of_one_name_are_told_apart_and_nobody_is_called_twice() -> None:
    called = call(Asked(("x",)), {"x": [OLU, PAT]}, names={OLU: "Max", PAT: "Max"})
    card = shown(lines((called, called)))
    assert [one["text"] for one in card["msteams"]["entities"]] == ["<at>Max</at>", "<at>Max 2</at>"]
    assert json.dumps(card["body"], ensure_ascii=False).count("<at>") == 2


@pytest.mark.parametrize("other", ["U0OLU", "S0PLATFORM", "teams:channel:19:a@thread.tacv2", "teams:person:no-guid"])
def test_who_has_no_account_here_stands_by_name(other: str) -> None:
    card = shown(say("{} has to look", Called(other, "Olu")))
    assert "msteams" not in card
    assert card_as_text(card) == "Olu has to look"


def test_whoever_is_called_by_a_reminder_and_a_review_has_a_name() -> None:
    view = replace(views.every_state()["pending"], called_names={OLU: "Olu"})
    owed = replace(views.every_state()["active"], called_names={OLU: "Olu"}, break_glass=True)
    said = reminder(view, (OLU,)), break_glass.chase(owed, {"platform": [OLU]}, ("platform",))
    assert [each["msteams"]["entities"][0]["text"] for each in map(card_of, said)] == ["<at>Olu</at>"] * 2


def test_a_name_changes_no_message() -> None:
    assert repr(Called(OLU, "Olu")) == repr(Called(OLU))
    assert Called(OLU, "Olu") == Called(OLU)


def test_who_has_no_name_is_told_by_their_id_and_called() -> None:
    card = shown(say("{} takes no messages", Called(OLU)))
    assert card_as_text(card) == f"{OLU.rpartition(':')[2]} takes no messages"
    assert card["body"][1]["text"] == "🔔 <at>this person</at>"


# ---------------------------------------------------------------- times and links


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (AT, "{{TIME(2026-11-21T03:12:00Z)}}"),
        (AT + timedelta(days=3), "{{DATE(2026-11-24T03:12:00Z, SHORT)}}, {{TIME(2026-11-24T03:12:00Z)}}"),
        (Exactly(AT), "{{TIME(2026-11-21T03:12:00Z)}} and 25 s"),
    ],
)
def test_a_time_is_the_readers_own(moment: datetime, text: str) -> None:
    card = shown(say("until {}", Time(moment, AT)))
    assert card["body"][0]["inlines"][0]["text"] == f"until {text}"


def test_with_its_day_where_that_is_wanted_and_in_utc_for_the_notification() -> None:
    until = say("until {}", Time(AT, AT, with_day=True))
    assert "{{DATE(2026-11-21T03:12:00Z, SHORT)}}" in str(shown(until))
    assert summary_of(Message(until)) == "until 21 Nov, 03:12 UTC"


@pytest.mark.parametrize(
    "url", ["http://a.example", "javascript:alert(1)", "https://", "https://a b", "https://[", "//a"]
)
def test_a_link_leads_where_it_says_or_nowhere(url: str) -> None:
    press = buttons(Button("Open console", "open", url=url))
    card = card_of(message(ours("x"), Line(say("{}", Link(url, "INC-42"))), press))
    assert teams_text.urls(card) == []
    assert card_as_text(card) == "INC-42"


# ---------------------------------------------------------------- what is pressed


def test_a_press_brings_action_and_value_and_no_input_of_another_button() -> None:
    (action,) = actions(
        card_of(message(ours("x"), buttons(Button("End", "end", "PA-1", "danger", said="End it, PA-1"))))
    )
    assert action["data"] == {"action": "end", "value": "PA-1"}
    assert (action["verb"], action["style"], action["tooltip"]) == ("press", "destructive", "End it, PA-1")
    assert action["associatedInputs"] == "none"


def test_what_is_asked_before_a_press_counts_opens_under_the_button() -> None:
    sure = Confirm("Sure?", "Dana gets admin", "Approve", "Cancel", dangerous=True)
    (opens,) = actions(card_of(message(ours("x"), buttons(Button("Approve", "approve", "PA-1", "primary", sure)))))
    (press,) = actions(opens["card"])
    assert (opens["type"], press["type"], press["style"]) == ("Action.ShowCard", "Action.Execute", "destructive")
    assert press["data"] == {"action": "approve", "value": "PA-1"}
    assert card_as_text(opens["card"]).startswith("Sure?\nDana gets admin")


@pytest.mark.parametrize(
    ("action", "kind", "needed"),
    [
        ("deny", "deny_form", True),
        ("flag", "flag_form", True),
        ("deny_all", "deny_all_form", True),
        ("acknowledge", "acknowledge_form", False),
    ],
)
def test_one_reason_is_asked_under_the_button_that_wants_it(action: str, kind: str, *, needed: bool) -> None:
    (opens,) = actions(card_of(message(ours("x"), buttons(Button("Do", action, "PA-1:0123456789abcdef")))))
    field, send = opens["card"]["body"]
    assert field["id"].startswith("reason@")
    assert field.get("isRequired", False) is needed
    assert send["actions"][0]["verb"] == "form"
    assert send["actions"][0]["data"] == {"form": kind, "carries": "PA-1:0123456789abcdef", "name": ""}


def test_a_menu_is_behind_the_buttons_and_more_than_six_are_too() -> None:
    eight = [Button(str(number), "end", "PA-1") for number in range(8)]
    card = card_of(message(ours("x"), buttons(*eight, Menu("more", [("Explain", "explain:PA-1")]))))
    modes = [action.get("mode") for action in actions(card)]
    assert modes == [None] * 6 + ["secondary"] * 3
    assert actions(card)[-1]["data"] == {"action": "more", "value": "explain:PA-1"}


def test_one_of_many_is_a_menu_with_a_button() -> None:
    card = card_of(message(ours("x"), buttons(Pick("ask", [("Payments", "payments-prod")], "2 more environments"))))
    menu, press = card["body"]
    assert (menu["id"], menu["choices"][0]["value"]) == ("menu:ask", "payments-prod")
    assert press["actions"][0]["data"] == {"action": "ask"}
    assert press["actions"][0]["verb"] == "menu"


# ---------------------------------------------------------------- room


def test_what_has_no_room_is_counted() -> None:
    many = Listing([say("{} {}", "🔴" * 40, str(number)) for number in range(2000)], left_out=5)
    for bytes_max in (CARD_BYTES_MAX, 21_000):
        card = card_of(message(ours("x"), Line(ours("First")), many, Small(ours("Last"))), bytes_max)
        assert bytes_max * 0.8 < e.weight(card) <= bytes_max
        text = card_as_text(card).splitlines()
        told = [line for line in text if "🔴" in line]
        assert text[-1] == "Last"
        assert text[-2] == f"… and {2005 - len(told)} more"
        assert card["msteams"] == {"width": "Full"}


def test_a_listing_leaves_the_room_that_others_need() -> None:
    some = Listing([say("{}", "x" * 50)] * 500, room=1000)
    half = Drawing().all([some], CARD_BYTES_MAX)
    assert e.weight(half) <= CARD_BYTES_MAX * 1000 // 12_500


def test_the_first_version_that_has_room_is_shown_and_the_last_is_cut() -> None:
    long, short_ = Line(ours("x" * 60_000)), Line(ours("short"))
    assert card_as_text(card_of(first_that_fits(ours("x"), [[long], [short_]]))) == "short"
    card = card_of(message(ours("x"), short_, long))
    assert card_as_text(card) == "short\n… and more, which has no room here."


def test_room_is_counted_in_utf_16() -> None:
    assert e.weight("🔴") == 2 * (2 + 2)
    assert e.weight("e") == 2 * 3


def test_a_message_without_form_is_its_summary() -> None:
    assert card_as_text(card_of(Message(say("*{}* is away", "Olu")))) == "Olu is away"
