"""What Slack is given as plain text, so that tests can read it: mrkdwn, blocks, a modal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.chat.commands.typed import unescape

_DATE = re.compile(r"<!date\^[0-9]+\^[^|<>]*\|([^<>]*)>")
_GROUP = re.compile(r"<!subteam\^([A-Z0-9]+)(?:\|[^<>]*)?>")
_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_LINK = re.compile(r"<([a-z]+:[^|<>]*)(?:\|([^<>]*))?>")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")


def view_as_text(view: dict[str, Any]) -> str:
    """A modal or an App Home."""
    title = view.get("title", {}).get("text", "")
    submit = view.get("submit", {}).get("text", "")
    parts = [f"== {title} ==" if title else "", blocks_as_text(view["blocks"]), f"[ {submit} ]" if submit else ""]
    return "\n".join(part for part in parts if part)


def blocks_as_text(blocks: Sequence[dict[str, Any]]) -> str:
    return "\n".join(line for block in blocks if (line := _block(block)))


def from_mrkdwn(text: str) -> str:
    """Tokens as what they show, entities as their characters, bold without its signs."""
    text = _DATE.sub(r"\1", text)
    text = _GROUP.sub(r"@\1", _PERSON.sub(r"@\1", text))
    text = _LINK.sub(lambda match: f"{match[2]} ({match[1]})" if match[2] else match[1], text)
    return unescape(_BOLD.sub(r"\1", text))


def _text(node: dict[str, Any]) -> str:
    return from_mrkdwn(node["text"]) if node["type"] == "mrkdwn" else str(node["text"])


def _block(block: dict[str, Any]) -> str:
    show = _SHOWN.get(block["type"])
    return show(block) if show else ""


def _section(block: dict[str, Any]) -> str:
    lines = [_text(block["text"])] if "text" in block else []
    lines += [_field(item) for item in block.get("fields", [])]
    if "accessory" in block:
        lines.append(_element(block["accessory"]))
    return "\n".join(lines)


def _field(item: dict[str, Any]) -> str:
    label, _, value = _text(item).partition("\n")
    return f"{label:<11}{value}"


def _context(block: dict[str, Any]) -> str:
    return "  ".join(_text(item) for item in block["elements"])


def _actions(block: dict[str, Any]) -> str:
    return "  ".join(_element(item) for item in block["elements"])


def _input(block: dict[str, Any]) -> str:
    hint = f"  ({_text(block['hint'])})" if "hint" in block else ""
    return f"{_text(block['label'])}: {_element(block['element'])}{hint}"


def _element(element: dict[str, Any]) -> str:
    kind = element["type"]
    if kind == "button":
        url = f" {element['url']}" if "url" in element else ""
        return f"[ {_text(element['text'])}{url} ]"
    if kind == "overflow":
        return f"[ More: {', '.join(_text(option['text']) for option in element['options'])} ]"
    chosen = element.get("initial_option")
    options = [
        ("(o) " if option == chosen else "( ) ") + _text(option["text"]) for option in element.get("options", [])
    ]
    return " ".join(options) if options else f"[{element.get('initial_value', '') or kind.replace('_', ' ')}]"


def _rich_text(block: dict[str, Any]) -> str:
    """Only quotes are sent."""
    return "\n".join(f"| {piece['text']}" for part in block["elements"] for piece in part["elements"])


_SHOWN: dict[str, Callable[[dict[str, Any]], str]] = {
    "section": _section,
    "rich_text": _rich_text,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "header": lambda block: _text(block["text"]).upper(),
    "divider": lambda _: "---",
}
