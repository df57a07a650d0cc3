"""Keeps leases alive while their work goes on: one thread a process, a renewal a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from bot.observability.log import log_failure
from workflows.ports import Lease, Ledger, LedgerUnreachable

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
            with self._lock:
                held = dict(self._held)
            for token, lease in held.items():
                if lease is None:
                    continue
                try:
                    self._renew(token, lease)
                except Exception as problem:
                    # This thread must outlive every fault: without it no work can finish.
                    log_failure("a lease was not renewed", problem)

    def _renew(self, token: str, lease: Lease) -> None:
        try:
            renewed = self._ledger.renew(lease)
        except LedgerUnreachable:
            # The old deadline stands: until then the lease may still be renewed.
            return
        with self._lock:
            if token in self._held:
                self._held[token] = renewed
        if renewed is None:
            log.warning("a lease was lost while work was going on", lease=lease.name)
