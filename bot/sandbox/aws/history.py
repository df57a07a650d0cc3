"""Stale reads: what the world was before, kept as shallow copies taken before each change."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.sandbox.aws.state import State

KEPT_MAX = 256
"""Changes remembered; a read further back than that gets the oldest."""


@dataclass(frozen=True)
class Snapshot:
    """What can be given and taken away, as it was at `at_s` (monotonic), before the change made then."""

    at_s: float
    assignments: list[Any]
    memberships: dict[str, Any]
    policies: list[tuple[Any, dict[str, str]]]
    members: list[tuple[Any, list[Any]]]


class History:
    """The last changes. Only assignments, memberships and inline policies go back; users, groups and roles do not."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._before: deque[Snapshot] = deque(maxlen=KEPT_MAX)
        self.changes = 0
        """How many changes were announced. Each is made under the proxy's lock: who looks under it sees it done."""

    def record(self, at_s: float | None = None) -> None:
        """Remembers the world as it is, to be called before a change."""
        self._before.append(self._capture(time.monotonic() if at_s is None else at_s))
        self.changes += 1

    def clear(self) -> None:
        """Forgets all."""
        self._before.clear()

    def find(self, *, seconds: float | None, behind: int) -> Snapshot | None:
        """The world `seconds` ago, or before the last `behind` changes; None where it was as it is now."""
        if behind:
            return self._before[-min(behind, len(self._before))] if self._before else None
        since = time.monotonic() - (seconds or 0.0)
        return next((snapshot for snapshot in self._before if snapshot.at_s > since), None)

    @contextmanager
    def rewound(self, snapshot: Snapshot) -> Iterator[None]:
        """Puts the old world in place for a moment; the proxy's lock is held meanwhile."""
        present = self._capture(0.0)
        self._put(snapshot)
        try:
            yield
        finally:
            self._put(present)

    def _capture(self, at_s: float) -> Snapshot:
        accounts = [backend for _, backend in self._state.iam_accounts()]
        return Snapshot(
            at_s,
            list(self._state.sso.account_assignments),
            dict(self._state.store.group_memberships),
            [
                (holder, dict(holder.policies))
                for backend in accounts
                for holder in (*backend.users.values(), *backend.roles.values())
            ],
            [(group, list(group.users)) for backend in accounts for group in backend.groups.values()],
        )

    def _put(self, snapshot: Snapshot) -> None:
        self._state.sso.account_assignments = list(snapshot.assignments)
        self._state.store.group_memberships = dict(snapshot.memberships)
        for holder, policies in snapshot.policies:
            holder.policies = dict(policies)
        for group, members in snapshot.members:
            group.users = list(members)
