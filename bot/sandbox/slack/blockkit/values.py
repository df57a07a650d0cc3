"""What an element holds, in the shape of `view.state.values` and of `actions[0]` (docs: block_actions payload)."""

from collections.abc import Iterable
from typing import Any

from bot.sandbox.slack.blockkit.elements import MULTI_SELECTS, TYPED, every_option
from bot.sandbox.slack.blockkit.limits import elements_of
from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.model import Json

_STATELESS = frozenset({"button", "overflow"})
_HELD_AS = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_WITH_OPTIONS = frozenset({"selected_option", "selected_options"})
_CLOSED_MENUS = frozenset({"static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow"})


def held_as(kind: str) -> str:
    """The key under which an element of this type reports its value."""
    return "value" if kind in TYPED else _HELD_AS[kind]


def empty(value: Json) -> bool:
    """Whether a required input would be refused by the client."""
    held = value.get(held_as(value["type"]))
    return held is None or held in ("", [])


def initial_state(blocks: list[Json], before: dict[str, Json] | None = None) -> dict[str, Json]:
    """The form as it opens, or as it stands after an update: `before` wins where the same element is still there."""
    state: dict[str, Json] = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in _STATELESS:
                kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
                fits = kept is not None and _still_fits(element, kept)
                value = kept if fits else _initial(element)
                state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def _still_fits(element: Json, value: Json) -> bool:
    if value["type"] != element["type"]:
        return False
    if element["type"] not in _CLOSED_MENUS:
        return True
    held = value[held_as(element["type"])]
    chosen = held if isinstance(held, list) else [held] if held else []
    return all(option["value"] in {o["value"] for o in every_option(element)} for option in chosen)


def _initial(element: Json) -> Json:
    key = held_as(element["type"])
    nothing: Any = [] if element["type"] in MULTI_SELECTS | {"checkboxes"} else None
    return {"type": element["type"], key: element.get(key.replace("selected", "initial"), nothing)} | (
        {"value": element.get("initial_value")} if key == "value" else {}
    )


def value_of(element: Json, choice: Any, offered: list[Json] | None = None) -> Json:
    """What the element reports when somebody chooses or types `choice`.

    `choice` is text for an input, an option's value or its words for a menu (a list for a menu of several), an id for
    a people or channel menu, `YYYY-MM-DD`, `HH:MM` or epoch seconds for the pickers; None empties it. `offered` are
    the options that the app sent for a type-ahead menu. Raise CannotDo when the menu has no such entry.
    """
    kind = element["type"]
    key = held_as(kind)
    if key not in _WITH_OPTIONS:
        return {"type": kind, key: choice}
    options = every_option(element) if offered is None else offered
    if key == "selected_options":
        return {"type": kind, key: [_option(options, one) for one in choice or []]}
    return {"type": kind, key: None if choice is None else _option(options, choice)}


def _option(options: Iterable[Json], choice: Any) -> Json:
    options = list(options)
    for option in options:
        if choice in (option["value"], option["text"]["text"]):
            return option
    raise CannotDo(f"the menu has no {choice!r}, but {[option['text']['text'] for option in options]}")
