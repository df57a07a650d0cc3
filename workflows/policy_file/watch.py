"""This process's copy of the policy folder, read again when its files change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from workflows.core.policy import Policy, Webhook
from workflows.policy_file.folder import Snapshot, hash_of, read_folder, stamp
from workflows.policy_file.load import Reading, understand
from workflows.policy_file.problem import Problem
from workflows.ports import PolicyUnavailable

_LOOK_EVERY_S = 1.0


class PolicyFolder:
    """A `ports.PolicySource`. The last valid policy stays while the folder holds something that is not one.

    A folder that is being written can be valid halfway (an environment's file is not there yet), so a new content counts
    only when two looks, a second apart, saw the same. At the start there is nothing better to go on with, so the two looks
    follow at once.
    """

    def __init__(self, folder: Path, *, monotonic: Callable[[], float], webhooks: tuple[Webhook, ...] = ()) -> None:
        """`webhooks`: those that this process has beside the folder's own."""
        self.folder = folder
        self._monotonic = monotonic
        self._webhooks = webhooks
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._settled: object = None
        self._candidate = ""
        self._policy: Policy | None = None
        self._files: Mapping[str, str] = {}
        self._reading = Reading("", None)

    def current(self) -> Policy:
        """The last valid policy. Raises PolicyUnavailable where there never was one."""
        self.refresh()
        if self._policy is None:
            first = next(iter(self.problems), "")
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            raise PolicyUnavailable(f"the policy folder {self.folder} is not valid: {first}{more}")
        return self._policy

    @property
    def known(self) -> Policy | None:
        """The last valid policy, as of the last look."""
        return self._policy

    def files_of(self, policy: Policy) -> Mapping[str, str] | None:
        """As that policy was written; None where it is not the one of the last look any more."""
        with self._lock:
            found = self._policy
            return self._files if found is not None and found.hash == policy.hash else None

    def read(self, files: Mapping[str, str]) -> Policy | None:
        """The policy of these files, kept elsewhere, as this process would have it; None where they are none to it."""
        found = understand(Snapshot(hash_of(files), files)).policy
        return self._with_own(found) if found is not None else None

    def _with_own(self, found: Policy) -> Policy:
        return replace(found, webhooks=(*found.webhooks, *self._webhooks)) if self._webhooks else found

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of the folder as it is now; the policy in `current` may be an older one."""
        return self._reading.problems

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return self._reading.warnings

    def refresh(self) -> None:
        """Look at the files, at most once a second; otherwise this costs nothing.

        While another thread is looking, the policy that is there already is good enough.
        """
        if not self._lock.acquire(blocking=self._policy is None):
            return
        try:
            now = self._monotonic()
            if self._looked_at is None:
                self._look()
                self._look()
            elif now - self._looked_at >= _LOOK_EVERY_S:
                self._look()
            else:
                return
            self._looked_at = now
        finally:
            self._lock.release()

    def _look(self) -> None:
        seen = stamp(self.folder)
        if seen == self._settled and seen:
            return
        snapshot = read_folder(self.folder)
        if snapshot.hash != self._candidate:
            self._candidate = snapshot.hash
            self._settled = None
            return
        # The stamp was taken before the reading: a change in between makes the next look read again.
        self._settled = seen
        self._reading = understand(snapshot)
        if self._reading.policy is not None:
            self._files = snapshot.files
            self._policy = self._with_own(self._reading.policy)
