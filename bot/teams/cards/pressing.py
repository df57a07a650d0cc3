"""What can be pressed in a card. What a press brings back is data, which whoever has a client of their own makes as they like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.chat.form import Field, Form
from bot.chat.forms.reason import asked_in_place
from bot.chat.message import Button, Buttons, Confirm, Menu, Pick
from bot.teams.cards import elements as e
from bot.teams.cards import form_fields
from bot.teams.cards import text as t
from bot.teams.cards.elements import Element
from bot.teams.cards.sentences import is_safe

PRESS, MENU, FORM, REDRAW = "press", "menu", "form", "redraw"
PICK_PREFIX = "menu:"
_OPTIONS_MAX = 100
# Of a form around the button; a message has none.
Carried = Mapping[str, Any]
_NOTHING: Carried = {}


def drawn(part: Buttons, carried: Carried = _NOTHING) -> list[Element]:
    picks = [one for one in part.elements if isinstance(one, Pick)]
    actions = e.action_set([action for one in part.elements for action in _actions(one, carried)])
    return [*(_pick(one) for one in picks), *([actions] if actions else [])]


def beside(button: Button, carried: Carried = _NOTHING) -> tuple[Element | None, bool]:
    """At the side of a line; and whether it has to stand below it, because something opens under it."""
    action = _button(button, carried)
    found = e.action_set([action] if action else [])
    return found, bool(action and action["type"] == "Action.ShowCard")


def _actions(one: Button | Menu | Pick, carried: Carried) -> Iterable[Element]:
    match one:
        case Button():
            action = _button(one, carried)
            return [action] if action else []
        case Menu(action, options):
            return [_press(label, action, value, carried) | {"mode": "secondary"} for label, value in options]
        case Pick(action, _, prompt):
            return [e.execute("Choose", MENU, {"action": action}, said=f"Choose: {prompt}")]


def _button(one: Button, carried: Carried) -> Element | None:
    if one.url is not None:
        return e.open_url(one.label, one.url, style=one.style, said=one.said) if is_safe(one.url) else None
    asked = None if carried else asked_in_place(one.action, one.value)
    if asked is not None:
        return e.show_card(one.label, _asked(asked, one), style=one.style, said=one.said)
    if one.confirm is not None:
        return e.show_card(one.label, _sure(one, one.confirm), style=one.style, said=one.said)
    return _press(one.label, one.action, one.value, carried, style=one.style, said=one.said)


def _press(
    label: str, action: str, value: str, carried: Carried, *, style: str | None = None, said: str | None = None
) -> Element:
    """In a form it brings what is filled in; in a message it waits for no input of another button."""
    found = e.execute(label, PRESS, {"action": action, "value": value, **carried}, style=style, said=said)
    return found if carried else found | {"associatedInputs": "none"}


def _sure(one: Button, confirm: Confirm) -> list[Element]:
    """The question, and the press that counts. Who does not want it presses the first button again."""
    style = "danger" if confirm.dangerous else "primary"
    yes = _press(confirm.yes, one.action, one.value, _NOTHING, style=style, said=one.said)
    actions = e.action_set([yes])
    asked = [e.words(confirm.title, weight="Bolder"), e.words(confirm.text) | {"spacing": "Small"}]
    return [*asked, *([actions] if actions else [])]


def _asked(form: Form, button: Button) -> list[Element]:
    """One reason, under the button that asks for it."""
    fields = [part for part in form.parts if isinstance(part, Field)]
    inputs = [element for field in fields for element in form_fields.drawn(field, "", form_fields.Around())]
    send = e.action_set([e.execute(form.send, FORM, data_of(form), style=button.style or "primary", said=button.said)])
    return [*inputs, *([send] if send else [])]


def data_of(form: Form, zone: str = "") -> dict[str, str]:
    """What comes back with every press in a form, beside its inputs."""
    return {"form": form.kind, "carries": form.carries, "name": form.name} | ({"zone": zone} if zone else {})


def _pick(one: Pick) -> Element:
    choices = [e.choice(label, value) for label, value in one.options[:_OPTIONS_MAX]]
    return {
        "type": "Input.ChoiceSet",
        "id": PICK_PREFIX + one.action,
        "label": t.quiet(one.prompt, 150),
        "choices": choices,
        "style": "compact",
        "placeholder": t.quiet(one.prompt, 150),
    }
