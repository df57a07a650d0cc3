"""The machine on which it was measured: figures without it say little."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.figures import percentile

_WRITES, _BYTES = 200, b"x" * 500


@dataclass(frozen=True, slots=True)
class Machine:
    """`load_before` and `load_after`: of the last minute. `fdatasync_ms`: p50 and p99 of a write of 500 bytes and its sync, in
    the folder where the measurements keep their data.
    """

    system: str
    cores: int
    python: str
    memory_gib: float
    fdatasync_ms: tuple[float, float]
    load_before: float
    load_after: float = 0.0

    def words(self) -> str:
        sync = " and ".join(f"{value:.2g}" for value in self.fdatasync_ms)
        return (
            f"{self.system}, {self.cores} cores, {self.memory_gib:.0f} GiB, Python {self.python}; "
            f"fdatasync p50 and p99 {sync} ms; "
            f"load average {self.load_before:.1f} before, {self.load_after:.1f} after"
        )

    def json(self) -> dict[str, Any]:
        return asdict(self)


def this_machine() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(platform.platform(), cores, platform.python_version(), memory, _fdatasync_ms(), os.getloadavg()[0])


def _fdatasync_ms() -> tuple[float, float]:
    times = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(_WRITES):
            file.write(_BYTES)
            began = time.perf_counter()
            # macOS has no fdatasync.
            getattr(os, "fdatasync", os.fsync)(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5), percentile(times, 0.99)
