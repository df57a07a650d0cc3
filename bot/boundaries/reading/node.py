"""What a file says, with the line of each value, in the same shape for HCL and YAML; and as JSON between two processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ref:
    """What stands in a template or an expression by its name: `aws_s3_bucket.state.arn`. Empty where it is more than a name."""

    path: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value. `line` counts from 1."""

    line: int

    @property
    def text(self) -> str | None:
        """Its words, where it is plain text."""
        return None


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """Text, a number, true or false, nothing. YAML's scalars are text as they stand; `quoted` tells `"true"` from `true`."""

    value: str | int | float | bool | None
    quoted: bool = False

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None


@dataclass(frozen=True, slots=True)
class Template(Node):
    """Text with something in it that only a run knows. A name alone is one part, too."""

    parts: tuple[str | Ref, ...]


@dataclass(frozen=True, slots=True)
class Items(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fields(Node):
    fields: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of HCL with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unknown(Node):
    """An expression that nobody works out here."""


@dataclass(frozen=True, slots=True)
class Block(Node):
    """`resource "aws_s3_bucket" "state" { ... }`. `labels`: with the type at first."""

    labels: tuple[str, ...]
    fields: Mapping[str, Node] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def all(self, name: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.labels[:1] == (name,))

    def one(self, name: str) -> Block | None:
        return next(self.all(name), None)

    def get(self, name: str) -> Node | None:
        return self.fields.get(name)


def from_json(data: Any) -> Node:
    """Raises ValueError, KeyError, TypeError or IndexError for what no writer of ours has written."""
    kind, line, *rest = data
    line = int(line)
    if kind == "v":
        return Scalar(line, rest[0], bool(rest[1]))
    if kind == "t":
        return Template(line, tuple(part if isinstance(part, str) else Ref(str(part[0])) for part in rest[0]))
    if kind == "l":
        return Items(line, tuple(from_json(item) for item in rest[0]))
    if kind == "m":
        return Fields(line, {str(key): from_json(value) for key, value in rest[0]})
    if kind == "f":
        return Call(line, str(rest[0]), tuple(from_json(item) for item in rest[1]))
    if kind == "b":
        return block_from_json(data)
    return Unknown(line)


def block_from_json(data: Any) -> Block:
    _, line, labels, fields, blocks = data
    return Block(
        int(line),
        tuple(str(label) for label in labels),
        {str(key): from_json(value) for key, value in fields},
        tuple(block_from_json(block) for block in blocks),
    )
