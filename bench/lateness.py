"""How late the last of many ends is that come in the same second, and what an end costs the workers' processors.

    python -m bench.lateness [--quick | --long]

Our own quota of AWS calls is taken away, and the simulated AWS has no delay. 1, 10, 100 and 1,000 ends by one worker process
(`--long`: 5,000, too), then a hundred by two, four and eight. At last requests are approved while 1,000 ends are under way: from
the press until the access is verified and on the record.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

from bench.alone import parser, show
from bench.ends import CALLS_AN_END, lateness
from bench.figures import Figure, at_most, spread
from bench.filled import Filled, developers_for, fill
from bench.many import processor_s
from bench.place import Place, running, say, until
from bench.press import EACH_PERSON, ask, press
from bench.profiles import ENDS
from bench.tuned import NO_QUOTA
from tests.support.installation import ROOT

COUNTS, QUICK, LONG = (1, 10, 100, 1_000), (1, 50), (5_000,)
# As many as one of the counts: that is what one worker process does with them.
WORKERS, SHARED = (2, 4, 8), 100
WORKERS_QUICK, SHARED_QUICK = (2,), 50
# So many requests are approved amid the ends, where these last for so long.
PRESSES = 12
# Below that the clock of processor time, which ticks a hundred times a second, says nothing.
TICKS_ENOUGH = 50


@dataclass(frozen=True, slots=True)
class Together:
    """`busy_ms`: processor time of all workers, an end."""

    last_s: float
    busy_ms: float
    aws_a_second: float


def main() -> None:
    own = parser(__doc__)
    own.add_argument("--long", action="store_true", help=f"{LONG[0]:,} ends in one second, too")
    asked = own.parse_args()
    show(measure(asked.quick, long=asked.long), asked.json)


def measure(quick: bool, *, long: bool = False) -> list[Figure]:
    counts = QUICK if quick else COUNTS + (LONG if long else ())
    workers, shared = (WORKERS_QUICK, SHARED_QUICK) if quick else (WORKERS, SHARED)
    by_count = {count: together(count) for count in counts}
    by_workers = {1: by_count[shared]} | {number: together(shared, workers=number) for number in workers}
    most = max(count for count in counts if count <= max(COUNTS))
    aws = by_count[most].aws_a_second
    note = f"the simulated AWS alone answers {aws:.0f} calls a second, which is {CALLS_AN_END * most / aws:.1f} s for these"
    costly = {count: found for count, found in by_count.items() if count >= TICKS_ENOUGH}
    return [
        Figure(
            "ends in the same second, the last one late by",
            "s",
            {f"{count:,}": found.last_s for count, found in by_count.items()},
            (at_most(10, f"{most:,}"),),
            note,
            ENDS,
        ),
        Figure(
            "the same, processor time an end",
            "ms",
            {f"{count:,}": found.busy_ms for count, found in costly.items()},
            (at_most(6, f"{most:,}"),),
            profile=ENDS,
        ),
        Figure(
            f"{shared} ends by so many worker processes, the last one late by",
            "s",
            {f"{number}": found.last_s for number, found in by_workers.items()},
        ),
        Figure(
            f"{shared} ends by so many worker processes, processor time an end",
            "ms",
            {f"{number}": found.busy_ms for number, found in by_workers.items()},
        ),
        spread(f"press to verified, amid {most:,} ends", "s", approved_amid(most), at_most(1, "p99")),
    ]


def together(count: int, *, workers: int = 1) -> Together:
    say(f"{count} ends, {workers} workers")
    with running(*NO_QUOTA, developers=developers_for(count)) as place:
        _more_workers(place, workers)
        lead_s = 8 + count * 0.03
        first = place.ledger().now() + timedelta(seconds=lead_s)
        found = fill(place, count, lambda n: first + timedelta(seconds=n / count))
        if place.ledger().now() >= first:
            raise SystemExit("the deadlines passed while the grants were written; give more lead")
        aws = _aws_alone(place, found[0])
        before = processor_s(place, "worker")
        late = lateness(place, found, 600)
        busy = processor_s(place, "worker") - before
    return Together(max(late), busy * 1000 / count, aws)


def approved_amid(count: int) -> list[float]:
    """Seconds from each press to its `grant.active`; of presses for as long as ends are left to be done."""
    say(f"approvals amid {count} ends")
    developers = developers_for(count)
    with running(*NO_QUOTA, developers=developers + PRESSES // EACH_PERSON + 1) as place:
        # Of people who hold nothing yet.
        cards = [ask(place, EACH_PERSON * developers + number, "read-only") for number in range(PRESSES)]
        first = place.ledger().now() + timedelta(seconds=8 + count * 0.03)
        fill(place, count, lambda n: first + timedelta(seconds=n / count))
        until(lambda: place.ledger().now() >= first + timedelta(seconds=1), "the ends have begun", 120)
        found: list[float] = []
        while len(found) < len(cards) and len(place.aws.world.assignments()) > len(found):
            found.append(press(place, *cards[len(found)]))
        if not found:
            raise SystemExit("all ends were over before anything was pressed")
        return found


def _more_workers(place: Place, workers: int) -> None:
    with place.connection() as client:
        one = int(client.scard("rq:workers"))
        for number in range(2, workers + 1):
            place.launch("worker", f"worker-{number}")
        until(lambda: int(client.scard("rq:workers")) >= one * workers, "all workers are there")
    time.sleep(1)


def _aws_alone(place: Place, item: Filled) -> float:
    """Calls a second that the simulated AWS answers four threads of another process."""
    ids = item.grant.resource.ids
    argv = [sys.executable, "-c", _ASK_AWS, ids["instance"], ids["user"], ids["account"]]
    done = subprocess.run(argv, capture_output=True, check=True, cwd=ROOT, env=place.environment("worker"))
    return float(done.stdout)


_ASK_AWS = """
import sys, time, boto3
from concurrent.futures import ThreadPoolExecutor
sso = boto3.client("sso-admin")
instance, user, account = sys.argv[1:]
def ask(_):
    place = {"AccountId": account}
    sso.list_account_assignments_for_principal(
        InstanceArn=instance, PrincipalId=user, PrincipalType="USER", Filter=place
    )
with ThreadPoolExecutor(4) as pool:
    list(pool.map(ask, range(20)))
    began = time.perf_counter()
    list(pool.map(ask, range(200)))
print(200 / (time.perf_counter() - began))
"""


if __name__ == "__main__":
    main()
