"""How late access ends: from the deadline until absence was read back and is on the record.

    python -m bench.ends [--quick]

Alone: one end after the other. Together: all within one second, with our own quota of AWS calls taken away and the
simulated AWS without delay. With the quota: Identity Center's own limits are played (20 calls a second, 10 operations
outstanding), and the time is set beside the least that these allow. The grants are written into the ledger as active, and
stand at the simulated AWS.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from datetime import timedelta

from bench.filled import Filled, developers_for, fill
from bench.place import News, Place, options, percentile, running, say, table, until
from bench.tuned import NO_QUOTA
from bot.sandbox.aws.operations import Plan
from bot.sandbox.clock import system_clock
from tests.support.installation import ROOT
from workflows.core.audit import Event

CALLS_A_SECOND, OUTSTANDING = 20.0, 10
# Start the removal, see that it succeeded, read absence back: nobody who verifies can do with less.
CALLS_AN_END = 3
EVERY_S = 2.0
# How long AWS takes to remove an assignment, in the measurement that says so.
OPERATION_S = 1.0


def main() -> None:
    asked = options(__doc__)
    alone, together, limited = (5, 100, 20) if asked.quick else (60, 1000, 60)
    rows = [_alone(alone)]
    rows += _together(together)
    rows.append(_with_quota(limited, 0.0))
    rows.append(_with_quota(limited, OPERATION_S))
    table(rows)


# ---------------------------------------------------------------- the three


def _alone(count: int) -> tuple[str, str, str]:
    with running(developers=developers_for(count)) as place:
        first = place.ledger().now() + timedelta(seconds=4)
        found = fill(place, count, lambda n: first + timedelta(seconds=EVERY_S * n + random.random()))
        late = _lateness(place, found, 30 + EVERY_S * count)
    return f"late, alone ({count})", "p99 < 2 s", _seconds(late)


def _together(count: int) -> list[tuple[str, str, str]]:
    with running(*NO_QUOTA, developers=developers_for(count)) as place:
        lead_s = 5 + count * 0.01
        first = place.ledger().now() + timedelta(seconds=lead_s)
        found = fill(place, count, lambda n: first + timedelta(seconds=n / count))
        if place.ledger().now() >= first:
            raise SystemExit("the deadlines passed while the grants were written; give more lead")
        limit = _aws_alone(place, found[0])
        late = _lateness(place, found, 240)
    calls = f"the simulated AWS alone answers {limit:.0f} calls a second, which is {CALLS_AN_END * count / limit:.1f} s for these"
    return [(f"late, {count} in the same second", "last < 10 s", f"{_seconds(late)}, last {max(late):.1f} s; {calls}")]


def _with_quota(count: int, operation_s: float) -> tuple[str, str, str]:
    with running(developers=developers_for(count)) as place:
        at = place.ledger().now() + timedelta(seconds=6)
        found = fill(place, count, lambda _: at)
        place.aws.proxy.operations.default = Plan(delay_s=operation_s)
        place.aws.proxy.quota.set(calls_per_second=CALLS_A_SECOND, outstanding_max=OUTSTANDING)
        place.aws.proxy.log.reset()
        late = _lateness(place, found, 240)
        calls = place.aws.proxy.log.calls()
    refused = sum(call.fault == "quota" for call in calls)
    share = _least_s(count, operation_s) / max(late)
    slow = f", AWS taking {operation_s:g} s" if operation_s else ""
    measured = f"{share:.2f} ({max(late):.1f} s; {len(calls)} calls, {refused} of them throttled)"
    return f"{count} ends under the quota{slow}", ">= 0.8 of what it allows", measured


def _least_s(count: int, operation_s: float) -> float:
    """The bucket starts with one second's worth of calls; of operations so many run side by side."""
    by_calls = (count * CALLS_AN_END - CALLS_A_SECOND) / CALLS_A_SECOND
    return max(by_calls, operation_s * count / OUTSTANDING)


# ---------------------------------------------------------------- watching


def _lateness(place: Place, found: list[Filled], within_s: float) -> list[float]:
    """Seconds from each deadline until `grant.ended` could be read from the record."""
    deadlines = {item.grant.id: item.grant.deadline.timestamp() for item in found}
    late: dict[str, float] = {}
    over, watching = threading.Event(), threading.Event()

    def watch() -> None:
        with place.connection() as client:
            news = News(client)
            watching.set()
            while not over.is_set():
                for event, subject in news.wait(0.5):
                    if event == Event.GRANT_ENDED:
                        # Redis is on this machine, so its clock is this one.
                        late[subject] = system_clock() - deadlines[subject]

    watcher = threading.Thread(target=watch)
    watcher.start()
    watching.wait(5)
    try:
        until(lambda: len(late) == len(found), "every grant has ended", within_s, 0.2)
    except SystemExit as problem:
        say(f"{len(late)} of {len(found)} ended\n{place.logs()[-3000:]}")
        raise problem from None
    finally:
        over.set()
        watcher.join()
    _check_absent(place)
    return list(late.values())


def _check_absent(place: Place) -> None:
    """What the record says is true: nothing is there."""
    left = place.aws.world.assignments()
    if left:
        raise SystemExit(f"{len(left)} assignments are still there")


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


def _seconds(values: list[float]) -> str:
    return f"p50 {percentile(values, 0.5):.2f} s, p99 {percentile(values, 0.99):.2f} s"


if __name__ == "__main__":
    main()
