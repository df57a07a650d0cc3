"""Whether one right covers another one, as IAM reads documents: stars, question marks, capitals of actions, lists.

Source: "Policy evaluation logic" and "IAM JSON policy elements reference", IAM user guide. Conditions are compared, not solved:
what depends on one that differs is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from workflows.targets.aws.role_rights.statement import Statement, compact


@dataclass(frozen=True, slots=True)
class Right:
    """One action on one thing, each perhaps a pattern. `condition`: as compact JSON, empty for none."""

    action: str
    thing: str
    condition: str = ""

    def covers(self, other: Right) -> bool:
        return like(self.action.lower(), other.action.lower()) and like(self.thing, other.thing)

    def __str__(self) -> str:
        return f"{self.action} on {self.thing}"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in text), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether all that `text` means is meant by `pattern`; stars of `text` are no more than letters."""
    return _pattern(pattern).fullmatch(text) is not None


def meet(one: str, other: str) -> bool:
    """Whether both patterns can mean the same, as far as one of them covers the other."""
    return like(one, other) or like(other, one)


def rights_of(statements: Iterable[Statement]) -> tuple[Right, ...]:
    """Of our own statements that allow."""
    return tuple(right for each in statements for right in _rights(each.as_json()))


def _rights(statement: Mapping[str, Any]) -> Iterator[Right]:
    condition = statement.get("Condition")
    for action in listed(statement.get("Action")):
        for thing in listed(statement.get("Resource")):
            yield Right(str(action), str(thing), _canonical(condition))


def _canonical(condition: object) -> str:
    """Two that mean the same are the same text: a value by itself is a list of one, and order says nothing."""
    if not isinstance(condition, dict) or not condition:
        return ""
    found = {
        str(test): {str(key).lower(): sorted(map(str, listed(values))) for key, values in sorted(block.items())}
        for test, block in sorted(condition.items())
        if isinstance(block, dict)
    }
    return compact(found)


def listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class Read:
    """Documents of somebody's, taken apart. `odd`: statements that mean all but what they name; nobody adds these up here."""

    allowed: tuple[Right, ...]
    denied: tuple[Right, ...]
    odd: int = 0

    def allows(self, needed: Right) -> bool | None:
        """None: it depends on a condition, or on a statement of the odd kind."""
        if any(one.covers(needed) and not one.condition for one in self.denied):
            return False
        covering = [one for one in self.allowed if one.covers(needed)]
        plain = any(one.condition in ("", needed.condition) for one in covering)
        depends = any(one.covers(needed) for one in self.denied)
        if plain and not depends and not self.odd:
            return True
        return None if covering or self.odd else False


def read(documents: Iterable[Mapping[str, Any]]) -> Read:
    """Whatever shape they have; what cannot be read is odd."""
    allowed: list[Right] = []
    denied: list[Right] = []
    odd = 0
    for document in documents:
        for statement in listed(document.get("Statement")):
            if not isinstance(statement, dict) or "NotAction" in statement or "NotResource" in statement:
                odd += 1
            else:
                (allowed if statement.get("Effect") == "Allow" else denied).extend(_rights(statement))
    return Read(tuple(allowed), tuple(denied), odd)


@dataclass(frozen=True, slots=True)
class Compared:
    """`lacking`: what is needed and not there; `unsure`: of which nobody can tell; `more`: what is there and not needed."""

    lacking: tuple[Right, ...]
    unsure: tuple[Right, ...]
    more: tuple[Right, ...]


def compared(needed: Iterable[Right], allowed: Iterable[Right], held: Read) -> Compared:
    """`allowed`: what may be there beside what is needed."""
    wanted = tuple(needed)
    known = (*wanted, *allowed)
    answers = {right: held.allows(right) for right in wanted}
    more = tuple(
        one
        for one in held.allowed
        if not any(each.covers(one) and each.condition in ("", one.condition) for each in known)
    )
    return Compared(
        tuple(right for right, answer in answers.items() if answer is False),
        tuple(right for right, answer in answers.items() if answer is None),
        more,
    )
