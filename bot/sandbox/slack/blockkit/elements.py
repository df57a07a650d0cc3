"""Composition objects and interactive elements, each with the limits of docs.slack.dev/reference/block-kit."""

from typing import Any

from bot.sandbox.slack.blockkit.schema import (
    Check,
    Problems,
    anything,
    array,
    boolean,
    by_type,
    integer,
    one_of,
    record,
    string,
)

Fields = dict[str, Check]

_PLAIN: Fields = {"type": one_of("plain_text"), "emoji": boolean}
_MRKDWN: Fields = {"type": one_of("mrkdwn"), "verbatim": boolean}
_EITHER = "failed to match all allowed schemas"


def plain_text(most: int, *, least: int = 1) -> Check:
    return record(_PLAIN | {"text": string(most, least=least)}, ("type", "text"), heading=_EITHER)


def any_text(most: int) -> Check:
    """plain_text or mrkdwn. `emoji` belongs to the first only, `verbatim` to the second only."""
    mrkdwn = record(_MRKDWN | {"text": string(most)}, ("type", "text"), heading=_EITHER)
    return by_type({"plain_text": plain_text(most), "mrkdwn": mrkdwn})


CONFIRM = record(
    {
        "title": plain_text(100),
        "text": any_text(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
        "style": one_of("primary", "danger"),
    },
    ("title", "text", "confirm", "deny"),
)


def _option(text: Check, **more: Check) -> Check:
    return record({"text": text, "value": string(150), **more}, ("text", "value"))


OPTION = _option(plain_text(75), description=plain_text(75))
RICH_OPTION = _option(any_text(75), description=any_text(75))
OVERFLOW_OPTION = _option(plain_text(75), description=plain_text(75), url=string(3000))
OPTION_GROUP = record({"label": plain_text(75), "options": array(OPTION, 100)}, ("label", "options"))
DISPATCH = record(
    {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}, ("trigger_actions_on",)
)
_DATE = string(10, pattern=r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_TIME = string(5, pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]")
_FILTER = record(
    {
        "include": array(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)


def every_option(element: dict[str, Any]) -> list[dict[str, Any]]:
    """The options of a static menu, those inside groups included."""
    groups: list[dict[str, Any]] = element.get("option_groups", [])
    own: list[dict[str, Any]] = element.get("options", [])
    return [*own, *(option for group in groups for option in group["options"])]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["value"] == other["value"] and one["text"]["text"] == other["text"]["text"])


def _initial_among_options(element: dict[str, Any], pointer: str, problems: Problems) -> None:
    options = every_option(element)
    wanted = [("initial_option", element["initial_option"])] if "initial_option" in element else []
    wanted += [("initial_options", option) for option in element.get("initial_options", [])]
    for name, option in wanted:
        if not any(_same(option, candidate) for candidate in options):
            problems.add(f"{name} must be among the options", f"{pointer}/{name}")


def _options_or_groups(element: dict[str, Any], pointer: str, problems: Problems) -> None:
    if ("options" in element) == ("option_groups" in element):
        problems.add("must define either `options` or `option_groups`, not both", pointer)


def _least_below_most(element: dict[str, Any], pointer: str, problems: Problems) -> None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if least > most:
        problems.add("min_length must not be greater than max_length", pointer)
    initial = element.get("initial_value")
    if isinstance(initial, str) and len(initial) > most:
        problems.add(f"must be less than {most + 1} characters", f"{pointer}/initial_value")


def _element(kind: str, fields: Fields, required: tuple[str, ...] = (), rules: tuple[Check, ...] = ()) -> Check:
    common: Fields = {"type": one_of(kind), "action_id": string(255)}
    return record(common | fields, ("type", *required), rules)


_CONFIRM: Fields = {"confirm": CONFIRM}
_FOCUS: Fields = {"focus_on_load": boolean}
_PLACEHOLDER: Fields = {"placeholder": plain_text(150)}
_MENU: Fields = _CONFIRM | _FOCUS | _PLACEHOLDER
_SELECTED_MAX: Fields = {"max_selected_items": integer(1, 10_000)}
_TYPED: Fields = _FOCUS | _PLACEHOLDER | {"dispatch_action_config": DISPATCH, "initial_value": string(3000, least=0)}
_STATIC: Fields = {"options": array(OPTION, 100), "option_groups": array(OPTION_GROUP, 100)}
_STATIC_RULES = (_options_or_groups, _initial_among_options)
_QUERY: Fields = {"min_query_length": integer(0, 3000)}
_CHOSEN = string(255)

ELEMENTS: dict[str, Check] = {
    "button": _element(
        "button",
        _CONFIRM
        | {
            "text": plain_text(75),
            "value": string(2000),
            "url": string(3000, pattern=r"[a-z][a-z0-9+.-]*:.+"),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
        ("text",),
    ),
    "overflow": _element("overflow", _CONFIRM | {"options": array(OVERFLOW_OPTION, 5)}, ("options",)),
    "static_select": _element("static_select", _MENU | _STATIC | {"initial_option": OPTION}, (), _STATIC_RULES),
    "external_select": _element("external_select", _MENU | _QUERY | {"initial_option": OPTION}),
    "users_select": _element("users_select", _MENU | {"initial_user": _CHOSEN}),
    "channels_select": _element(
        "channels_select", _MENU | {"initial_channel": _CHOSEN, "response_url_enabled": boolean}
    ),
    "conversations_select": _element(
        "conversations_select",
        _MENU
        | {
            "initial_conversation": _CHOSEN,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": _FILTER,
        },
    ),
    "multi_static_select": _element(
        "multi_static_select",
        _MENU | _STATIC | _SELECTED_MAX | {"initial_options": array(OPTION, 100)},
        (),
        _STATIC_RULES,
    ),
    "multi_external_select": _element(
        "multi_external_select", _MENU | _QUERY | _SELECTED_MAX | {"initial_options": array(OPTION, 100)}
    ),
    "multi_users_select": _element(
        "multi_users_select", _MENU | _SELECTED_MAX | {"initial_users": array(_CHOSEN, 100)}
    ),
    "multi_channels_select": _element(
        "multi_channels_select", _MENU | _SELECTED_MAX | {"initial_channels": array(_CHOSEN, 100)}
    ),
    "multi_conversations_select": _element(
        "multi_conversations_select",
        _MENU
        | _SELECTED_MAX
        | {
            "initial_conversations": array(_CHOSEN, 100),
            "default_to_current_conversation": boolean,
            "filter": _FILTER,
        },
    ),
    "radio_buttons": _element(
        "radio_buttons",
        _CONFIRM | _FOCUS | {"options": array(RICH_OPTION, 10), "initial_option": RICH_OPTION},
        ("options",),
        (_initial_among_options,),
    ),
    "checkboxes": _element(
        "checkboxes",
        _CONFIRM | _FOCUS | {"options": array(RICH_OPTION, 10), "initial_options": array(RICH_OPTION, 10)},
        ("options",),
        (_initial_among_options,),
    ),
    "datepicker": _element("datepicker", _MENU | {"initial_date": _DATE}),
    "timepicker": _element("timepicker", _MENU | {"initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": _element(
        "datetimepicker", _CONFIRM | _FOCUS | {"initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    ),
    "plain_text_input": _element(
        "plain_text_input",
        _TYPED | {"multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000)},
        (),
        (_least_below_most,),
    ),
    "email_text_input": _element("email_text_input", _TYPED),
    "url_text_input": _element("url_text_input", _TYPED),
    "number_input": _element(
        "number_input",
        _TYPED | {"is_decimal_allowed": boolean, "min_value": string(50), "max_value": string(50)},
        ("is_decimal_allowed",),
    ),
    "image": record(
        {
            "type": one_of("image"),
            "image_url": string(3000, pattern=r"https?://.+"),
            "slack_file": anything,
            "alt_text": string(2000),
        },
        ("type", "alt_text"),
    ),
}

SELECTS = frozenset({"static_select", "external_select", "users_select", "channels_select", "conversations_select"})
MULTI_SELECTS = frozenset(f"multi_{kind}" for kind in SELECTS)
PICKERS = frozenset({"datepicker", "timepicker"})
CHOICES = frozenset({"radio_buttons", "checkboxes"})
TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
IN_ACTIONS = SELECTS | CHOICES | PICKERS | {"button", "overflow", "datetimepicker"}
IN_SECTION = SELECTS | MULTI_SELECTS | CHOICES | PICKERS | {"button", "overflow", "image"}
IN_INPUT = SELECTS | MULTI_SELECTS | CHOICES | PICKERS | TYPED | {"datetimepicker"}
