"""Somebody who is asked, as a script has it: what is typed at which question; where nothing is, just Enter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.setup.questions.asker import NEXT

FIRST = {
    "behind the @": ["example.com"],
    "In which region": ["eu-central-1"],
    "first environment": ["orders-prod"],
    "In which AWS account": ["210987654321"],
    "Who owns it": ["olu@example.com, pat@example.com"],
    "Who may ask": ["dana@example.com, nia@example.com"],
    "Who is on call": ["dana@example.com"],
    "Who looks after security": ["sid@example.com, sue@example.com"],
    "holds the receipts": ["C0RECEIPTS"],
    "time zone": ["Europe/Vienna"],
}


class NothingToType(Exception):
    """A question has neither an answer in the script nor a default."""


class Scripted:
    """`typed`: a part of the question -> what is typed there, one after the other; the last one again and again."""

    def __init__(self, typed: Mapping[str, Sequence[str]] | None = None) -> None:
        self._typed = {part: list(lines) for part, lines in {**FIRST, **(typed or {})}.items()}
        self.said: list[str] = []
        self._asked = ""
        self._times = 0

    def say(self, text: str) -> None:
        self.said.append(text)
        if not text.startswith("  ! "):
            self._asked, self._times = text, 0
        elif NEXT in text:
            self._asked = text.partition(NEXT)[2]

    def line(self, default: str) -> str:
        self._times += 1
        if self._times > 50:
            raise NothingToType(f"{self._asked} ... {self.said[-1]}")
        lines = next((lines for part, lines in self._typed.items() if part in self._asked.split("\n  ")[0]), None)
        if not lines:
            if not default:
                raise NothingToType(self._asked)
            return default
        found = lines.pop(0) if len(lines) > 1 else lines[0]
        return found or default

    def secret(self) -> str:
        try:
            return self.line("")
        except NothingToType:
            return ""

    @property
    def slips(self) -> list[str]:
        return [each.removeprefix("  ! ").partition(NEXT)[0] for each in self.said if each.startswith("  ! ")]

    @property
    def text(self) -> str:
        return "\n".join(self.said)
