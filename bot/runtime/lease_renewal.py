"""Keeps leases alive while their work goes on: one thread a process, all of them once a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from bot.observability.log import log_failure
from workflows.ports import Lease, Ledger, LedgerUnreachable, Renewing

log = structlog.get_logger()
RENEW_EVERY_S = 1.0


class BackgroundLeaseRenewer:
    """A `LeaseRenewer`. A lease that could not be renewed in time is reported lost; nobody extends it by hope."""

    def __init__(self, ledger: Ledger, monotonic_s: Callable[[], float]) -> None:
        self._ledger = ledger
        self._monotonic_s = monotonic_s
        self._held: dict[str, Lease | None] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._renew_for_ever, name="lease-keeper", daemon=True).start()

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Callable[[], Lease | None]]:
        with self._lock:
            self._held[lease.token] = lease
        try:
            yield lambda: self._current(lease.token)
        finally:
            with self._lock:
                self._held.pop(lease.token, None)

    def close(self) -> None:
        self._stop.set()

    def _current(self, token: str) -> Lease | None:
        with self._lock:
            lease = self._held.get(token)
        return lease if lease is not None and self._monotonic_s() < lease.deadline_s else None

    def _renew_for_ever(self) -> None:
        while not self._stop.wait(RENEW_EVERY_S):
            try:
                self.renew()
            except Exception as problem:
                # This thread must outlive every fault: without it no work can finish.
                log_failure("leases were not renewed", problem)

    def renew(self) -> None:
        """All that are held, in one round trip."""
        with self._lock:
            held = {token: lease for token, lease in self._held.items() if lease is not None}
        if not held:
            return
        try:
            answers = self._ledger.together([Renewing(lease) for lease in held.values()])
        except LedgerUnreachable:
            # The old deadlines stand: until then the leases may still be renewed.
            return
        for token, answer in zip(held, answers, strict=True):
            self._note(token, answer)

    def _note(self, token: str, answer: object) -> None:
        if isinstance(answer, Exception):
            if not isinstance(answer, LedgerUnreachable):
                log_failure("a lease was not renewed", answer)
            return
        with self._lock:
            lease = self._held.get(token)
            if lease is None:
                # Its work was over meanwhile, and it was given back.
                return
            self._held[token] = answer if isinstance(answer, Lease) else None
        if answer is None:
            log.warning("a lease was lost while work was going on", lease=lease.name)
