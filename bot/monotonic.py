"""The one home of this host's clock. It measures spans; times of day come from the ledger."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from pathlib import Path


def monotonic_s() -> float:
    """Seconds that never go back, and go on while this process is stopped or the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def host() -> str:
    """Names this host's run since boot, for whom `monotonic_s` means the same; where nothing tells, this process alone."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return f"process-{secrets.token_hex(8)}"
    with suppress(OSError):
        # A container may have a time since boot of its own.
        space = Path("/proc/self/ns/time")
        own = space.readlink().name if space.is_symlink() else ""
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()}-{own.strip('time:[]')}"
    return f"process-{secrets.token_hex(8)}"
