"""How late access ends: from the deadline until absence was read back and is on the record.

    python -m bench.ends [--quick]

Alone: one end after the other; many in the same second are `bench.lateness`. With the quota: Identity Center's own limits are
played (20 calls a second, 10 operations outstanding), and the time is set beside the least that these allow to whoever asks
after each end by itself. The grants are written into the ledger as active, and stand at the simulated AWS.
"""

from __future__ import annotations

import random
import threading
from datetime import timedelta

from bench.alone import alone
from bench.figures import Figure, at_least, at_most, figure, spread
from bench.filled import Filled, developers_for, fill
from bench.place import News, Place, running, say, until
from bot.sandbox.aws.operations import Plan
from bot.sandbox.clock import system_clock
from workflows.core.audit import Event

CALLS_A_SECOND, OUTSTANDING = 20.0, 10
# Start the removal, see that it succeeded, read absence back. Several at once take less, since one list tells of the second: so
# more than 1 can be reached.
CALLS_AN_END = 3
EVERY_S = 2.0
# How long AWS takes to remove an assignment, in the measurement that says so.
OPERATION_S = 1.0


def measure(quick: bool) -> list[Figure]:
    singly, limited = (5, 20) if quick else (40, 60)
    slow = [] if quick else [_with_quota(limited, OPERATION_S)]
    return [_alone(singly), _with_quota(limited, 0.0), *slow]


def _alone(count: int) -> Figure:
    with running(developers=developers_for(count)) as place:
        first = place.ledger().now() + timedelta(seconds=4)
        found = fill(place, count, lambda n: first + timedelta(seconds=EVERY_S * n + random.random()))
        late = lateness(place, found, 30 + EVERY_S * count)
    return spread(f"an end alone is late by ({count} of them)", "s", late, at_most(1, "p99"))


def _with_quota(count: int, operation_s: float) -> Figure:
    with running(developers=developers_for(count)) as place:
        at = place.ledger().now() + timedelta(seconds=6)
        found = fill(place, count, lambda _: at)
        place.aws.proxy.operations.default = Plan(delay_s=operation_s)
        place.aws.proxy.quota.set(calls_per_second=CALLS_A_SECOND, outstanding_max=OUTSTANDING)
        place.aws.proxy.log.reset()
        late = lateness(place, found, 240)
        calls = place.aws.proxy.log.calls()
    refused = sum(call.fault == "quota" for call in calls)
    share = _least_s(count, operation_s) / max(late)
    slow = f", AWS taking {operation_s:g} s" if operation_s else ""
    note = f"{max(late):.1f} s; {len(calls)} calls, {refused} of them throttled"
    return figure(f"{count} ends under the quota{slow}, share of what it allows", "", share, at_least(0.9), note=note)


def _least_s(count: int, operation_s: float) -> float:
    """The bucket starts with one second's worth of calls; of operations so many run side by side."""
    by_calls = (count * CALLS_AN_END - CALLS_A_SECOND) / CALLS_A_SECOND
    return max(by_calls, operation_s * count / OUTSTANDING)


# ---------------------------------------------------------------- watching


def lateness(place: Place, found: list[Filled], within_s: float) -> list[float]:
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


if __name__ == "__main__":
    alone(__doc__, measure)
