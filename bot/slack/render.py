"""Draws messages, forms and homes as Block Kit, within Slack's limits. Here alone is escaped what people wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bot.chat.message import (
    Button,
    Buttons,
    Confirm,
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
from bot.chat.places import surface_of
from bot.chat.rich import Bold, Called, Channel, Code, Link, Rich, Span, Text, Time
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from workflows.core.identity import SLACK

Block = dict[str, Any]


def text_of(message: Message) -> str:
    """What a lock screen shows and a screen reader reads: tokens of people and times, and no markup."""
    return t.cut_mrkdwn(_begun(_unmarked(message.summary), t.FALLBACK_LENGTH_MAX), t.FALLBACK_LENGTH_MAX)


def _begun(rich: Rich, length: int) -> str:
    """As far as `length` and a little further: of a long list nothing is drawn that is cut off."""
    drawn, found = 0, list[str]()
    for span in rich:
        found.append(_span(span))
        drawn += len(found[-1])
        if drawn > length:
            break
    return "".join(found)


def _unmarked(rich: Rich) -> Rich:
    return tuple(each for span in rich for each in (_unmarked(span.inside) if isinstance(span, Bold) else (span,)))


def blocks_of(message: Message) -> list[Block]:
    """The fullest version that Slack takes."""
    blocks = drawn(message.parts)
    for parts in message.shorter:
        if b.weight(blocks) <= b.WEIGHT_MAX:
            break
        blocks = drawn(parts)
    return blocks


def home_of(parts: Iterable[Part]) -> dict[str, Any]:
    """The view for views.publish."""
    return {"type": "home", "blocks": drawn(parts)}


def drawn(parts: Iterable[Part]) -> list[Block]:
    return [block for part in parts for block in _DRAWN[type(part)](part)]


# ---------------------------------------------------------------- text


def mrkdwn(rich: Rich) -> str:
    return "".join(_span(span) for span in rich)


def _span(span: Span) -> str:
    match span:
        case Text(text, ours):
            return t.escape(text) if ours else _given(text)
        case Bold(inside) | Code(inside):
            before, after = _SIGNS[type(span)]
            return f"{before}{mrkdwn(inside)}{after}"
        case Time(moment, reference, with_day):
            return t.when(moment, reference, with_day=with_day)
        case Called(id_, name):
            # Whoever has another chat's id is nobody here, or somebody else.
            return t.mention(id_) if surface_of(id_) == SLACK else _given(name or "somebody")
        case Channel(id_):
            return f"<#{id_}>"
        case Link(url, label):
            return t.link(url, label)


_SIGNS: dict[type[Span], tuple[str, str]] = {Bold: ("*", "*"), Code: ("`", "`")}


def _given(text: str) -> str:
    """Somebody's words. Blanks at their ends separate them from their neighbours."""
    lead, tail = (" " if text[:1] == " " else ""), (" " if text[-1:] == " " else "")
    return lead + t.literal(text, len(text)) + tail if text.strip() else " " * bool(text)


# ---------------------------------------------------------------- parts


def _line(part: Line) -> list[Block]:
    text = mrkdwn(part.text)
    cut = text if part.length_max is None else t.cut_mrkdwn(text, part.length_max)
    return [b.section(cut, button(part.button) if part.button else None)]


def _quote(part: Quote) -> list[Block]:
    return list(filter(None, [b.quote(part.text)]))


def _fields(part: Fields) -> list[Block]:
    return list(filter(None, [b.fields([(label, mrkdwn(value)) for label, value in part.pairs])]))


def _snippet(part: Snippet) -> list[Block]:
    return [b.code(part.lines, mrkdwn(part.lead))]


def _listing(part: Listing) -> list[Block]:
    room = b.WEIGHT_MAX if part.room is None else part.room
    return b.paragraphs(map(mrkdwn, part.lines), len(part.lines), room, mrkdwn(part.more), part.left_out)


def _buttons(part: Buttons) -> list[Block]:
    return list(filter(None, [b.actions(*map(_element, part.elements))]))


def _element(one: Button | Menu | Pick) -> Block:
    match one:
        case Button():
            return button(one)
        case Menu():
            return menu(one)
        case Pick():
            return b.static_select(one.action, one.options, one.prompt)


def button(one: Button) -> Block:
    sure = confirmation(one.confirm) if one.confirm else None
    element = b.button(one.label, one.action, one.value, style=one.style, confirm=sure, url=one.url)
    return element | ({"accessibility_label": one.said[:75]} if one.said else {})


def menu(one: Menu) -> Block:
    return b.overflow(one.action, one.options)


def confirmation(one: Confirm) -> Block:
    return b.confirmation(one.title, one.text, one.yes, one.no, style="danger" if one.dangerous else None)


_DRAWN: dict[type[Part], Callable[[Any], list[Block]]] = {
    Line: _line,
    Quote: _quote,
    Fields: _fields,
    Small: lambda part: [b.context(mrkdwn(part.text))],
    Heading: lambda part: [b.header(part.text)],
    Snippet: _snippet,
    Listing: _listing,
    Divider: lambda _: [b.divider()],
    Buttons: _buttons,
}
