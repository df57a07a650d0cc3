"""What our cards carry beside what is said in them, so that a press can be told from another: names of forms, and whose alone
a card is."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.chat.form import Form

# In a button's data: the card is somebody's alone, and the ledger knows nothing of it.
ALONE = "alone"


def alone(card: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same card, whose presses say that it is nobody else's."""
    found = copy.deepcopy(dict(card))
    for action in executed(found):
        action["data"] = {**(action.get("data") or {}), ALONE: True}
    return found


def executed(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("type") == "Action.Execute":
            yield part
        for each in part.values():
            yield from executed(each)
    elif isinstance(part, list):
        for each in part:
            yield from executed(each)


# ---------------------------------------------------------------- names of forms


def versioned(form: Form, name: str, version: int) -> Form:
    return replace(form, name=f"{name}.{version}")


def window_of(name: object) -> tuple[str, str]:
    """(name, version) out of what a card brought back."""
    window, _, version = name.partition(".") if isinstance(name, str) and name.isascii() else ("", "", "")
    return (window, version) if window.isalnum() and len(window) <= 64 else ("", "")


# ---------------------------------------------------------------- what lets a form open


def trigger_for(person: str, act: str, zone: str) -> str:
    """`person`: in whose chat it stands, by the object id. `act`: opens one form. `zone`: of the reader's clock."""
    return json.dumps([person, act, zone])


def read_trigger(trigger: str) -> tuple[str, str, str]:
    """Empty where it is none."""
    try:
        person, act, zone = json.loads(trigger)
    except (ValueError, TypeError):
        return "", "", ""
    return str(person), str(act), str(zone)
