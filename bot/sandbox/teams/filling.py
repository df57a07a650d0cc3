"""What goes with a press: the inputs of the card around it, checked as Teams' client checks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.teams import cards
from bot.sandbox.teams.errors import CannotDo
from bot.sandbox.teams.people import Json


def filled(card: Json | None, action: Json, given: Mapping[str, Any], *, stale: bool = False) -> dict[str, str]:
    """All inputs of the card around `action`, as texts by id. Raise CannotDo for what the client would not send.

    `given`: what somebody filled in; the rest stays as the card has it. `stale`: the card is not looked at.
    """
    if stale:
        return {name: str(value) for name, value in given.items()}
    if action.get("associatedInputs") == "none":
        return {}
    there = {one["id"]: one for one in _inputs_with(card or {}, action)}
    unknown = [name for name in given if name not in there]
    if unknown:
        raise CannotDo(f"there is no input {unknown[0]!r} beside that button, only {sorted(there)}")
    return {name: text for name, one in there.items() if (text := _value(one, given.get(name))) is not None}


def _inputs_with(card: Json, action: Json) -> list[Json]:
    """The inputs that go with a press: those of its card, and of the cards around it, never those of other ShowCards."""
    found = _path(card, action) or [card]
    return [one for level in found for one in cards.inputs(_without_shown(level))]


def _path(card: Json, action: Json) -> list[Json] | None:
    """The cards from the outermost to the one in which the action stands."""
    shallow = cards.actions(_without_shown(card))
    if any(one == action for one in shallow):
        return [card]
    for inner in [one["card"] for one in cards.actions(card) if one["type"] == "Action.ShowCard"]:
        below = _path(inner, action)
        if below is not None:
            return [card, *below]
    return None


def _without_shown(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_shown(one) for one in node]
    if isinstance(node, dict):
        return {name: _without_shown(value) for name, value in node.items() if not (name == "card" and "type" in node)}
    return node


def _value(one: Json, given: Any) -> str | None:
    """As text; None where nothing is in it. Raise CannotDo for what the client refuses beside the field."""
    text = str(given) if given is not None else str(one["value"]) if one.get("value") is not None else ""
    if one["type"] == "Input.Toggle" and not text:
        return str(one.get("valueOff", "false"))
    if not text:
        if one.get("isRequired"):
            raise CannotDo(one.get("errorMessage") or f"{one.get('label')} is required")
        return None
    if one["type"] == "Input.ChoiceSet":
        _chosen(one, text)
    if one["type"] == "Input.Text":
        if len(text) > one.get("maxLength", len(text)):
            raise CannotDo(f"{one['id']} takes {one['maxLength']} characters")
        if "regex" in one and not re.search(one["regex"], text):
            raise CannotDo(one.get("errorMessage") or f"{one['id']} is not as it should be")
    return text


def _chosen(one: Json, text: str) -> None:
    offered = {choice["value"] for choice in one.get("choices", ())}
    wanted = text.split(",") if one.get("isMultiSelect") else [text]
    lost = [value for value in wanted if value not in offered]
    if lost and "choices.data" not in one:
        raise CannotDo(f"{lost[0]!r} is no choice of {one['id']}: {sorted(offered)}")
