"""Draws the parts of a message, or of a form, as elements of a card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.chat.message import Buttons, Divider, Fields, Heading, Line, Listing, Part, Quote, Small, Snippet
from bot.chat.rich import Rich, Text
from bot.chat.text import cut, one_line
from bot.chat.wording.labels import BREAK_GLASS
from bot.teams.cards import elements as e
from bot.teams.cards import pressing, sentences
from bot.teams.cards import text as t
from bot.teams.cards.elements import Element
from bot.teams.cards.mentions import Mentions

QUOTE_LENGTH_MAX = 1000
_FIELDS_MAX = 10
_LOOK_SMALL: Mapping[str, Any] = {"size": "Small", "isSubtle": True}
# A line that begins with one of these is seen before it is read.
_MARKS = {"🚨": "attention", "⚠️": "warning"}
# So much a message is, where the room of a listing is told (`bot.chat.message.Listing`).
_MESSAGE_LENGTH = 12_500


@dataclass(frozen=True, slots=True)
class Drawing:
    """One card. `carried`: what comes back from the form that it is, if it is one."""

    mentions: Mentions = field(default_factory=Mentions)
    carried: Mapping[str, Any] = field(default_factory=dict)

    def all(self, parts: Sequence[Part], bytes_max: int) -> list[Element]:
        """Listings get what the other parts leave."""
        found = [None if isinstance(part, Listing) else self.one(part) for part in parts]
        left = bytes_max - e.weight([element for elements in found for element in elements or ()])
        listings = sum(elements is None for elements in found)
        elements: list[Element] = []
        for part, drawn in zip(parts, found, strict=True):
            if isinstance(part, Listing):
                shown = self._listing(part, max(0, left) // listings, bytes_max)
                left, listings = left - e.weight(shown), listings - 1
                elements += shown
            else:
                elements += drawn or ()
        return elements

    def one(self, part: Part) -> list[Element]:
        return _DRAWN[type(part)](self, part)

    def _text(self, rich: Rich, *, length_max: int | None = None, **look: Any) -> list[Element]:
        return sentences.drawn(rich, self.mentions, length_max=length_max, **look)

    # ------------------------------------------------------------ the parts

    def _line(self, part: Line) -> list[Element]:
        shown = self._text(part.text, length_max=part.length_max)
        style = _mark(part.text)
        shown = [e.container(shown, style)] if style and shown else shown
        if part.button is None:
            return shown
        button, opens = pressing.beside(part.button, self.carried)
        if button is None or opens:
            return [*shown, *([button] if button else [])]
        return [e.columns(e.column(shown), e.column([button], "auto") | {"verticalContentAlignment": "Center"})]

    def _quote(self, part: Quote) -> list[Element]:
        said = cut(one_line(part.text), QUOTE_LENGTH_MAX)
        return [e.container([e.words(said)], "emphasis")] if said else []

    def _fields(self, part: Fields) -> list[Element]:
        """Two beside each other."""
        found = [self._field(label, value) for label, value in part.pairs[:_FIELDS_MAX] if value]
        rows = [found[at : at + 2] for at in range(0, len(found), 2)]
        return [e.columns(*row) for row in rows]

    def _field(self, label: str, value: Rich) -> Element:
        first, *others = self._text(value) or [e.words("–")]
        return e.column([e.words(label, **_LOOK_SMALL), first | {"spacing": "None"}, *others])

    def _snippet(self, part: Snippet) -> list[Element]:
        lines = [e.run(t.inert(line), fontType="Monospace") for line in part.lines if line.strip()]
        shown = [e.rich_text([run], **({"spacing": "Small"} if number else {})) for number, run in enumerate(lines)]
        return [*self._text(part.lead), *([e.container(shown, "emphasis")] if shown else [])]

    def _buttons(self, part: Buttons) -> list[Element]:
        return pressing.drawn(part, self.carried)

    def _listing(self, part: Listing, room: int, bytes_max: int) -> list[Element]:
        """What has no room is counted."""
        if part.room is not None:
            room = min(room, part.room * bytes_max // _MESSAGE_LENGTH)
        count = len(part.lines) + part.left_out
        left = room - e.weight(self._more(part, count))
        shown: list[Element] = []
        kept = 0
        for line in part.lines:
            elements = [element | {"spacing": "Small"} if shown else element for element in self._text(line)]
            left -= e.weight(elements)
            if left < 0:
                break
            shown += elements
            kept += 1
        return shown + (self._more(part, count - kept) if count > kept else [])

    def _more(self, part: Listing, count: int) -> list[Element]:
        filled = tuple(
            Text(span.text.replace("{}", str(count)), span.ours) if isinstance(span, Text) else span
            for span in part.more
        )
        return [element | {"spacing": "Small"} for element in self._text(filled)]


def _mark(rich: Rich) -> str | None:
    """Of our own words alone: nobody's name begins an alarm."""
    first = rich[0] if rich and isinstance(rich[0], Text) else Text("")
    ours = first.ours or first.text == BREAK_GLASS
    return next((style for mark, style in _MARKS.items() if ours and first.text.startswith(mark)), None)


_DRAWN: dict[type[Part], Callable[[Drawing, Any], list[Element]]] = {
    Line: Drawing._line,
    Quote: Drawing._quote,
    Fields: Drawing._fields,
    Small: lambda self, part: self._text(part.text, **_LOOK_SMALL),
    Heading: lambda _, part: [e.words(part.text, size="Medium", weight="Bolder") | {"separator": True}],
    Snippet: Drawing._snippet,
    Divider: lambda _, __: [e.words(" ") | {"separator": True}],
    Buttons: Drawing._buttons,
}


def is_list(parts: Iterable[Part]) -> bool:
    """What reads better in the whole width of a window; a sentence or two does not."""
    return any(isinstance(part, Snippet) or (isinstance(part, Listing) and len(part.lines) > 3) for part in parts)
