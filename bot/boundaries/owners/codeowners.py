"""CODEOWNERS: whose review a file wants. The last line that fits counts; a line without owners takes them away.

Patterns are those of .gitignore without `!` and `[...]`. A line that GitHub does not understand is skipped there, and here.
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from bot.boundaries.model import Place

_LINES_MAX = 5_000
_LINE_MAX, _PARTS_MAX = 4_000, 64
_OWNER = re.compile(r"@[\w.-]+(?:/[\w.-]+)?|[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")
_ANY = "**"


@dataclass(frozen=True, slots=True)
class Rule:
    """`parts`: a pattern for each folder and the file, from the root; `**` is any number of folders."""

    line: int
    parts: tuple[str, ...]
    owners: tuple[str, ...]

    def fits(self, path: str) -> bool:
        """Folder by folder, so that no pattern takes long."""
        reached = {0}
        for name in path.split("/"):
            reached = _beyond_any(self.parts, reached)
            reached = {
                number if self.parts[number] == _ANY else number + 1
                for number in reached
                if number < len(self.parts)
                and (self.parts[number] == _ANY or _segment(self.parts[number]).fullmatch(name))
            }
            if not reached:
                return False
        return len(self.parts) in _beyond_any(self.parts, reached)


@dataclass(frozen=True, slots=True)
class Owners:
    """`odd`: what of it is not read here, as words; empty where all of it was."""

    file: str
    rules: tuple[Rule, ...]
    odd: str = ""

    def of(self, path: str) -> Rule | None:
        """What counts for a file; None where no line fits, and a rule without owners where one takes them away."""
        return next((rule for rule in reversed(self.rules) if rule.fits(path)), None)

    def place(self, rule: Rule | None) -> Place:
        return Place(self.file, rule.line if rule else 0)


def owners_in(file: str, text: str) -> Owners:
    lines = text.splitlines()
    odd = f"it has more than {_LINES_MAX:,} lines" if len(lines) > _LINES_MAX else ""
    rules: list[Rule] = []
    for number, line in enumerate(lines[:_LINES_MAX], start=1):
        if len(line) > _LINE_MAX or line.count("/") > _PARTS_MAX:
            odd = f"its line {number} is longer than anybody writes"
            continue
        words = re.sub(r"(?:^|\s)#.*", "", line).replace("\\ ", "\0").split()
        if words and re.match(r"\^?\[", words[0]):
            odd = "it has sections, each with owners of its own"
        elif words:
            rules += _rules(number, words)
    return Owners(file, tuple(rules), odd)


def _rules(line: int, words: list[str]) -> Iterator[Rule]:
    pattern = words[0].replace("\0", " ")
    if pattern.startswith(("!", "\\#")) or "[" in pattern or not all(_OWNER.fullmatch(word) for word in words[1:]):
        return
    yield from (Rule(line, parts, tuple(words[1:])) for parts in _parts(pattern))


def _parts(pattern: str) -> Iterator[tuple[str, ...]]:
    """One for a file of that name, one for all in a folder of that name."""
    body = tuple(part for part in pattern.split("/") if part)
    if not body:
        return
    # With a slash that is not at its end it stands from the root; else it fits in any folder.
    start = () if "/" in pattern.rstrip("/") else (_ANY,)
    whole = (*start, *body)
    if not pattern.endswith("/"):
        yield whole
    # `docs/*` is what stands in docs itself, and not deeper.
    if pattern.endswith("/") or start or body[-1] != "*":
        yield (*whole, _ANY, "*")


def _beyond_any(parts: tuple[str, ...], reached: set[int]) -> set[int]:
    """`**` may be no folder at all."""
    found = set(reached)
    for number in sorted(reached):
        at = number
        while at < len(parts) and parts[at] == _ANY:
            at += 1
            found.add(at)
    return found


@lru_cache(maxsize=4096)
def _segment(part: str) -> re.Pattern[str]:
    return re.compile(translate(re.sub(r"\*+", "*", part)))
