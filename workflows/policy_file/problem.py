"""A problem of the policy folder: where it is, what is wrong, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN_MAX = 60
_LISTED_MAX = 8
_AS_LIKE = 0.08


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`file` is relative to the folder; `line` counts from 1, and is 0 where no line is meant."""

    file: str
    line: int
    message: str
    suggestion: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        line = f"{self.place}: {self.message}" + (f"; {self.suggestion}" if self.suggestion else "")
        # A place can be named after a key that somebody wrote, with whatever is in it.
        return printable(line)


def printable(text: str) -> str:
    """On one line, whatever somebody wrote."""
    return "".join(char if char.isprintable() else "?" for char in text)


def quote(value: object) -> str:
    """What somebody wrote, as it may be shown: on one line, printable, not too long."""
    text = printable(str(value))
    return f"'{text}'" if len(text) <= _SHOWN_MAX else f"'{text[: _SHOWN_MAX - 1]}…'"


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion: the names most like `name`, or the list of those there are."""
    names = sorted(known)
    # Only names of a sane length are compared, because comparing takes quadratic time.
    close = _close(name, names) if len(name) <= _SHOWN_MAX else []
    close = close or [item for item in names if len(name) > 2 and item.startswith(name)][:2]
    if close:
        return f"did you mean {' or '.join(quote(item) for item in close)}?"
    if not names:
        return ""
    more = ", ..." if len(names) > _LISTED_MAX else ""
    return f"there is {', '.join(names[:_LISTED_MAX])}{more}"


def _close(name: str, names: list[str]) -> list[str]:
    """The name most like `name`; two, where they are about as like."""
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    likeness = [difflib.SequenceMatcher(None, item, name).ratio() for item in close]
    return [item for item, ratio in zip(close, likeness, strict=True) if ratio > likeness[0] - _AS_LIKE]
