"""A form as data: fields with choices, what is filled in already, and what came back. Each chat draws it in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.message import Part
from workflows.core.canonical_json import digest


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` comes back; a chat shows the label, and the description where it has room."""

    label: str
    value: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Select:
    """One of many. `shown`: all of them at once, where a chat can. `searched`: too many; what is typed is looked up."""

    choices: Sequence[Choice]
    chosen: Choice | None = None
    placeholder: str = ""
    shown: bool = False
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    """Some of many, at most `count_max`."""

    choices: Sequence[Choice]
    count_max: int
    chosen: Sequence[Choice] = ()
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    length_max: int
    text: str = ""
    many_lines: bool = False
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and a time of the reader's own clock."""

    chosen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Somebody:
    """One of the people of the chat; the id of their account there comes back."""

    chosen: str = ""
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """`name`: by which it is read. `of`: the choices that it depends on: with others, what was filled in is not its own.

    `optional`: it may be left empty; None where that is left to the chat, which wants it filled in. `redraws`: another choice
    changes the form.
    """

    name: str
    label: str
    element: Select | Several | Typed | Moment | Somebody
    of: tuple[str, ...] | None = None
    optional: bool | None = None
    hint: str = ""
    redraws: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """`kind`: what it is for. `carries`: what comes back with it, as it is. `name`: of this one window; it comes back, too."""

    kind: str
    title: str
    send: str
    parts: Sequence[Part | Field]
    carries: str = ""
    name: str = ""


# ---------------------------------------------------------------- what came back


@dataclass(frozen=True, slots=True)
class Value:
    """What one field holds. `of`: the `choices_key` of `Field.of`; None where it depends on none."""

    name: str
    of: str | None = None
    text: str = ""
    chosen: tuple[str, ...] = ()
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent, or changed."""

    kind: str
    carries: str
    values: Sequence[Value]

    def text(self, name: str) -> str:
        """What was typed, as it was."""
        return next((value.text for value in self._of(name)), "")

    def chosen(self, name: str) -> str:
        """The one that was chosen; empty where none was."""
        return next((value.chosen[0] for value in self._of(name) if value.chosen), "")

    def several(self, name: str) -> tuple[str, ...]:
        return next((value.chosen for value in self._of(name)), ())

    def moment(self, name: str) -> datetime | None:
        return next((value.moment for value in self._of(name)), None)

    def only(self, name: str, *of: str) -> Filled:
        """With what this field holds for these choices alone."""
        key = choices_key(of)
        return Filled(self.kind, self.carries, [one for one in self._of(name) if one.of == key])

    def _of(self, name: str) -> Iterable[Value]:
        return (value for value in self.values if value.name == name)


def choices_key(of: Sequence[str]) -> str:
    """Another for each choice that a field depends on, and short whatever the names."""
    return digest(list(of))[:16]


Errors = Mapping[str, str]
"""Name of the field -> what is wrong with it."""
