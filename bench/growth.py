"""How what is shown and looked through grows: 100 to 100,000 active grants, beside five million audit entries.

    python -m bench.growth [--quick | --grants 10000 --entries 500000]

The entries are written before anything of ours runs, the grants straight into the ledger; they do not stand at the simulated
AWS, because nothing looks at them. `--quick`: 50,000 entries and 2,000 grants.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis

from bench.alone import parser, show
from bench.figures import Figure, at_most, percentile
from bench.filled import fill
from bench.many import REPEATS, mib, processor_s
from bench.past import Past
from bench.place import DEVELOPERS, Place, crowd, person, say, until
from bench.profiles import REPORT as REPORT_PROFILE
from bot.chat.messages.digest import digest
from bot.chat.views.read_model import Reader
from bot.monotonic import monotonic_s
from bot.observability.faults import Faults
from bot.queues import ALL_QUEUES
from bot.wiring.common import RandomSource
from tests.support.installation import PEOPLE, ROOT, case_name
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.policy_file import PolicyFolder
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.due_items import overdue_holdings

SIZES, ENTRIES = (100, 1_000, 10_000, 100_000), 5_000_000
QUICK_SIZES, QUICK_ENTRIES = (100, 1_000, 2_000), 50_000
# So that nobody has more than some dozen grants, as with people.
GRANTS_EACH = 200
REPORT = "report --since 30d"
# A second; for the report ten.
WITHIN_MS, REPORT_WITHIN_MS = 1_000, 10_000
WITHIN_MIB = 150

DIGEST, SWEEP = "digest, read and drawn", "the clock's sweep that finds nothing"
# Done by the measuring process; all else by web.
OURS = DIGEST, SWEEP


@dataclass
class Old(Place):
    """With a past. `entries`: how many."""

    entries: int = 0

    def _start_slack(self) -> None:
        # Redis runs by now, and nothing of ours yet.
        say(f"writing {self.entries:,} audit entries")
        with self.connection() as client:
            Past(client, self.entries).write()
        super()._start_slack()


@dataclass(frozen=True, slots=True)
class Looked:
    """`busy_s`: of the processor time of whoever does it, in the same runs."""

    seconds: float
    busy_s: float


NOT_ANSWERED = Looked(math.nan, math.nan)


def main() -> None:
    own = parser(__doc__)
    own.add_argument("--grants", type=int, default=SIZES[-1], help="at most so many")
    own.add_argument("--entries", type=int, default=ENTRIES)
    asked = own.parse_args()
    sizes = tuple(size for size in SIZES if size <= asked.grants)
    show(measure(True) if asked.quick else grown(sizes, asked.entries), asked.json)


def measure(quick: bool) -> list[Figure]:
    return grown(QUICK_SIZES, QUICK_ENTRIES) if quick else grown(SIZES, ENTRIES)


def grown(sizes: Sequence[int], entries: int) -> list[Figure]:
    looked, memory, made = dict[int, dict[str, Looked]](), dict[int, dict[str, float]](), 0
    with _running(entries, sizes[-1] // GRANTS_EACH + 1) as place:
        for size in sizes:
            say(f"{size:,} grants")
            later = place.ledger().now() + timedelta(hours=6)
            fill(place, size - made, _each_later(later), at_aws=False, spread=True, first=made)
            made = size
            place.wait_ready()
            place.warm()
            looked[size] = {name: _looked(place, name, look) for name, look in _looks(place).items()}
            looked[size][REPORT] = _report(place)
            memory[size] = {name: mib(place, name) for name in place.processes}
            say(", ".join(f"{name} {found.seconds * 1000:.0f} ms" for name, found in looked[size].items()))
    last = sizes[-1]
    figures = [
        Figure(
            name,
            "ms",
            {f"{size:,}": looked[size][name].seconds * 1000 for size in sizes},
            (at_most(REPORT_WITHIN_MS if name == REPORT else WITHIN_MS, f"{last:,}"),),
            f"{found.busy_s * 1000:,.0f} ms of processor time at {last:,}",
            REPORT_PROFILE if name == REPORT else "",
        )
        for name, found in looked[last].items()
    ]
    figures += [
        Figure(
            f"memory of {name}",
            "MiB",
            {f"{size:,}": memory[size][name] for size in sizes},
            (at_most(WITHIN_MIB, f"{last:,}"),),
        )
        for name in memory[last]
    ]
    return [replace(one, what=f"{one.what}, by active grants") for one in figures]


def _each_later(first: Any) -> Callable[[int], Any]:
    return lambda n: first + timedelta(milliseconds=n)


@contextlib.contextmanager
def _running(entries: int, developers: int) -> Iterator[Old]:
    crowd(developers, 0)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Old(Path(folder), entries=entries)
        with place:
            place.warm()
            yield place


# ---------------------------------------------------------------- looking


def _looks(place: Place) -> Mapping[str, Callable[[], object]]:
    """Each thing that shows grants, or looks through them."""
    client = place.connection()
    policy = PolicyFolder(place.config, monotonic=monotonic_s)
    ctx = Context(place.ledger(), RedisDirectory(client), policy, _nothing, RandomSource(), fault=Faults(None))
    reader = Reader(ctx)
    who = place.slack.person(PEOPLE[person(DEVELOPERS, 0)])
    return {
        "list": lambda: _typed(place, "list"),
        "list ENV": lambda: _typed(place, f"list {case_name(0)}"),
        "show": lambda: _typed(place, "show PA-500000"),
        "home, opened to drawn": lambda: _home(place, who),
        DIGEST: lambda: digest(reader.digest(policy.current(), None), "/prodaccess"),
        SWEEP: lambda: (overdue_holdings(ctx), _claim(client)),
        "/readyz": lambda: _readyz(place),
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
    queues = [f"rq:queue:{name}" for name in ALL_QUEUES]
    RedisDue(client, queues=queues, monotonic=monotonic_s).claim("bench")


def _readyz(place: Place) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/readyz", timeout=20) as answer:
        answer.read()


def _looked(place: Place, name: str, look: Callable[[], object]) -> Looked:
    """The median, and processor time on average. What is not answered is not measured; the others still are."""
    busy_s = time.process_time if name in OURS else lambda: processor_s(place, "web")
    times, before = [], busy_s()
    try:
        for _ in range(REPEATS):
            began = time.perf_counter()
            look()
            times.append(time.perf_counter() - began)
    except SystemExit as problem:
        say(f"{name}: {str(problem)[:200]}")
        return NOT_ANSWERED
    return Looked(percentile(times, 0.5), (busy_s() - before) / REPEATS)


def _report(place: Place) -> Looked:
    """Once, as it takes long: the whole command, as somebody types it."""
    argv = [sys.executable, "-m", "bot", *REPORT.split()]
    began = time.perf_counter()
    process = subprocess.Popen(argv, cwd=ROOT, env=place.environment("web"), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        say(f"{REPORT} ended with {process.returncode}")
        return NOT_ANSWERED
    return Looked(time.perf_counter() - began, used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    main()
