"""The policy that a process decides by: its folder's, or the one in force while a change in the folder waits for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, WaitingPolicy
from workflows.policy_file import PolicyFolder
from workflows.ports import Ledger, LedgerUnreachable, PolicyUnavailable

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0


class PolicyInForce:
    """A `ports.PolicySource`.

    While a change waits, or was denied and still stands in the folder, the files of the policy in force are taken from the
    ledger and held against its hash. Without one a process whose folder is another one decides nothing, as ever: that is
    found out at each decision, and does not rest on what is seen here.

    Whoever can write to Redis can put files there, and a hash that fits. So they are believed where this process has read that
    very policy from its own folder before, or where they make nothing looser in production than its own folder does now.
    """

    def __init__(self, folder: PolicyFolder, ledger: Ledger, *, monotonic: Callable[[], float]) -> None:
        self._folder = folder
        self._ledger = ledger
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        # What the ledger says of the policy in force while a change waits.
        self._active: str | None = None
        self._kept: Policy | None = None
        # The hash of every policy that this process has had in its folder.
        self._had: set[str] = set()

    def current(self) -> Policy:
        """Raises PolicyUnavailable."""
        own, problem = self._own()
        kept = self._in_place_of(own)
        if kept is not None:
            return kept
        if own is None:
            raise problem or PolicyUnavailable("the policy folder is not valid")
        return own

    def _own(self) -> tuple[Policy | None, PolicyUnavailable | None]:
        try:
            own = self._folder.current()
        except PolicyUnavailable as problem:
            return None, problem
        self._had.add(own.hash)
        return own, None

    def _in_place_of(self, own: Policy | None) -> Policy | None:
        self._refresh(own)
        active, kept = self._active, self._kept
        if active is None or kept is None or kept.hash != active or (own is not None and own.hash == active):
            return None
        return kept

    def _refresh(self, own: Policy | None) -> None:
        """At most once a second. While another thread is looking, what is known is good enough; at the start all wait for it."""
        if not self._lock.acquire(blocking=self._looked_at is None):
            return
        try:
            now = self._monotonic()
            if self._looked_at is None or now - self._looked_at >= _LOOK_EVERY_S:
                # Also a look in vain: nobody waits twice for a server that hangs. Nothing can be decided without it.
                self._looked_at = now
                with suppress(LedgerUnreachable):
                    self._look(own)
        finally:
            self._lock.release()

    def _look(self, own: Policy | None) -> None:
        seen = self._ledger.read(keys.ACTIVE_POLICY, keys.POLICY_WAITING)
        active = seen.readable(keys.ACTIVE_POLICY, ActivePolicy)
        waiting = seen.readable(keys.POLICY_WAITING, WaitingPolicy)
        waits = active is not None and waiting is not None and waiting.holds and waiting.before == active.hash
        self._active = active.hash if waits and active is not None else None
        if self._active is None or (own is not None and own.hash == self._active):
            self._kept = None
        elif self._kept is None or self._kept.hash != self._active:
            files = self._ledger.read(keys.POLICY_FILES).readable(keys.POLICY_FILES, PolicyFiles)
            found = self._read(files.files) if files is not None and files.hash == self._active else None
            self._kept = found if found is not None and self._is_believed(own, found, seen.now) else None

    def _read(self, files: Mapping[str, str]) -> Policy | None:
        found = self._folder.read(files)
        return found if found is not None and found.hash == self._active else None

    def _is_believed(self, own: Policy | None, kept: Policy, now: datetime) -> bool:
        from workflows.core.loosening import loosened  # noqa: PLC0415 - needed while a change waits, and not to start

        if kept.hash in self._had or (own is not None and not loosened(own, kept, now)):
            return True
        log.warning(
            "the record has files of another policy, which gives more in production than this folder: not believed"
        )
        return False
