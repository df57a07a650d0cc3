"""Command lines in messages and forms, as they are typed in a chat that has no slash commands.

Whoever makes a message writes a command line as code that begins with the command's name, or behind a colon in words of ours. How
it is typed is one chat's business, and that chat puts it in before it draws the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from bot.chat.rich import Code, Rich, Text

T = TypeVar("T")


def spelt(said: T, command: str, here: str) -> T:
    """The same message, form or mapping of sentences, with `here` in place of `command` wherever it begins a command line."""
    found: T = _spelt(said, command, here)
    return found


def _spelt(node: Any, command: str, here: str) -> Any:
    if isinstance(node, Code):
        return Code(_line(node.inside, command, here))
    if isinstance(node, Text):
        return Text(node.text.replace(f": {command} ", f": {here} "), ours=True) if node.ours else node
    if isinstance(node, tuple | list):
        return type(node)(_spelt(each, command, here) for each in node)
    if isinstance(node, Mapping):
        return {name: _sentence(each, command, here) for name, each in node.items()}
    if is_dataclass(node) and not isinstance(node, type):
        found = {each.name: _spelt(getattr(node, each.name), command, here) for each in fields(node)}
        changed = {name: value for name, value in found.items() if value is not getattr(node, name)}
        return replace(node, **changed) if changed else node
    return node


def _line(inside: Rich, command: str, here: str) -> Rich:
    first = inside[0] if inside else None
    if not isinstance(first, Text) or first.text.partition(" ")[0] != command:
        return inside
    return (Text(here + first.text[len(command) :], first.ours), *inside[1:])


def _sentence(text: str, command: str, here: str) -> str:
    """One that is text already: its back-ticks are ours."""
    return text.replace(f"`{command} ", f"`{here} ").replace(f"`{command}`", f"`{here}`")
