"""Where something stands in the text of a YAML file, so that the text can be changed there and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

# Keys and places on the way to something: `("roles", "admin")`, `("groups", "developers", "members", 0)`.
Path = tuple[str | int, ...]
# What equals nothing that could be read.
NOTHING = object()


def read_text(text: str) -> Any:
    """What is read of it; None where it is no YAML."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def child_of(holder: Any, step: str | int) -> Any:
    """Of what was read; NOTHING where it is not there."""
    if isinstance(holder, dict):
        return holder.get(step, NOTHING)
    inside = isinstance(holder, list) and isinstance(step, int) and step < len(holder)
    return holder[step] if inside else NOTHING


def node_of(text: str, path: Path) -> Any:
    """The parser's node there; None where there is none."""
    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for step in path:
        place = place_of(node, step)
        if place is None:
            return None
        node = node.value[place][1] if isinstance(node, yaml.MappingNode) else node.value[place]
    return node


def place_of(node: Any, step: str | int) -> int | None:
    """Which entry of a node that is."""
    if isinstance(node, yaml.MappingNode):
        return next((at for at, (key, _) in enumerate(node.value) if key.value == step), None)
    fits = isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
    return int(step) if fits else None


def end_of(node: Any) -> int:
    """A block's own mark is where the next token begins; its last leaf's is where it ends."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    inside: Iterable[Any] = (each for pair in node.value for each in (pair if isinstance(pair, tuple) else (pair,)))
    return max((end_of(each) for each in inside), default=int(node.start_mark.index))
