"""Words that somebody gave -> YAML that means these words and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import yaml

# Plain in a block and between brackets; what YAML takes for something else than text is found by reading it back.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._@/-]*(?: [A-Za-z0-9._@/-]+)*")
_ENDLESS = 1 << 30
_LINE_MAX = 120


def scalar(value: str | int | bool) -> str:
    """One value. Text is plain where nothing else could be meant, else in double quotes, on one line, whatever is in it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and yaml.safe_load(f"[{value}]") == [value]:
        return value
    written: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=_ENDLESS)
    return written.rstrip("\n")


def listed(values: Iterable[object]) -> str:
    """`[one, two]`"""
    return f"[{', '.join(map(flow, values))}]"


def flow(value: object) -> str:
    """Whatever a policy file can hold, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return listed(value)
    return scalar(value if isinstance(value, str | int | bool) else str(value))


def one_or_list(values: object) -> str:
    """A channel as most have it, or a list of several."""
    if isinstance(values, list | tuple) and len(values) == 1:
        return flow(values[0])
    return flow(values)


def block(value: Mapping[str, object], indent: int) -> str:
    """One key a line; what is inside a key stands on its line while that is not too long to be read."""
    return "\n".join(line for key, item in value.items() for line in _lines(key, item, " " * indent))


def _lines(key: str, value: object, margin: str) -> Iterator[str]:
    line = f"{margin}{scalar(str(key))}: {flow(value)}"
    if len(line) <= _LINE_MAX or not value or not isinstance(value, Mapping | list):
        yield line
        return
    yield f"{margin}{scalar(str(key))}:"
    if isinstance(value, Mapping):
        yield block(value, len(margin) + 2)
    else:
        yield from (f"{margin}  - {flow(item)}" for item in value)


def in_comment(text: str) -> str:
    """As a part of a comment: on one line, printable."""
    return "".join(char if char.isprintable() else " " for char in text)
