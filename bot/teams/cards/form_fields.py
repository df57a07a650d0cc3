"""Draws the fields of a form: label, input, hint, and what is wrong with it beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.form import Choice, Field, Filled, Moment, Select, Several, Somebody, Typed, Value, choices_key
from bot.teams.cards import elements as e
from bot.teams.cards import text as t
from bot.teams.cards.elements import Element
from workflows.core.dates import zone_of

# So many choices of one field are sent; of more, those that were used last come first, and all others can be typed.
CHOICES_MAX = 100
# All at once up to here; from there on a field that filters while it is typed.
_SHOWN_MAX = 10
_FILTERED_FROM = 12
# It counts as nothing chosen.
NONE = "none"
# Behind the id of a field that is two inputs.
DAY, TIME, ADDRESS = "#day", "#time", "#address"
# The people picker of Teams; ids of Entra come back
# (learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/people-picker).
_PEOPLE = {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}


@dataclass(frozen=True, slots=True)
class Around:
    """The form around a field. `strict`: Teams itself refuses what is empty, which would stop every button of the card."""

    zone: str = "UTC"
    strict: bool = True
    filled: Filled | None = None


def input_id(field: Field) -> str:
    return field.name if field.of is None else f"{field.name}@{choices_key(field.of)}"


def drawn(field: Field, error: str, around: Around) -> list[Element]:
    """`error`: what is wrong with it; empty where nothing is."""
    found = _inputs(field, around)
    hint = " ".join(text for text in (field.hint, _left_out(field)) if text)
    below = [e.words(hint, size="Small", isSubtle=True) | {"spacing": "Small"}] if hint else []
    wrong = [e.words(f"❌ {error}", color="Attention", weight="Bolder") | {"spacing": "Small"}] if error else []
    return [*found, *wrong, *below]


def _left_out(field: Field) -> str:
    element = field.element
    count = len(element.choices) if isinstance(element, Select | Several) else 0
    return f"{CHOICES_MAX} of {count} stand here. Another one can be typed in this chat." if count > CHOICES_MAX else ""


def _inputs(field: Field, around: Around) -> list[Element]:
    kept = _kept(field, around.filled)
    element = field.element
    match element:
        case Select():
            return [_input(field, around, "Input.ChoiceSet") | _select(element, kept)]
        case Several():
            return [_input(field, around, "Input.ChoiceSet") | _several(element, kept)]
        case Typed(length_max, text, many_lines, placeholder):
            shown = (kept.text if kept else text)[:length_max]
            found: Element = {"maxLength": length_max, "isMultiline": many_lines, **_placeholder(placeholder)}
            return [_input(field, around, "Input.Text") | found | ({"value": shown} if shown else {})]
        case Moment(moment):
            return _moment(field, around, kept.moment if kept else moment)
        case Somebody(chosen, placeholder):
            return _somebody(field, around, next(iter(kept.chosen), "") if kept else chosen, placeholder)


def _kept(field: Field, filled: Filled | None) -> Value | None:
    """What was filled in for the same choices; what belongs to others is not kept."""
    key = None if field.of is None else choices_key(field.of)
    values = filled.values if filled else ()
    return next((value for value in values if value.name == field.name and value.of == key), None)


def _input(field: Field, around: Around, kind: str, label: str = "", suffix: str = "") -> Element:
    said = label or field.label
    found: Element = {"type": kind, "id": input_id(field) + suffix}
    if field.optional:
        return found | {"label": t.quiet(f"{said} (optional)", 200)}
    needed = {"isRequired": True, "errorMessage": "Please fill this in."} if around.strict else {}
    return found | {"label": t.quiet(said, 200)} | needed


def _placeholder(text: str) -> Element:
    return {"placeholder": t.quiet(text, 150)} if text else {}


# ---------------------------------------------------------------- one of many, some of many


def _select(select: Select, kept: Value | None) -> Element:
    chosen = kept.chosen[:1] if kept else ((select.chosen.value,) if select.chosen else ())
    choices = _choices(select.choices, chosen) or [e.choice("None", NONE)]
    shown = select.shown and len(choices) <= _SHOWN_MAX
    style = "expanded" if shown else "filtered" if len(choices) >= _FILTERED_FROM else "compact"
    return {
        "choices": choices,
        "style": style,
        "wrap": True,
        **_placeholder(select.placeholder),
        **_value(choices, chosen),
    }


def _several(several: Several, kept: Value | None) -> Element:
    chosen = kept.chosen if kept else tuple(choice.value for choice in several.chosen)
    choices = _choices(several.choices, chosen)
    found: Element = {"choices": choices, "isMultiSelect": True, "style": "compact", "wrap": True}
    return found | _placeholder(several.placeholder) | _value(choices, chosen)


def _choices(choices: Sequence[Choice], chosen: Sequence[str]) -> list[Element]:
    """Whatever is chosen is among them."""
    shown = [*choices[:CHOICES_MAX], *(one for one in choices[CHOICES_MAX:] if one.value in chosen)]
    return [e.choice(_said(one), one.value) for one in shown]


def _said(one: Choice) -> str:
    return f"{one.label} · {one.description}" if one.description else one.label


def _value(choices: Sequence[Element], chosen: Sequence[str]) -> Element:
    known = {choice["value"] for choice in choices}
    values = [value for value in chosen if value in known]
    return {"value": ",".join(values)} if values else {}


# ---------------------------------------------------------------- a moment, a person


def _moment(field: Field, around: Around, moment: datetime | None) -> list[Element]:
    """Two inputs. A card does not know the reader's clock, so that the zone is said."""
    there = moment.astimezone(zone_of(around.zone)) if moment else None
    day = {"value": f"{there:%Y-%m-%d}"} if there else {}
    time = {"value": f"{there:%H:%M}"} if there else {}
    first = _input(field, around, "Input.Date", f"{field.label}, day", DAY) | day
    second = _input(field, around, "Input.Time", "", TIME) | {"label": t.quiet(f"At, {around.zone} time", 200)} | time
    return [_beside(first, second)]


def _somebody(field: Field, around: Around, chosen: str, placeholder: str) -> list[Element]:
    """The picker, and beside it an address, for where there is no picker."""
    typed, picked = (chosen, "") if "@" in chosen else ("", chosen)
    picker = _input(field, around, "Input.ChoiceSet") | {"choices": [], "choices.data": _PEOPLE}
    picker |= _placeholder(placeholder) | ({"value": picked} if picked else {})
    picker.pop("isRequired", None)
    address: Element = {
        "type": "Input.Text",
        "id": input_id(field) + ADDRESS,
        "label": "Or their address",
        "placeholder": "name@example.com",
        "maxLength": 254,
        "style": "Email",
    }
    return [_beside(picker, address | ({"value": typed} if typed else {}))]


def _beside(first: Element, second: Element) -> Element:
    return e.columns(e.column([first]), e.column([second]))
