"""Parts of what GitLab's API says. What is not of its form is no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TEXT_LENGTH_MAX = 512
_NUMBER_MAX = 2**63


class Odd(ValueError):
    """It is not there, or not of its form."""


def part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    if not isinstance(found, dict):
        raise Odd
    return found


def objects(found: object) -> Iterator[Mapping[str, Any]]:
    """Of a list; of nothing where there is none."""
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Odd
    yield from found


def text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= _TEXT_LENGTH_MAX or not found.isprintable():
        raise Odd
    return found


def number(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < _NUMBER_MAX:
        raise Odd
    return str(found)


def title(commit: object) -> str:
    """On one line; empty where there is none."""
    found = commit.get("title") if isinstance(commit, dict) else None
    return " ".join(found.split()) if isinstance(found, str) else ""
