"""Whoever is asked: somebody at a terminal, or a script of a test. Everything above knows these three methods alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

NEXT = "\n\n"
YES, NO = ("y", "yes"), ("n", "no")
SHOWN_MAX = 15


class Asker(Protocol):
    """Both answers come without the end of the line. Whatever ends the asking (Ctrl-C, no more lines) is raised."""

    def say(self, text: str) -> None: ...

    def line(self, default: str) -> str:
        """What was typed, or `default` where nothing was."""
        ...

    def secret(self) -> str:
        """As `line`, and what is typed is not shown."""
        ...


class Slip(Exception):
    """An answer that cannot be used: one sentence that says why, and what to write."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Question:
    """`words` is what is asked, `why` one or two sentences of why. `default`: what an empty line means; empty: nothing."""

    words: str
    why: str = ""
    example: str = ""
    default: str = ""

    @property
    def text(self) -> str:
        example = f"  For example: {self.example}" if self.example else ""
        why = "\n".join(f"  {line}" for line in self.why.splitlines())
        return "\n".join(filter(None, (self.words, why, example)))


def ask(asker: Asker, question: Question, read: Callable[[str], T], *, remind: bool = False) -> T:
    """Asks until `read` takes the answer. `remind`: it asks more by itself, so after a slip the question is said again."""
    asker.say(f"\n{question.text}")
    return again(asker, lambda: read(asker.line(question.default).strip()), question.words if remind else "")


def ask_secret(asker: Asker, question: Question, read: Callable[[str], T]) -> T:
    asker.say(f"\n{question.text}")
    return again(asker, lambda: read(asker.secret().strip()))


def again(asker: Asker, once: Callable[[], T], words: str = "") -> T:
    while True:
        try:
            return once()
        except Slip as slip:
            asker.say(f"  ! {slip.sentence}{f'{NEXT}{words}' if words else ''}")


def yes(asker: Asker, question: Question) -> bool:
    return ask(asker, question, _yes)


def _yes(text: str) -> bool:
    word = text.lower()
    if word not in (*YES, *NO):
        raise Slip("Type y for yes or n for no.")
    return word in YES


def choose(asker: Asker, question: Question, options: Sequence[tuple[str, str]]) -> str:
    """One of a few. `options`: its name -> what it means; answered by number or by name."""
    shown = "\n".join(f"  {number}  {meaning}" for number, (_, meaning) in enumerate(options, start=1))
    asker.say(f"\n{question.text}\n{shown}")
    names = [name for name, _ in options]

    def read(text: str) -> str:
        if text in names:
            return text
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(names):
            return names[int(text) - 1]
        raise Slip(f"Type a number from 1 to {len(names)}.")

    return again(asker, lambda: read(asker.line(question.default).strip()))
