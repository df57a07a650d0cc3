"""A message is meaning: what it says, part by part, and what can be pressed. Each chat draws it in its own way.

`summary` is what a lock screen shows and a screen reader reads; the parts are what a window shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.chat.rich import Rich, Text, lines, marked, ours
from bot.chat.text import cut, one_line
from workflows.core.canonical_json import digest


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, or some under one another. `button`: at its side. `length_max`: where something else needs the room."""

    text: Rich
    button: Button | None = None
    length_max: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody wrote, word for word: it formats nothing and calls nobody."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Label and value side by side."""

    pairs: Sequence[tuple[str, Rich]]


@dataclass(frozen=True, slots=True)
class Small:
    """Small print."""

    text: Rich


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines to copy, after a line of their own."""

    lines: Sequence[str]
    lead: Rich = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Many lines. What a chat has no room for is counted, with what was `left_out` before: `more` has a hole for the number.

    `room`: at most so much of a message, in characters, where something else needs the rest.
    """

    lines: Sequence[Rich]
    more: Rich = (Text("… and {} more", ours=True),)
    left_out: int = 0
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Divider:
    pass


# ---------------------------------------------------------------- what can be pressed


@dataclass(frozen=True, slots=True)
class Confirm:
    """Asked before a press counts."""

    title: str
    text: str
    yes: str
    no: str
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """`action` and `value` come back with the press. `style`: `primary`, `danger` or none. `said`: for a screen reader."""

    label: str
    action: str
    value: str = ""
    style: str | None = None
    confirm: Confirm | None = None
    url: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """(label, value) each."""

    action: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pick:
    """One of many, in place of as many buttons: (label, value) each. `prompt`: what stands there until one is chosen."""

    action: str
    options: Sequence[tuple[str, str]]
    prompt: str


@dataclass(frozen=True, slots=True)
class Buttons:
    elements: Sequence[Button | Menu | Pick]


Part = Line | Quote | Fields | Small | Heading | Snippet | Listing | Divider | Buttons


@dataclass(frozen=True, slots=True)
class Message:
    """`shorter`: other parts that say the same in less room, the longest first, for where the first do not fit."""

    summary: Rich
    parts: tuple[Part, ...] = ()
    shorter: tuple[tuple[Part, ...], ...] = ()


def message(summary: Rich, *parts: Part | None) -> Message:
    """Parts that are None are left out."""
    return Message(summary, found(parts))


def first_that_fits(summary: Rich, versions: Iterable[Iterable[Part | None]]) -> Message:
    """The first of these that a chat has room for, else the last."""
    first, *others = (found(version) for version in versions)
    return Message(summary, first, tuple(others))


def found(parts: Iterable[Part | None]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part is not None)


def with_parts(whole: Message, *parts: Part | None) -> Message:
    """The same with more under it."""
    return replace(whole, parts=(*whole.parts, *found(parts)))


def plain(whole: Message, hint: str = "") -> Message:
    """The same words without any form; `hint` says what can be typed in place of the buttons."""
    return Message(lines((whole.summary, marked(hint))) or ours("prodaccess"))


def stamp(whole: Message) -> str:
    """The same for the same message, so that what is shown is not sent again."""
    return digest([repr(whole)])[:16]


def quote(text: str) -> Quote | None:
    return Quote(text) if text.strip() else None


def fields(pairs: Sequence[tuple[str, Rich]]) -> Fields | None:
    """What there is nothing to say about is left out."""
    said = [(label, value) for label, value in pairs if value]
    return Fields(said) if said else None


def buttons(*elements: Button | Menu | Pick | None) -> Buttons | None:
    pressed = [element for element in elements if element is not None]
    return Buttons(pressed) if pressed else None


# Of what a screen reader says of a button, as every chat takes it.
SAID_LENGTH_MAX = 75


def said_of(what: str, ids: str) -> str:
    """`Approve admin for Dana, PA-2`: cut where it is too long, and never its id."""
    return f"{cut(one_line(what), SAID_LENGTH_MAX - len(ids) - 2)}, {ids}"


# ---------------------------------------------------------------- a button's value

_VALUE = re.compile(r"(PA-[1-9][0-9]{0,9})(?::([0-9a-f]{16}))?")


def value_of(id_: str, terms_hash: str | None = None) -> str:
    """`PA-1042:TERMSHASH`: what is pressed, and on which terms."""
    return f"{id_}:{terms_hash}" if terms_hash else id_


def read_value(value: str) -> tuple[str, str | None] | None:
    """(id, terms hash or None); None where it is no value of ours."""
    match = _VALUE.fullmatch(value)
    return (match[1], match[2]) if match else None
