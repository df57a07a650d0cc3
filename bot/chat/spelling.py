"""Words of ours as one chat has them: command lines as they are typed there, and what it calls itself.

Whoever makes a message writes a command line as code that begins with the command's name, or behind a colon in words of ours. How
it is typed is one chat's business, and that chat puts it in before it draws the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from bot.chat.rich import Code, Rich, Text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spelling:
    """`here`: how a line begins in this chat that begins with `command` elsewhere. `words`: ours -> the chat's own."""

    command: str
    here: str
    words: Mapping[str, str]

    def of(self, said: T) -> T:
        """A message, a form, or sentences by field."""
        found: T = self._of(said)
        return found

    def _of(self, node: Any) -> Any:
        if isinstance(node, Code):
            return Code(self._line(node.inside))
        if isinstance(node, Text):
            return Text(self._ours(node.text), ours=True) if node.ours else node
        if isinstance(node, tuple | list):
            return type(node)(self._of(each) for each in node)
        if isinstance(node, Mapping):
            return {name: self._sentence(each) for name, each in node.items()}
        if is_dataclass(node) and not isinstance(node, type):
            found = {each.name: self._of(getattr(node, each.name)) for each in fields(node)}
            changed = {name: value for name, value in found.items() if value is not getattr(node, name)}
            return replace(node, **changed) if changed else node
        return node

    def _line(self, inside: Rich) -> Rich:
        first = inside[0] if inside else None
        if not isinstance(first, Text) or first.text.partition(" ")[0] != self.command:
            return inside
        return (Text(self.here + first.text[len(self.command) :], first.ours), *inside[1:])

    def _ours(self, text: str) -> str:
        found = text.replace(f": {self.command} ", f": {self.here} ")
        for word, own in self.words.items():
            found = found.replace(word, own)
        return found

    def _sentence(self, text: str) -> str:
        """One that is text already: its back-ticks are ours."""
        typed = text.replace(f"`{self.command} ", f"`{self.here} ").replace(f"`{self.command}`", f"`{self.here}`")
        return self._ours(typed)
