"""Messages as plain text: for a terminal, for what no chat draws, and for tests to read. Times are in UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bot.chat.message import (
    Button,
    Buttons,
    Divider,
    Fields,
    Heading,
    Line,
    Listing,
    Menu,
    Message,
    Part,
    Pick,
    Quote,
    Small,
    Snippet,
)
from bot.chat.rich import Bold, Called, Channel, Code, Link, Rich, Span, Text, Time
from bot.chat.text import clock


def as_text(message: Message) -> str:
    """What a reader sees. A message without parts is its summary."""
    return parts_as_text(message.parts) if message.parts else text_of(message.summary)


def parts_as_text(parts: Iterable[Part]) -> str:
    return "\n".join(text for part in parts if (text := _SHOWN[type(part)](part)))


def text_of(rich: Rich) -> str:
    """Without any formatting but the back-ticks around what can be typed."""
    return "".join(_span(span) for span in rich)


def _span(span: Span) -> str:
    match span:
        case Text(text):
            return text
        case Bold(inside) | Code(inside):
            before, after = _SIGNS[type(span)]
            return f"{before}{text_of(inside)}{after}"
        case Time(moment, reference, with_day):
            return clock(moment, reference, with_day=with_day)
        case Called(id_):
            return f"@{id_}"
        case Channel(id_):
            return f"#{id_}"
        case Link(url, label):
            return f"{label} ({url})"


_SIGNS: dict[type[Span], tuple[str, str]] = {Bold: ("", ""), Code: ("`", "`")}


def _listing(part: Listing) -> str:
    more = [text_of(part.more).format(part.left_out)] if part.left_out else []
    return "\n".join([*map(text_of, part.lines), *more])


def _snippet(part: Snippet) -> str:
    lead = [text_of(part.lead)] if part.lead else []
    return "\n".join([*lead, "```", *part.lines, "```"])


def _button(one: Button | Menu | Pick) -> str:
    if isinstance(one, Pick):
        return f"[ {one.prompt}: {', '.join(label for label, _ in one.options)} ]"
    if isinstance(one, Menu):
        return f"[ More: {', '.join(label for label, _ in one.options)} ]"
    return f"[ {one.label} {one.url} ]" if one.url else f"[ {one.label} ]"


def _line(part: Line) -> str:
    return "\n".join([text_of(part.text), *([_button(part.button)] if part.button else [])])


_SHOWN: dict[type[Part], Callable[[Any], str]] = {
    Line: _line,
    Quote: lambda part: f"| {part.text}",
    Fields: lambda part: "\n".join(f"{label:<11}{text_of(value)}" for label, value in part.pairs),
    Small: lambda part: text_of(part.text),
    Heading: lambda part: part.text.upper(),
    Snippet: _snippet,
    Listing: _listing,
    Divider: lambda _: "---",
    Buttons: lambda part: "  ".join(map(_button, part.elements)),
}
