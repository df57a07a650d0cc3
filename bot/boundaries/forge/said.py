"""How it is said what a forge says: each sentence with its place, and what is not told as not known."""

from __future__ import annotations

from bot.boundaries.model import Evidence, Place, no, unknown, yes
from bot.directory.http_json import NotFetched


class Said:
    """`forge`: its name. `what`: which repository of it."""

    def __init__(self, forge: str, what: str) -> None:
        self._forge = forge
        self.place = Place(where=f"{forge} {what}")

    def yes(self, words: str) -> Evidence:
        return yes(f"{words}.", self.place)

    def no(self, words: str) -> Evidence:
        return no(f"{words}.", self.place)

    def unknown(self, words: str) -> Evidence:
        return unknown(f"{words}.", self.place)

    def at_its_place(self, one: Evidence) -> Evidence:
        """Evidence whose words have no full stop yet."""
        return Evidence(one.verdict, f"{one.words}.", self.place)

    def not_told(self, what: str, problem: NotFetched) -> Evidence:
        if problem.status == 404:
            return self.unknown(f"{what} is not there, or this token may not see it")
        return self.unknown(f"{what} is not told: {self._forge} {problem}")
