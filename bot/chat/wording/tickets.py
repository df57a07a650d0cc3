"""What a ticket looks like, by an example that the policy's pattern accepts: `ORD-123` for `[A-Z]+-[0-9]+`."""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Iterator

# Python's own parser, as in `workflows.policy_file.pattern`: what is looked at is what will run.
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_LENGTH_MAX = 60
# Enough of a thing that may be repeated to be seen as such.
_TIMES = 3
_CATEGORIES = {"CATEGORY_DIGIT": string.digits, "CATEGORY_WORD": string.ascii_uppercase, "CATEGORY_SPACE": " "}
# What is tried for a place that takes anything, or anything but some.
_LIKELY = string.ascii_uppercase + string.digits + string.ascii_lowercase + "-_.#/ "


class _Strange(Exception):
    """A pattern of another kind than tickets have."""


def like(pattern: str, example: str = "") -> str:
    """The policy's own `example`, else one that is found, or the pattern itself where none is."""
    return example or example_of(pattern) or pattern


def example_of(pattern: str) -> str | None:
    """Something that `pattern` matches in full; None where none is found."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = "".join(_Example().of(_parser.parse(pattern)))
        matches = re.fullmatch(pattern, found) is not None
    except (_Strange, re.error, RecursionError, OverflowError, ValueError):
        return None
    return found if matches and 0 < len(found) <= _LENGTH_MAX and found.isprintable() else None


class _Example:
    """Counts what it has written, so that digits read 1, 2, 3 and letters A, B, C."""

    def __init__(self) -> None:
        self._written = 0

    def of(self, parsed: Any) -> Iterator[str]:
        for operation, argument in parsed:
            yield from self._one(operation.name, argument)

    def _one(self, name: str, argument: Any) -> Iterator[str]:
        match name:
            case "LITERAL":
                self._written = 0
                yield chr(argument)
            case "NOT_LITERAL":
                yield self._next([one for one in _LIKELY if one != chr(argument)])
            case "ANY":
                yield self._next(_LIKELY)
            case "IN":
                yield self._next(_members(argument))
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = argument
                for _ in range(max(int(least), min(_TIMES, int(most))) if least else 0):
                    yield from self.of(body)
            case _:
                yield from self.of(_inside(name, argument))

    def _next(self, of: Any) -> str:
        chosen = list(of)
        if not chosen:
            raise _Strange("nothing fits")
        found = str(chosen[self._written % len(chosen)])
        self._written += 1
        return found


def _inside(name: str, argument: Any) -> Any:
    """What stands inside a group; of alternatives the first. The edges of the text are nothing to write."""
    match name:
        case "SUBPATTERN":
            return argument[3]
        case "ATOMIC_GROUP":
            return argument
        case "BRANCH":
            return argument[1][0]
        case "AT":
            return ()
    raise _Strange(name)


def _members(items: Any) -> list[str]:
    """The characters of a set, digits from 1 on."""
    negated = [argument for operation, argument in items if operation.name == "NEGATE"] != []
    found = [one for operation, argument in items for one in _of_item(operation.name, argument)]
    if negated:
        found = [one for one in _LIKELY if one not in found]
    return [*(one for one in found if one != "0"), *(one for one in found if one == "0")]


def _of_item(name: str, argument: Any) -> str:
    if name == "LITERAL":
        return chr(argument)
    if name == "RANGE":
        low, high = argument
        return "".join(map(chr, range(low, min(high, low + 100) + 1)))
    if name == "CATEGORY":
        if argument.name not in _CATEGORIES:
            raise _Strange(argument.name)
        return _CATEGORIES[argument.name]
    if name == "NEGATE":
        return ""
    raise _Strange(name)
