"""YAML of a pipeline -> nodes as JSON, with what aliases and merges stand for. Scalars stay text: `on:` is a word here.

The parser's events are read, not PyYAML's constructors: no tag makes anything, and what aliases add up to is counted.
"""

from __future__ import annotations

from typing import Any

import yaml

from bot.boundaries.limits import NODE_DEPTH_MAX
from bot.boundaries.reading.budget import Budget, TooMuch

_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "seq", "map", "value"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents_of(text: str) -> list[Any]:
    """Each document of the file. Raises `yaml.YAMLError` and `TooMuch`."""
    _depth_of(text)
    found = []
    for node in yaml.compose_all(text, Loader=_LOADER):
        found.append(_Writer().value(node))
        if len(found) > 20:
            raise TooMuch("has more than 20 documents")
    return found


def _depth_of(text: str) -> None:
    """Refuses what is nested too deeply before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > NODE_DEPTH_MAX:
                raise TooMuch(f"has more than {NODE_DEPTH_MAX} levels inside each other")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Writer:
    def __init__(self) -> None:
        self._budget = Budget()

    def value(self, node: yaml.Node) -> list[Any]:
        """An alias to something around itself ends at the depth that is allowed."""
        line = node.start_mark.line + 1
        with self._budget.deeper():
            if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
                return ["u", line]
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node, line)
            if isinstance(node, yaml.SequenceNode):
                return ["l", line, [self.value(each) for each in node.value]]
            if isinstance(node, yaml.MappingNode):
                return ["m", line, list(self._fields(node).items())]
            return ["u", line]

    @staticmethod
    def _scalar(node: yaml.ScalarNode, line: int) -> list[Any]:
        quoted = bool(node.style)
        empty = not quoted and node.tag.endswith(":null")
        return ["v", line, None if empty else node.value, quoted]

    def _fields(self, node: yaml.MappingNode) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise TooMuch(f"has a list or a block in place of a key in line {key.start_mark.line + 1}")
            if key.tag.endswith(":merge"):
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if isinstance(part, yaml.MappingNode):
                        with self._budget.deeper():
                            merged = {**self._fields(part), **merged}
            elif key.value in own:
                raise TooMuch(f"says '{key.value[:40]}' twice, again in line {key.start_mark.line + 1}")
            else:
                own[key.value] = self.value(value)
        return {**merged, **own}
