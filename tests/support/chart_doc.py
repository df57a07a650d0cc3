"""Writes the table of values in deploy/helm/prodaccess/README.md from values.yaml: `python -m tests.support.chart_doc`.

A value is told by the comment line `# -- ...` right above it. What stands below a value that is told is part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "prodaccess"
PAGE = CHART / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"
_KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):")


@dataclass(frozen=True, slots=True)
class Value:
    """`path`: `web.replicas`. `said`: its comment; empty where it has none."""

    path: str
    default: Any
    said: str


def values(text: str) -> Iterator[Value]:
    """Every value that is told, and every one that should be: what has no comment of its own and no part that has."""
    defaults, stack, said, told_at = yaml.safe_load(text), list[str](), "", None
    for line in text.splitlines():
        comment, key = re.match(r"^ *# -- (.*)$", line), _KEY.match(line)
        if comment:
            said = comment[1]
        elif key and not (told_at is not None and len(key[1]) > told_at):
            depth = len(key[1]) // 2
            stack = [*stack[:depth], key[2]]
            default = _at(defaults, stack)
            told_at = len(key[1]) if said or not _is_group(default) else None
            if told_at is not None:
                yield Value(".".join(stack), default, said)
            said = ""


def _is_group(default: Any) -> bool:
    return isinstance(default, Mapping) and bool(default)


def _at(defaults: Any, path: list[str]) -> Any:
    for name in path:
        defaults = defaults[name]
    return defaults


def table(text: str) -> str:
    rows = [f"| `{each.path}` | {_shown(each.default)} | {each.said} |" for each in values(text)]
    return "\n".join(("| value | default | meaning |", "| --- | --- | --- |", *rows)) + "\n"


def _shown(default: Any) -> str:
    if default in ("", [], {}):
        return ""
    shown = default if isinstance(default, str) else json.dumps(default)
    return f"`{shown}`" if len(shown) <= 60 else "see values.yaml"


def page(text: str, chart_values: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table(chart_values) + END + rest.partition(END)[2]


def main() -> None:
    chart_values = (CHART / "values.yaml").read_text(encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), chart_values), encoding="utf-8")


if __name__ == "__main__":
    main()
