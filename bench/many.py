"""What 10,000 active grants cost: lists, the digest, a sweep, memory, and the installation at rest. And how fast it starts.

    python -m bench.many [--quick]

The grants are written straight into the ledger; they do not stand at the simulated AWS, because nothing looks at them.
Each figure that may grow with what is shown stands beside the same one with a hundredth of the grants.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis

from bench.filled import developers_for, fill
from bench.place import DEVELOPERS, Place, options, percentile, person, running, say, table, until
from bot.chat.messages.digest import digest
from bot.chat.views.read_model import Reader
from bot.monotonic import monotonic_s
from bot.observability.faults import Faults
from bot.queues import ALL_QUEUES
from bot.wiring.common import RandomSource
from tests.support.installation import PEOPLE, ROOT, case_name
from workflows.ledger.keys import Keys
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.policy_file import PolicyFolder
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.due_items import overdue_holdings

IDLE_S = 10
REPEATS = 5
SWEEP = 500  # RedisDue.claim's own limit

Row = tuple[str, str, str]
Times = dict[str, float]


def main() -> None:
    asked = options(__doc__)
    count = 1_000 if asked.quick else 10_000
    rows: list[Row] = []
    with _filled(count // 100) as place:
        few = _looks(place)
    with _filled(count) as place:
        idle = _idle_commands(place)
        many = _looks(place)
        memory = {name: _mib(place.processes[name].popen.pid) for name in ("web", "worker", "clock")}
        start_s = _web_starts(place)
        swept = _sweeps(place)
    for name, seconds in many.items():
        rows.append(
            (
                f"{name}, {count} active",
                "< 1 s",
                f"{seconds * 1000:.0f} ms ({count // 100} active: {few[name] * 1000:.0f} ms)",
            )
        )
    rows.append((f"the clock hands out what is due, {count} at once", "< 1 s", f"{swept:.1f} s"))
    for name, mib in memory.items():
        rows.append((f"memory of {name}, {count} active", "< 150 MiB", f"{mib:.0f} MiB"))
    rows.append(("Redis commands a second at rest", "< 20", f"{idle:.1f}"))
    rows.append(("web, start to ready", "< 3 s", f"{start_s:.1f} s"))
    rows.append(("prodaccess --help", "< 0.5 s", f"{_help_s():.2f} s"))
    table(rows)


@contextmanager
def _filled(count: int) -> Iterator[Place]:
    with running(developers=developers_for(count)) as place:
        say(f"writing {count} grants")
        later = place.ledger().now() + timedelta(hours=2)
        fill(place, count, lambda n: later + timedelta(milliseconds=n), at_aws=False)
        yield place


# ---------------------------------------------------------------- looking


def _looks(place: Place) -> Times:
    """Seconds of each thing that shows or looks through grants; the median of some."""
    ledger, client = place.ledger(), place.connection()
    policy = PolicyFolder(place.config, monotonic=monotonic_s)
    ctx = Context(ledger, RedisDirectory(client), policy, _nothing, RandomSource(), fault=Faults(None))
    reader = Reader(ctx)
    place.warm()
    who = place.slack.person(PEOPLE[person(DEVELOPERS, 0)])
    return {
        "list": _median(lambda: _typed(place, "list")),
        "list of one environment": _median(lambda: _typed(place, f"list {case_name(0)}")),
        "digest, read and drawn": _median(lambda: digest(reader.digest(policy.current(), None), "/prodaccess")),
        "one sweep that finds nothing": _median(lambda: overdue_holdings(ctx)) + _median(lambda: _claim(client)),
        "home, opened to drawn": _median(lambda: _home(place, who)),
    }


def _nothing(*_items: str) -> None: ...


def _typed(place: Place, text: str) -> None:
    outcome = place.types(person(DEVELOPERS, 0), text)
    if not outcome.ok:
        raise SystemExit(f"{text!r} was not answered: {outcome}")


def _home(place: Place, who: Any) -> None:
    mark = place.slack.calls.mark()
    who.open_home()
    until(lambda: place.slack.calls.since(mark, "views.publish"), "the home", 20, 0.005)


def _claim(client: redis.Redis) -> None:
    """The clock's look, by somebody who does not lead: the same script, up to the question who leads."""
    RedisDue(client, queues=_queues(), monotonic=monotonic_s).claim("bench")


def _queues() -> list[str]:
    return [f"rq:queue:{name}" for name in ALL_QUEUES]


def _sweeps(place: Place) -> float:
    """Everything is due at once: how long until the clock's script has handed out all of it. Ends the installation."""
    place.kill("worker", "clock")
    client = place.connection()
    due = RedisDue(client, queues=_queues(), monotonic=monotonic_s)
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
    """Commands a second that the server counts, those inside scripts too, with nothing to do."""
    time.sleep(5)
    with place.connection() as client:
        before = client.info("stats")["total_commands_processed"]
        time.sleep(IDLE_S)
        # Less the one that asks.
        return float(client.info("stats")["total_commands_processed"] - before - 1) / IDLE_S


def _mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return kib / 1024


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
    return _median(lambda: subprocess.run(argv, cwd=ROOT, capture_output=True, check=True))


def _median(step: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return percentile(times, 0.5)


if __name__ == "__main__":
    main()
