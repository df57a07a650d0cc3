"""Somebody at a terminal."""

from __future__ import annotations

from collections.abc import Callable

import typer


class Terminal:
    """Ctrl-C and the end of the input raise `typer.Abort`. `say`: prints, in the terminal's width."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def say(self, text: str) -> None:
        self._say(text)

    def line(self, default: str) -> str:
        found: str = typer.prompt(">", default=default, show_default=bool(default), prompt_suffix=" ")
        return found

    def secret(self) -> str:
        found: str = typer.prompt(">", default="", show_default=False, prompt_suffix=" ", hide_input=True)
        return found
