"""An installation at rest with 10,000 active grants: commands, memory, what is due at once. And how fast it starts.

    python -m bench.many [--quick]

The grants are written straight into the ledger; they do not stand at the simulated AWS, because nothing looks at them.
How what is shown and looked through grows with them is `bench.growth`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.alone import alone
from bench.figures import Figure, at_most, figure, percentile
from bench.filled import developers_for, fill
from bench.place import Place, running, say, until
from bot.monotonic import monotonic_s
from bot.observability.tally import CURSOR, key_of
from bot.queues import ALL_QUEUES
from tests.support.installation import ROOT
from workflows.ledger.keys import Keys
from workflows.ledger.redis_due import RedisDue

IDLE_S = 10
REPEATS = 5
SWEEP = 500  # RedisDue.claim's own limit


def measure(quick: bool) -> list[Figure]:
    count = 1_000 if quick else 10_000
    with _filled(count) as place:
        idle = _idle_commands(place)
        memory = {name: mib(place, name) for name in ("web", "worker", "clock")}
        start_s = _web_starts(place)
        swept = _sweeps(place)
    return [
        figure(f"the clock hands out what is due, {count:,} at once", "s", swept, at_most(1)),
        *(figure(f"memory of {name}, {count:,} active", "MiB", of, at_most(150)) for name, of in memory.items()),
        figure("Redis commands a second at rest", "", idle, at_most(20)),
        figure("web, start to ready", "s", start_s, at_most(2)),
        figure("prodaccess --help", "s", _help_s(), at_most(0.3)),
    ]


@contextmanager
def _filled(count: int) -> Iterator[Place]:
    with running(developers=developers_for(count)) as place:
        say(f"writing {count} grants")
        later = place.ledger().now() + timedelta(hours=2)
        fill(place, count, lambda n: later + timedelta(milliseconds=n), at_aws=False)
        yield place


# ---------------------------------------------------------------- what is due


def _sweeps(place: Place) -> float:
    """Everything is due at once: how long until the clock's script has handed out all of it. Ends the installation."""
    place.kill("worker", "clock")
    client = place.connection()
    due = RedisDue(client, queues=[f"rq:queue:{name}" for name in ALL_QUEUES], monotonic=monotonic_s)
    until(lambda: due.lead("bench"), "the lease of the killed clock runs out", 10)
    items: Any = client.zrange(Keys().due, 0, -1)
    client.zadd(Keys().due, dict.fromkeys(items, 1.0))
    began, found = time.perf_counter(), 0
    while found < len(items):
        due.lead("bench")
        found += len(due.claim("bench", limit=SWEEP))
    return time.perf_counter() - began


# ---------------------------------------------------------------- at rest


def _idle_commands(place: Place) -> float:
    """Commands a second that the server counts, those inside scripts too, with nothing to do: not while the clock still counts
    what was written here for the metrics.
    """
    ledger, counts = place.ledger(), key_of(Keys().prefix)
    with place.connection() as client:
        until(lambda: int(client.hget(counts, CURSOR) or 0) >= ledger.head(), "what was written is counted", 180, 1)
        time.sleep(5)
        before = client.info("stats")["total_commands_processed"]
        time.sleep(IDLE_S)
        # Less the one that asks.
        return float(client.info("stats")["total_commands_processed"] - before - 1) / IDLE_S


def mib(place: Place, name: str) -> float:
    """Of one process of the installation."""
    lines = Path(f"/proc/{place.processes[name].popen.pid}/status").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return kib / 1024


def processor_s(place: Place, name: str) -> float:
    """Seconds of processor time so far of all processes of this kind."""
    ticks = 0
    for process in place.processes.values():
        if process.name == name:
            fields = Path(f"/proc/{process.popen.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _web_starts(place: Place) -> float:
    place.kill("web")
    began = time.perf_counter()
    place.launch("web")
    until(lambda: _says_ready(place), "web is ready", 30, 0.02)
    return time.perf_counter() - began


def _says_ready(place: Place) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _help_s() -> float:
    argv = [sys.executable, "-m", "bot", "--help"]
    return median_s(lambda: subprocess.run(argv, cwd=ROOT, capture_output=True, check=True))


def median_s(step: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return percentile(times, 0.5)


if __name__ == "__main__":
    alone(__doc__, measure)
