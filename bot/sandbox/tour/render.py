"""A message as somebody sees it, for a terminal: Block Kit and mrkdwn become styled text, times the reader's own clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.sandbox.slack import Message, SlackServer

Block = dict[str, Any]

_TOKEN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<!date\^(?P<epoch>[0-9]+)\^(?P<form>[^|<>]*)\|(?P<fallback>[^<>]*)>"
    r"|<!subteam\^(?P<group>[A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<@(?P<person>[A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<#(?P<channel>[A-Z0-9]+)(?:\|[^<>]*)?>"
    r"|<(?P<url>[a-z]+:[^|<>]*)(?:\|(?P<label>[^<>]*))?>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])",
    re.DOTALL,
)
_FENCE = re.compile(r"```(.*?)```", re.DOTALL)
_LABEL_WIDTH = 11
_BUTTON = {"primary": "bold green", "danger": "red"}


@dataclass(frozen=True, slots=True)
class Names:
    """What Slack shows in place of ids."""

    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, slack: SlackServer) -> Names:
        ws = slack.workspace
        with ws.lock:
            return cls(
                {user.id: user.display_name or user.real_name for user in ws.users.values()},
                {group.id: group.handle for group in ws.groups.values()},
                {channel.id: channel.name for channel in ws.channels.values()},
            )


def drawn(message: Message, names: Names) -> RenderableType:
    """All blocks of a message, one under the other; a message without blocks is its text."""
    if not message.blocks:
        return mrkdwn(message.text, names)
    return Group(*(part for block in message.blocks for part in _block(block, names)))


def mrkdwn(text: str, names: Names, style: str = "") -> Text:
    """Tokens as what they show, bold and code as styles, entities as their characters."""
    found, at = Text(style=style), 0
    for match in _TOKEN.finditer(text):
        found.append(unescape(text[at : match.start()]))
        found.append_text(_token(match, names))
        at = match.end()
    return found.append(unescape(text[at:]))


def _token(match: re.Match[str], names: Names) -> Text:
    kind = match.lastgroup or ""
    if match["epoch"] is not None:
        return Text(_when(int(match["epoch"]), match["form"]))
    if match["url"] is not None:
        return Text(unescape(match["label"] or match["url"]), style="underline")
    if kind == "bold":
        return mrkdwn(match[kind], names, "bold")
    return _PLAIN[kind](match[kind], names)


_PLAIN: dict[str, Callable[[str, Names], Text]] = {
    "code": lambda text, _: Text(unescape(text), style="cyan"),
    "italic": lambda text, names: mrkdwn(text, names, "italic"),
    "group": lambda id_, names: Text(f"@{names.groups.get(id_, id_)}", style="bold blue"),
    "person": lambda id_, names: Text(f"@{names.people.get(id_, id_)}", style="bold blue"),
    "channel": lambda id_, names: Text(f"#{names.channels.get(id_, id_)}", style="blue"),
}


def _when(epoch: int, form: str) -> str:
    """On this machine's clock, as Slack does it on the reader's."""
    moment = datetime.fromtimestamp(epoch, tz=UTC).astimezone()
    day = f"{moment:%b} {moment.day}"
    return (
        form.replace("{date_short_pretty}", day)
        .replace("{time_secs}", f"{moment:%T}")
        .replace("{time}", f"{moment:%H:%M}")
    )


# ---------------------------------------------------------------- blocks


def _block(block: Block, names: Names) -> Iterator[RenderableType]:
    show = _SHOWN.get(block["type"])
    if show:
        yield from show(block, names)


def _text(node: Block, names: Names, style: str = "") -> Text:
    return mrkdwn(node["text"], names, style) if node["type"] == "mrkdwn" else Text(node["text"], style=style)


def _section(block: Block, names: Names) -> Iterator[RenderableType]:
    if "text" in block:
        yield from _paragraph(block["text"], names)
    if "fields" in block:
        yield pairs(_field(item, names) for item in block["fields"])
    if "accessory" in block:
        yield _element(block["accessory"], names)


def _paragraph(node: Block, names: Names) -> Iterator[RenderableType]:
    if node["type"] != "mrkdwn":
        yield Text(node["text"])
        return
    for number, part in enumerate(_FENCE.split(node["text"])):
        if number % 2:
            # Lines to copy: cut, where a terminal is too narrow, rather than folded into something else.
            yield Text(unescape(part.strip("\n")), style="cyan", no_wrap=True, overflow="ellipsis")
        elif part.strip():
            yield mrkdwn(part.strip("\n"), names)


def _field(item: Block, names: Names) -> tuple[Text, Text]:
    label, _, value = item["text"].partition("\n")
    return mrkdwn(label.strip("*"), names, "dim"), mrkdwn(value, names)


def pairs(rows: Any) -> Table:
    """Labels and values in two columns."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=_LABEL_WIDTH)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(label, value)
    return grid


def _context(block: Block, names: Names) -> Iterator[RenderableType]:
    yield Text("  ").join(_text(item, names, "dim") for item in block["elements"])


def _actions(block: Block, names: Names) -> Iterator[RenderableType]:
    yield Text("  ").join(_element(item, names) for item in block["elements"])
    for item in block["elements"]:
        if "url" in item:
            yield Text(item["url"], style="dim underline", overflow="fold")


def _element(element: Block, names: Names) -> Text:
    if element["type"] == "button":
        return Text(f"[ {_text(element['text'], names)} ]", style=_BUTTON.get(element.get("style", ""), "bold"))
    return Text("[ ... ]", style="bold")


def _rich_text(block: Block, _names: Names) -> Iterator[RenderableType]:
    """What somebody wrote, marked at its side as a quote is."""
    for part in block["elements"]:
        words = "".join(piece.get("text", "") for piece in part["elements"])
        quoted = part["type"] == "rich_text_quote"
        yield Text(f"│ {words}" if quoted else words, style="italic" if quoted else "")


_SHOWN: dict[str, Callable[[Block, Names], Iterator[RenderableType]]] = {
    "section": _section,
    "rich_text": _rich_text,
    "context": _context,
    "actions": _actions,
    "header": lambda block, names: iter([_text(block["text"], names, "bold")]),
    "divider": lambda _block, _names: iter([Text("───", style="dim")]),
}
