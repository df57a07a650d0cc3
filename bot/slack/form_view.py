"""Draws a form as a modal, within Slack's limits.

A block's id holds what its choices depend on, so that Slack drops a value that belongs to another choice, and keeps the
reason that was typed before. A form may be open while a new version starts: ids stay what they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.form import Choice, Field, Form, Moment, Select, Several, Somebody, Typed, choices_key
from bot.chat.message import Part
from bot.slack import blocks as b
from bot.slack import render
from bot.slack.blocks import Block

OPTIONS_MAX = 100
_RADIO_MAX = 10
_METADATA_LENGTH_MAX = 3000
# Slack wants at least one option; this one counts as nothing chosen.
NONE = "none"


def view_of(form: Form) -> Block:
    """For views.open, views.push and views.update."""
    named = {"external_id": form.name[:255]} if form.name else {}
    return named | {
        "type": "modal",
        "callback_id": form.kind,
        "title": b.plain_text(form.title, 24),
        "submit": b.plain_text(form.send, 24),
        "close": b.plain_text("Cancel", 24),
        "private_metadata": form.carries[:_METADATA_LENGTH_MAX],
        "blocks": [block for part in form.parts for block in _part(part)],
    }


def options_of(choices: Sequence[Choice]) -> Block:
    """The answer to a type-ahead request."""
    return {"options": _options(choices)}


def _part(part: Field | Part) -> list[Block]:
    return [_field(part)] if isinstance(part, Field) else render.drawn([part])


def _field(field: Field) -> Block:
    block: Block = {
        "type": "input",
        "block_id": _block_id(field),
        "label": b.plain_text(field.label, 200),
        "element": _element(field) | {"action_id": field.name},
    }
    if field.optional is not None:
        block["optional"] = field.optional
    if field.hint:
        block["hint"] = b.plain_text(field.hint, 200)
    if field.redraws:
        block["dispatch_action"] = True
    return block


def _block_id(field: Field) -> str:
    """At most 255 characters, whatever the names."""
    return field.name if field.of is None else f"{field.name}:{choices_key(field.of)}"


def _element(field: Field) -> Block:
    match field.element:
        case Select() as select:
            return _select(select)
        case Several() as several:
            return _several(several)
        case Typed(length_max, text, many_lines, placeholder):
            element: Block = {"type": "plain_text_input", "max_length": length_max, **_placeholder(placeholder)}
            element |= {"multiline": True} if many_lines else {}
            return element | ({"initial_value": text[:length_max]} if text else {})
        case Moment(moment):
            picked = {"initial_date_time": int(moment.timestamp())} if moment else {}
            return {"type": "datetimepicker", **picked}
        case Somebody(chosen, placeholder):
            who = {"initial_user": chosen} if chosen else {}
            return {"type": "users_select", **_placeholder(placeholder), **who}


def _select(select: Select) -> Block:
    chosen = _option(select.chosen) if select.chosen else None
    if select.searched:
        element: Block = {"type": "external_select", "min_query_length": 0}
    else:
        options = _options(select.choices) or [_option(Choice("None", NONE))]
        radio = select.shown and len(options) <= _RADIO_MAX
        element = {"type": "radio_buttons" if radio else "static_select", "options": options}
        chosen = chosen if chosen in options else None
    return element | _placeholder(select.placeholder) | ({"initial_option": chosen} if chosen else {})


def _several(several: Several) -> Block:
    options = _options(several.choices)
    chosen = [option for option in map(_option, several.chosen) if option in options]
    element: Block = {"type": "multi_static_select", "options": options, "max_selected_items": several.count_max}
    return element | _placeholder(several.placeholder) | ({"initial_options": chosen} if chosen else {})


def _placeholder(text: str) -> Block:
    return {"placeholder": b.plain_text(text, 150)} if text else {}


def _options(choices: Sequence[Choice]) -> list[Block]:
    return [_option(choice) for choice in choices[:OPTIONS_MAX]]


def _option(choice: Choice) -> Block:
    option: Block = {"text": b.plain_text(choice.label, 75), "value": choice.value[:150]}
    return option | ({"description": b.plain_text(choice.description, 75)} if choice.description else {})
