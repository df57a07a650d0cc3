"""Rich text: what a sentence says and how, without a chat's own signs. Escaped where it is rendered, and nowhere else.

`say("{} asks for *{}*, type `{}`", name, role, typed)`: what stands in the template is ours, and its `*` and back-ticks format;
whatever is put in is somebody else's, and formats nothing and calls nobody, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bot.chat.text import MENTIONS_MAX, cut, far, one_line
from bot.chat.wording.labels import Asked, Moment, Words
from workflows.core.destination import is_person

PART_LENGTH_MAX = 1200


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who is not called in this chat: their name alone."""

    name: str


# Whom a message calls: the id of a person or a group in its chat.
Mention = str | Named
Mentions = Mapping[str, Sequence[Mention]]
"""Group name of the policy -> whom to call in this chat: the group as one, or its people."""


@dataclass(frozen=True, slots=True)
class Text:
    """`ours`: written by us, as it is. Otherwise somebody's words, on one line."""

    text: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Bold:
    inside: Rich


@dataclass(frozen=True, slots=True)
class Code:
    inside: Rich


@dataclass(frozen=True, slots=True, repr=False)
class Time:
    """The reader's own clock; the day, too, where it is far from `reference`.

    `reference` is a time of the record for what is over, so that a card that is done never changes again.
    """

    moment: Moment
    reference: datetime
    with_day: bool = False

    def __repr__(self) -> str:
        """What is shown. The reference is none of it: by this a message is compared with the one that was sent."""
        return f"Time({self.moment!r}, with_day={self.with_day or far(self.moment, self.reference)})"


@dataclass(frozen=True, slots=True)
class Called:
    """Calls one person, or one group of people, by the id that they have in this chat.

    `name`: for chats that call nobody without one. It changes no message: whoever is called stays the same.
    """

    id: str
    name: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Channel:
    id: str


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    label: str


Span = Text | Bold | Code | Time | Called | Channel | Link
Rich = tuple[Span, ...]
# What can be put into a sentence.
Value = str | int | Span | Rich

NOTHING: Rich = ()
_FORMATS = re.compile(r"([*`])")
_HOLE = re.compile(r"\{(\w*)\}")


def say(template: str, /, *values: Value, **named: Value) -> Rich:
    """A sentence of ours with values in its holes: `{}` in their order, `{name}` by name. Empty values leave nothing.

    Raises IndexError and KeyError where a value is missing, and ValueError where a sign of formatting is not closed.
    """
    found = _Reading(values, named)
    rich = found.read(template)
    if found.left:
        raise ValueError(f"more values than holes: {template}")
    return rich


class _Reading:
    def __init__(self, values: Sequence[Value], named: Mapping[str, Value]) -> None:
        self._values = list(values)
        self._named = named

    @property
    def left(self) -> int:
        return len(self._values)

    def read(self, template: str) -> Rich:
        spans: list[Span] = []
        inside: list[Span] = []
        sign = ""
        for piece, parts in _taken_apart(template):
            if piece and piece == sign:
                spans.append(Bold(tuple(inside)) if sign == "*" else Code(tuple(inside)))
                inside, sign = [], ""
            elif piece in ("*", "`") and not sign:
                sign = piece
            else:
                (inside if sign else spans).extend(self._filled(parts))
        if sign:
            raise ValueError(f"{sign} is not closed: {template}")
        return tuple(spans)

    def _filled(self, parts: Sequence[Text | str]) -> Iterator[Span]:
        for part in parts:
            if isinstance(part, Text):
                yield part
            else:
                yield from spans(self._named[part] if part else self._values.pop(0))


# A sentence of ours is said thousands of times.
@lru_cache(maxsize=2048)
def _taken_apart(template: str) -> Sequence[tuple[str, Sequence[Text | str]]]:
    """Between the signs of formatting, and each of these: what is ours, and the names of holes."""
    return [(piece, tuple(_parts(piece))) for piece in _FORMATS.split(template)]


def _parts(piece: str) -> Iterator[Text | str]:
    for number, part in enumerate(_HOLE.split(piece)):
        if number % 2:
            yield part
        elif part:
            yield Text(part, ours=True)


def spans(value: Value) -> Rich:
    if isinstance(value, str):
        return (Text(value),) if value else ()
    if isinstance(value, int):
        return (Text(str(value)),)
    return value if isinstance(value, tuple) else (value,)


def ours(text: str) -> Rich:
    """A sentence of ours as it stands, without any formatting."""
    return (Text(text, ours=True),) if text else ()


def marked(text: str) -> Rich:
    """A sentence of ours that is text already: its back-ticks format, and nothing else does."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return ours(text)
    found = [
        Code(ours(piece)) if number % 2 else Text(piece, ours=True) for number, piece in enumerate(pieces) if piece
    ]
    return tuple(found)


def short(text: str, length_max: int = 300) -> str:
    """What somebody wrote, on one line, and cut."""
    return cut(one_line(text), length_max)


def join(parts: Iterable[Value], between: str = " · ") -> Rich:
    """Those that say something, with a separator of ours between them."""
    found: list[Span] = []
    for part in parts:
        if part:
            found += [Text(between, ours=True), *spans(part)] if found else spans(part)
    return tuple(found)


def capitalised(whole: Rich) -> Rich:
    """The same at the beginning of a sentence."""
    first = whole[0] if whole else None
    if not isinstance(first, Text):
        return whole
    return (Text(first.text[:1].upper() + first.text[1:], first.ours), *whole[1:])


def series(parts: Iterable[Value]) -> Rich:
    """`Olu`, `Olu and Pat`, `Olu, Pat and Sid`."""
    found = [part for part in parts if part]
    if len(found) < 2:
        return join(found)
    return say("{} and {}", join(found[:-1], ", "), found[-1])


def lines(parts: Iterable[Value]) -> Rich:
    return join(parts, "\n")


def rich(
    words: Words, reference: datetime, mentions: Mentions | None = None, names: Mapping[str, str] | None = None
) -> Rich:
    """A sentence of times, groups and text; people are called where `mentions` has them, each once. `names`: by their ids."""
    found: list[Span] = []
    for part in words:
        if isinstance(part, str):
            found.append(Text(_within(part)))
        elif isinstance(part, Asked):
            said = {id_: name for id_, name in (names or {}).items() if _calls(found, id_)}
            found += call(part, mentions or {}, said, names)
        else:
            found.append(Time(part, reference))
    return tuple(found)


def _within(part: str) -> str:
    """Blanks at the ends of a part separate it from its neighbours."""
    lead, tail = (" " if part[:1] == " " else ""), (" " if part[-1:] == " " else "")
    return lead + short(part, PART_LENGTH_MAX) + tail if part.strip() else " " * bool(part)


def _calls(rich: Sequence[Span], id_: str) -> bool:
    return any(isinstance(span, Called) and span.id == id_ for span in rich)


def call(
    asked: Asked,
    mentions: Mentions,
    said: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> Rich:
    """Everybody behind these groups, called once; by the group's name where nobody is known.

    `said`: names of who was called before. `names`: of everybody, by their ids.
    """
    ids = list(dict.fromkeys(id_ for group in asked.groups for id_ in mentions.get(group, ())))
    if not ids:
        return spans(short(asked.label))
    known = said or {}
    named = names or {}
    called = [_called(id_, known, named) for id_ in ids[:MENTIONS_MAX]]
    more = f" and {len(ids) - MENTIONS_MAX} more" if len(ids) > MENTIONS_MAX else ""
    if asked.as_rule and all(isinstance(one, Named) or is_person(one) for one in ids):
        return say("{} ({}{})", short(asked.label), join(called, ", "), ours(more))
    if len(called) < 3:
        return join(called, " or ") + ours(more)
    return say("{} or {}", join(called[:-1], ", "), called[-1]) + ours(more)


def _called(one: Mention, known: Mapping[str, str], names: Mapping[str, str]) -> Span:
    if isinstance(one, Named):
        return Text(short(one.name, 80))
    return Text(short(known[one], 80)) if one in known else Called(one, names.get(one, ""))
