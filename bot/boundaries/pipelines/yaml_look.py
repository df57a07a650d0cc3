"""Looking into YAML's nodes: fields, lists, and all texts below one, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries.model import Place
from bot.boundaries.pipelines.job import Named
from bot.boundaries.reading.node import Fields, Items, Node, Scalar


def field(node: Node | None, *names: str) -> Node | None:
    """`field(job, "environment", "name")`."""
    for name in names:
        node = node.fields.get(name) if isinstance(node, Fields) else None
    return node


def text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def listed(node: Node | None) -> tuple[Node, ...]:
    """One by itself is a list of one."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return ()
    return node.items if isinstance(node, Items) else (node,)


def texts(node: Node | None) -> tuple[str, ...]:
    return tuple(found for each in listed(node) if (found := text(each)) is not None)


def below(file: str, node: Node | None) -> Iterator[Named]:
    """Values, not keys."""
    if isinstance(node, Scalar) and node.text is not None:
        yield Named(node.text, Place(file, node.line))
    elif isinstance(node, Items):
        for item in node.items:
            yield from below(file, item)
    elif isinstance(node, Fields):
        for value in node.fields.values():
            yield from below(file, value)


def pairs(file: str, node: Node | None, key: str = "") -> Iterator[tuple[str, Named]]:
    """Values, each with the key that it stands under."""
    if isinstance(node, Fields):
        for name, value in node.fields.items():
            yield from pairs(file, value, name)
    elif isinstance(node, Items):
        for item in node.items:
            yield from pairs(file, item, key)
    else:
        yield from ((key, one) for one in below(file, node))
