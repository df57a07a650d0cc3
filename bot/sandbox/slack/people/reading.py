"""What stands in a message or a view: its words and what can be pressed. For the people here, and for assertions."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.blockkit.limits import elements_of
from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.model import Json, Message, View

Surface = Message | View


def words(surface: Surface) -> str:
    """All text that is drawn, a line for each text object; a message without blocks is its text."""
    if not surface.blocks and isinstance(surface, Message):
        return surface.text
    return "\n".join(_texts(surface.blocks))


def buttons(surface: Surface) -> list[str]:
    """The labels of the buttons, in reading order."""
    found = [element for block in surface.blocks for element in elements_of(block) if element["type"] == "button"]
    return [element["text"]["text"] for element in found]


def elements(surface: Surface) -> list[Json]:
    """Everything that can be used, each with the `block_id` of its block."""
    return [e | {"block_id": block["block_id"]} for block in surface.blocks for e in elements_of(block)]


def element(blocks: list[Json], action_id: str, value: Any = None, block_id: str | None = None) -> tuple[Json, Json]:
    """The one block and element meant. Raise CannotDo where there is none, or where more than one fits."""
    fitting = [
        (block, candidate)
        for block in blocks
        for candidate in elements_of(block)
        if candidate["action_id"] == action_id
        and block_id in (None, block["block_id"])
        and value in (None, candidate.get("value"))
    ]
    if len(fitting) != 1:
        there = [found["action_id"] for block in blocks for found in elements_of(block)]
        raise CannotDo(f"{len(fitting)} elements {action_id!r} (value {value!r}, block {block_id!r}) among {there}")
    return fitting[0]


def _texts(node: Any) -> Iterator[str]:
    """Dialogs that only open on a press are left out."""
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif key != "confirm":
                yield from _texts(value)
