"""What Teams takes as an Adaptive Card: the elements of schema 1.5 with their properties, and what goes with an action.

From the published schema (adaptivecards.io/explorer) and "Cards" at learn.microsoft.com. Unknown properties are refused here
though clients would overlook them: what is misspelt does nothing, and nobody would see it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.sandbox.teams.card_schema import (
    ACTIONS,
    BOXES,
    CARD_PROPERTIES,
    ELEMENTS,
    ENUMS,
    INLINES,
    NEEDS,
    STYLES,
    VERSION_MAX,
)
from bot.sandbox.teams.people import Json


def faults_of(card: Any) -> list[str]:
    """Why Teams would not take it, each with its place; none where it would."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        return ["the content is no AdaptiveCard"]
    found = [*_versions(card), *_card(card, "card")]
    return found + _doubled(card)


def _versions(card: Json) -> Iterator[str]:
    version = card.get("version")
    try:
        numbers = tuple(int(part) for part in str(version).split("."))
    except ValueError:
        numbers = ()
    if len(numbers) != 2 or not isinstance(version, str):
        yield f"version {version!r} is none"
    elif numbers > VERSION_MAX:
        yield f"version {version} is above 1.5, which is the newest that Teams shows"


def _card(card: Json, at: str) -> Iterator[str]:
    if card.get("type") != "AdaptiveCard":
        yield f"{at}: type {card.get('type')!r} is no AdaptiveCard"
    yield from _unknown(card, CARD_PROPERTIES, at)
    yield from _each(card, "body", at, _element)
    yield from _each(card, "actions", at, _action)
    if not card.get("body") and not card.get("actions"):
        yield f"{at}: is empty"
    yield from _mentions(card, at)


def _mentions(card: Json, at: str) -> Iterator[str]:
    said = list(_texts(card))
    for entity in (card.get("msteams") or {}).get("entities", ()):
        text, whom = entity.get("text", ""), entity.get("mentioned") or {}
        if entity.get("type") != "mention" or not whom.get("id") or not whom.get("name"):
            yield f"{at}: an entity is no mention with the id and name of somebody"
        if not (text.startswith("<at>") and text.endswith("</at>")) or not any(text in one for one in said):
            yield f"{at}: the mention {text!r} stands in no text"


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in ("text", "value", "title") and isinstance(value, str):
                yield value
            elif name != "msteams":
                yield from _texts(value)


def _each(node: Json, name: str, at: str, look: Any) -> Iterator[str]:
    items = node.get(name, [])
    if not isinstance(items, list):
        yield f"{at}.{name}: is no list"
        return
    for number, item in enumerate(items):
        where = f"{at}.{name}[{number}]"
        if isinstance(item, dict):
            yield from look(item, where)
        else:
            yield f"{where}: is no object"


def _element(node: Json, at: str) -> Iterator[str]:
    kind = node.get("type")
    known = ELEMENTS.get(str(kind))
    if known is None:
        if node.get("fallback") is None:
            yield f"{at}: no element is called {kind!r}"
        return
    yield from _unknown(node, known, at)
    yield from _missing(node, at)
    yield from _values(node, at)
    if str(kind).startswith("Input."):
        yield from _input(node, at)
    if kind == "RichTextBlock":
        yield from _each(node, "inlines", at, _inline)
    for name, look in (
        ("items", _element),
        ("actions", _action),
        ("cells", _cell),
        ("rows", _row),
        ("images", _element),
    ):
        yield from _each(node, name, at, look)
    if kind == "ColumnSet":
        yield from _each(node, "columns", at, _column)
    if kind == "FactSet":
        yield from _each(node, "facts", at, _fact)
    for name in ("selectAction", "inlineAction"):
        if name in node:
            yield from _action(node[name], f"{at}.{name}")


def _cell(node: Json, at: str) -> Iterator[str]:
    yield from _element({"type": "TableCell"} | node, at)


def _row(node: Json, at: str) -> Iterator[str]:
    yield from _element({"type": "TableRow"} | node, at)


def _column(node: Json, at: str) -> Iterator[str]:
    yield from _element({"type": "Column"} | node, at)


def _fact(node: Json, at: str) -> Iterator[str]:
    if not isinstance(node.get("title"), str) or not isinstance(node.get("value"), str):
        yield f"{at}: a fact is a title and a value"


def _inline(node: Json, at: str) -> Iterator[str]:
    if node.get("type") != "TextRun":
        yield f"{at}: an inline is a TextRun, not {node.get('type')!r}"
        return
    if not isinstance(node.get("text"), str):
        yield f"{at}: needs text"
    yield from _unknown(node, INLINES, at)
    yield from _values(node, at)


def _input(node: Json, at: str) -> Iterator[str]:
    if not isinstance(node.get("id"), str) or not node["id"]:
        yield f"{at}: an input needs an id"
    if node.get("isRequired") and not node.get("label"):
        yield f"{at}: what is required needs a label"
    if node.get("value") is not None and not isinstance(node["value"], (str, int, float)):
        yield f"{at}: value is no text"
    if node["type"] == "Input.ChoiceSet":
        yield from _choices(node, at)


def _choices(node: Json, at: str) -> Iterator[str]:
    data = node.get("choices.data")
    if data is not None and (data.get("type") != "Data.Query" or not data.get("dataset")):
        yield f"{at}: choices.data is no Data.Query with a dataset"
    choices = node.get("choices", [])
    if not choices and data is None:
        yield f"{at}: has no choices"
    for choice in choices:
        if not isinstance(choice.get("title"), str) or not isinstance(choice.get("value"), str):
            yield f"{at}: a choice is a title and a value, both texts"


def _action(node: Any, at: str) -> Iterator[str]:
    kind = node.get("type") if isinstance(node, dict) else None
    known = ACTIONS.get(str(kind))
    if known is None:
        yield f"{at}: no action is called {kind!r}"
        return
    yield from _unknown(node, known, at)
    yield from _missing(node, at)
    yield from _values(node, at)
    if kind == "Action.ShowCard":
        yield from _card(node["card"], f"{at}.card") if isinstance(node.get("card"), dict) else iter([f"{at}: no card"])
    if kind == "Action.OpenUrl" and not str(node.get("url", "")).startswith(("https://", "http://")):
        yield f"{at}: {node.get('url')!r} is no address"
    if kind == "Action.Execute" and not isinstance(node.get("data", {}), dict):
        yield f"{at}: data is no object"
    if node.get("associatedInputs", "auto") not in ("auto", "none"):
        yield f"{at}: associatedInputs is auto or none"


def _unknown(node: Json, known: frozenset[str], at: str) -> Iterator[str]:
    for name in node:
        if name not in known:
            yield f"{at}: {node.get('type')} has no {name!r}"


def _missing(node: Json, at: str) -> Iterator[str]:
    for name in NEEDS.get(node["type"], ()):
        if name not in node:
            yield f"{at}: {node['type']} needs {name}"
    if node["type"] == "TextBlock" and not isinstance(node.get("text", ""), str):
        yield f"{at}: text is no text"


def _values(node: Json, at: str) -> Iterator[str]:
    for name, allowed in ENUMS.items():
        value = node.get(name)
        if isinstance(value, str) and value.lower() not in allowed:
            yield f"{at}: {name} is no {value!r}"
    kind = str(node["type"])
    styles = STYLES.get("Action" if kind.startswith("Action.") else "Box" if kind in BOXES else kind)
    style = node.get("style")
    if styles is not None and isinstance(style, str) and style.lower() not in styles:
        yield f"{at}: style is no {style!r}"


def _doubled(card: Json) -> list[str]:
    """An id names one input in the whole card, those in ShowCards included."""
    names = [node["id"] for node in nodes(card) if str(node.get("type", "")).startswith("Input.") and node.get("id")]
    return [f"two inputs have the id {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]


def nodes(card: Any) -> Iterator[Json]:
    """All elements and actions in reading order, those of ShowCards included."""
    if isinstance(card, list):
        for item in card:
            yield from nodes(item)
    elif isinstance(card, dict):
        if isinstance(card.get("type"), str):
            yield card
        for name, value in card.items():
            if name not in ("data", "msteams", "refresh"):
                yield from nodes(value)


def size_of(value: Any) -> int:
    """Bytes as Teams counts them: JSON in UTF-16."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le"))


def words(card: Json | None) -> str:
    """What is drawn, a line for each text; buttons and choices left out."""
    lines = []
    for node in nodes(card or {}):
        kind = node.get("type")
        if kind == "RichTextBlock":
            lines.append("".join(str(run.get("text", "")) for run in node.get("inlines", ())))
        elif kind == "TextBlock":
            lines.append(str(node["text"]))
        elif kind == "FactSet":
            lines += [f"{fact['title']} {fact['value']}" for fact in node["facts"]]
    return "\n".join(lines)


def actions(card: Json | None) -> list[Json]:
    """All that can be pressed, in reading order, those in ShowCards included."""
    return [node for node in nodes(card or {}) if str(node.get("type", "")).startswith("Action.")]


def inputs(card: Json | None) -> list[Json]:
    return [node for node in nodes(card or {}) if str(node.get("type", "")).startswith("Input.")]
