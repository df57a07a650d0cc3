"""A directory in memory that finds out who is in the groups once, for as long as nothing changes of which it was made.

In a world of fifty people each message asks anew who could decide, and most of what that costs is looking up the fifty.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from workflows.core.people import Account, GroupFacts, Membership, PersonFacts
from workflows.core.policy import Policy
from workflows.ledger.memory import MemoryClock, MemoryDirectory, MemoryLedger

T = TypeVar("T")
# What was looked at, and what was found.
Look = tuple[Callable[[], Any], Any]
KEPT_MAX = 64


class _Known(NamedTuple):
    policy: Policy
    looks: Sequence[Look]
    groups: GroupFacts


class RememberingDirectory(MemoryDirectory):
    """Every look on which an answer rests is done again before that is given once more: whoever writes something, and
    wherever, the answer is what it would be.
    """

    def __init__(self, clock: MemoryClock, ledger: MemoryLedger | None = None) -> None:
        super().__init__(clock, ledger)
        self._kept_groups: dict[tuple[int, tuple[str, ...]], _Known] = {}

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        wanted = tuple(names)
        known = self._kept_groups.get((id(policy), wanted))
        if known is not None and known.policy is policy and all(look() == found for look, found in known.looks):
            return known.groups
        looks: list[Look] = []
        answer = _Noting(self, looks).groups(policy, wanted)
        if len(self._kept_groups) >= KEPT_MAX:
            self._kept_groups.clear()
        self._kept_groups[id(policy), wanted] = _Known(policy, looks, answer)
        return answer


class _Noting(MemoryDirectory):
    """The same directory, which writes down each look."""

    def __init__(self, of: MemoryDirectory, looks: list[Look]) -> None:
        self._of, self._looks = of, looks

    def _noted(self, look: Callable[[], T]) -> T:
        found = look()
        self._looks.append((look, copy.copy(found)))
        return found

    def _stored(self, names: Sequence[str]) -> list[bytes | None]:
        return self._noted(lambda: self._of._stored(names))

    def _cached(self, accounts: Iterable[Account]) -> dict[Account, PersonFacts]:
        wanted = tuple(accounts)
        return self._noted(lambda: self._of._cached(wanted))

    def _lists(self, sources: Iterable[str]) -> tuple[datetime, dict[str, Membership]]:
        wanted = tuple(sources)
        return self._noted(lambda: self._of._lists(wanted))

    def _nobodies(self, addresses: Sequence[Any]) -> list[Any]:
        return self._noted(lambda: self._of._nobodies(addresses))

    def _seen(self, accounts: Sequence[Account]) -> Mapping[Account, float]:
        return self._noted(lambda: self._of._seen(accounts))
