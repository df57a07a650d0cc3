"""The one home of this host's clock. It measures spans; times of day come from the ledger."""

from __future__ import annotations

import time


def monotonic_s() -> float:
    """Seconds that never go back, and go on while this process is stopped or the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
