"""How a process ends: it is asked to by SIGTERM or SIGINT, finishes what it has taken, and is gone within ten seconds."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import structlog

from bot.runtime.signals import Signals

log = structlog.get_logger()

ENDS_WITHIN_S = 8.8
"""After so long nothing is waited for any more. A supervisor kills after nine seconds, Kubernetes after thirty."""


def stop_when_asked() -> threading.Event:
    """Set once this process is asked to end. Main thread only, before anything is waited for."""
    stop = threading.Event()
    signals = Signals(signal.SIGTERM, signal.SIGINT)

    def wait() -> None:
        how = signals.wait()
        log.info("asked to end: what is under way is finished", signal=how.name)
        stop.set()
        # What still runs then is found again by whoever comes next.
        time.sleep(ENDS_WITHIN_S)
        log.warning("something did not finish in time and is left to be found again")
        sys.stdout.flush()
        os._exit(0)

    threading.Thread(target=wait, name="stopping", daemon=True).start()
    return stop


def patiently(stop: threading.Event) -> Callable[[float], object]:
    """Waits so many seconds before something is tried again, as long as nobody asks this process to end."""

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise SystemExit(0)

    return wait
