"""Adaptive Cards 1.5 by small functions. Output is plain dicts (adaptivecards.io/explorer)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.teams.cards import text as t

Element = dict[str, Any]

VERSION = "1.5"
TITLE_LENGTH_MAX = 60
# As many buttons of a set Teams shows; the others stand in the menu behind them
# (learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#adaptive-cards-overflow-menu).
ACTIONS_MAX = 6
_STYLES = {"primary": "positive", "danger": "destructive"}


def card(body: Sequence[Element]) -> Element:
    return {"type": "AdaptiveCard", "version": VERSION, "body": list(body)}


def weight(node: Any) -> int:
    """In bytes, as Teams counts."""
    return t.size_of(json.dumps(node, ensure_ascii=False, separators=(",", ":")))


# ---------------------------------------------------------------- text


def run(text: str, **look: Any) -> Element:
    """`text`: made inert already, or ours."""
    return {"type": "TextRun", "text": text, **look}


def rich_text(runs: Sequence[Element], **where: Any) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs), **where}


def words(text: str, **look: Any) -> Element:
    """One sentence in one form."""
    return rich_text([run(t.inert(text), **look)])


def container(items: Sequence[Element], style: str | None = None) -> Element:
    return {"type": "Container", "items": list(items)} | ({"style": style} if style else {})


def columns(*found: Element) -> Element:
    return {"type": "ColumnSet", "columns": list(found)}


def column(items: Sequence[Element], width: str = "stretch") -> Element:
    return {"type": "Column", "width": width, "items": list(items)}


# ---------------------------------------------------------------- what can be pressed


def action_set(actions: Sequence[Element]) -> Element | None:
    """What has no room is in the menu behind the others."""
    shown = 0
    found = []
    for action in actions:
        first = action.get("mode") != "secondary"
        shown += first
        found.append(action | {"mode": "secondary"} if first and shown > ACTIONS_MAX else action)
    return {"type": "ActionSet", "actions": found} if found else None


def execute(title: str, verb: str, data: Element, *, style: str | None = None, said: str | None = None) -> Element:
    """`said`: for a screen reader."""
    return {"type": "Action.Execute", "verb": verb, "data": data, **_face(title, style, said)}


def show_card(title: str, body: Sequence[Element], *, style: str | None = None, said: str | None = None) -> Element:
    """Opens under the button."""
    inside = {"type": "AdaptiveCard", "body": list(body)}
    return {"type": "Action.ShowCard", "card": inside, **_face(title, style, said)}


def open_url(title: str, url: str, *, style: str | None = None, said: str | None = None) -> Element:
    return {"type": "Action.OpenUrl", "url": url, **_face(title, style, said)}


def _face(title: str, style: str | None, said: str | None) -> Element:
    face: Element = {"title": t.quiet(title, TITLE_LENGTH_MAX)}
    face |= {"style": _STYLES[style]} if style in _STYLES else {}
    return face | ({"tooltip": t.quiet(said, 100)} if said else {})


def choice(label: str, value: str) -> Element:
    return {"title": t.quiet(label, 150), "value": value}
