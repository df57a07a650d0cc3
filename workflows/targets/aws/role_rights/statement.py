"""One statement of an IAM document, and documents that keep AWS's limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

Condition = Mapping[str, Mapping[str, str | tuple[str, ...]]]

# "IAM and AWS STS quotas", IAM user guide: a managed policy, blanks not counted. "Quotas for AWS Organizations": a service
# control policy, blanks counted.
MANAGED_MAX, CONTROL_MAX = 6_144, 5_120
# How many managed policies a role may have, unless AWS was asked for more (the same page of IAM).
ATTACHED_MAX = 10
_FRAME = len('{"Version":"2012-10-17","Statement":[]}')


@dataclass(frozen=True, slots=True)
class Statement:
    """`others_than`: which of its lists means all but what it names (`NotAction`, `NotResource`). `sid` says why it is there."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    others_than: Literal["", "actions", "resources"] = ""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect}
        found["NotAction" if self.others_than == "actions" else "Action"] = _one_or_all(self.actions)
        found["NotResource" if self.others_than == "resources" else "Resource"] = _one_or_all(self.resources)
        if self.condition:
            found["Condition"] = {
                test: {key: value if isinstance(value, str) else _one_or_all(value) for key, value in block.items()}
                for test, block in self.condition.items()
            }
        return found

    @property
    def size(self) -> int:
        """Characters without blanks, with the comma after it."""
        return len(compact(self.as_json())) + 1

    def where(self, condition: Condition) -> Statement:
        """The same, where this holds as well."""
        return replace(self, condition={**self.condition, **condition})


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [each.as_json() for each in statements]}


def size_of(statements: Iterable[Statement]) -> int:
    """As AWS counts a document: without blanks."""
    return len(compact(document(statements)))


def merged(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """What allows the same, without a right that stands twice: each action of a condition is in one statement alone.

    An action that two statements give on things that meet goes to one of its own, on all of them.
    """
    kept: list[Statement] = []
    for each in statements:
        for action in each.actions:
            _take_in(kept, replace(each, actions=(action,)), each.sid)
    return _named_once(kept)


def _take_in(kept: list[Statement], one: Statement, sid: str) -> None:
    (action,) = one.actions
    for at, other in enumerate(kept):
        if action in other.actions and other.condition == one.condition and _meet(one.resources, other.resources):
            wider = _without_covered((*other.resources, *one.resources))
            if set(wider) == set(other.resources):
                return
            kept[at] = replace(other, actions=tuple(each for each in other.actions if each != action))
            if not kept[at].actions:
                del kept[at]
            kept.append(replace(other, actions=one.actions, resources=wider))
            return
    for at, other in enumerate(kept):
        if other.sid == sid and replace(other, actions=()) == replace(one, actions=()):
            kept[at] = replace(other, actions=(*other.actions, action))
            return
    kept.append(one)


def _meet(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether one of these is also one of those, by the stars in either."""
    return any(fnmatchcase(one, other) or fnmatchcase(other, one) for one in some for other in others)


def _without_covered(resources: tuple[str, ...]) -> tuple[str, ...]:
    each = tuple(dict.fromkeys(resources))
    return tuple(one for one in each if not any(other != one and fnmatchcase(one, other) for other in each))


def _named_once(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """A document knows each Sid once: the second is called `FindPeople2`."""
    seen: dict[str, int] = {}
    found = []
    for each in statements:
        seen[each.sid] = seen.get(each.sid, 0) + 1
        found.append(each if seen[each.sid] == 1 else replace(each, sid=f"{each.sid}{seen[each.sid]}"))
    return tuple(found)


def packed(statements: Iterable[Statement], size_max: int) -> tuple[tuple[Statement, ...], ...]:
    """Into as few documents as it takes, in this order. A statement that allows on too many things is split by these.

    AWS looks at each thing of a call by itself, so it makes no difference which statement names it.
    """
    found: list[tuple[Statement, ...]] = []
    room = 0
    for each in (part for whole in statements for part in _split(whole, size_max - _FRAME)):
        if each.size > room or not found:
            found.append(())
            room = size_max - _FRAME
        found[-1] = (*found[-1], each)
        room -= each.size
    return tuple(found)


def _split(whole: Statement, room: int) -> tuple[Statement, ...]:
    if whole.size <= room or whole.others_than or len(whole.resources) < 2:
        return (whole,)
    found: list[Statement] = []
    bare = replace(whole, resources=())
    for resource in whole.resources:
        if found and replace(found[-1], resources=(*found[-1].resources, resource)).size <= room:
            found[-1] = replace(found[-1], resources=(*found[-1].resources, resource))
        else:
            sid = whole.sid if not found else f"{whole.sid}Part{len(found) + 1}"
            found.append(replace(bare, sid=sid, resources=(resource,)))
    return tuple(found)


def _one_or_all(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
