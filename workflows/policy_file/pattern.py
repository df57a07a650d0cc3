"""Whether a ticket pattern is a regular expression, and one that cannot be made to run for minutes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

# Python's own parser, so that what is looked at is what will run. It has no public name; the tests notice if it goes.
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_LENGTH_MAX = 200
# Matching time grows with a power of the number of long repeats in a row, ...
_LONG_MAX = 3
_LONG = 5
# ... and doubles with each place that can match in more than one way.
_CHOICES_MAX = 8
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_SLOW = "can take very long on some texts"
_SIMPLER = "write it without a repeat inside a repeat, like [A-Z]+-[0-9]+"


def pattern_problem(pattern: str) -> tuple[str, str] | None:
    """What is wrong with it and what to do, or None."""
    if len(pattern) > _LENGTH_MAX:
        return f"has {len(pattern)} characters", f"at most {_LENGTH_MAX} are accepted"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern)
            empty = re.fullmatch(pattern, "") is not None
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        return f"is not a regular expression ({error})", "check its brackets"
    if empty:
        return (
            "matches an empty text, so it would ask for nothing",
            "write what a ticket looks like, like [A-Z]+-[0-9]+",
        )
    return (_SLOW, _SIMPLER) if _slow(parsed) else None


def _slow(parsed: object) -> bool:
    parts = list(_walk(parsed))
    long = [1 for name, argument in parts if name in _REPEATS and argument[1] > _LONG]
    choices = [1 for part in parts if _has_choice(part)]
    nested = any(name in _REPEATS and argument[1] > 1 and _choices_within(argument[2]) for name, argument in parts)
    backwards = any(name.startswith(("GROUPREF", "ASSERT")) for name, _ in parts)
    return nested or backwards or len(long) > _LONG_MAX or len(choices) > _CHOICES_MAX


def _has_choice(part: tuple[str, Any]) -> bool:
    name, argument = part
    return name == "BRANCH" or (name in _REPEATS and argument[0] != argument[1])


def _choices_within(body: object) -> bool:
    """One turn of a repeat that can match in more than one way gives many turns very many ways."""
    return any(map(_has_choice, _walk(body)))


def _walk(parsed: object) -> Iterator[tuple[str, Any]]:
    """Every operation, however deep."""
    if isinstance(parsed, tuple) and len(parsed) == 2 and hasattr(parsed[0], "name"):
        yield parsed[0].name, parsed[1]
        yield from _walk(parsed[1])
    elif isinstance(parsed, tuple | list | _parser.SubPattern):
        for item in parsed:
            yield from _walk(item)
