"""How long a decision takes to be on the record, beside a bare SET on the same server in the same run.

    python -m bench.ledger [--quick]

The server is our own, with `appendfsync always`, in a temporary folder.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis

from bench.alone import alone
from bench.figures import Figure, spread
from bot.runtime.embedded_redis import EmbeddedValkey
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.chat import Press
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Slot
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, IndexEntry, Snapshot

REASON = "checkout errors after the deploy of 14:05, see the dashboard " * 3


COMMITS, QUICK, THREADS = 2000, 200, 8


def measure(quick: bool) -> list[Figure]:
    commits, figures = QUICK if quick else COMMITS, list[Figure]()
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "data") as server:
        client = redis.Redis.from_url(server.url)
        ledger = RedisLedger(client, durability="verify", monotonic=time.monotonic)
        due = RedisDue(client, queues=["rq:queue:a", "rq:queue:b"], monotonic=time.monotonic)
        due.lead("bench")
        rows: dict[str, tuple[Callable[[int], Any], Callable[[int, Any], object]]] = {
            "SET of 500 bytes": (nothing, lambda n, _: client.set(f"bare:{n}", b"x" * 500)),
            "read of 4 records": (nothing, lambda n, _: read(ledger, n)),
            "commit of a decision": (lambda n: read(ledger, n), lambda n, seen: decide(ledger, n, seen)),
            "read + commit": (nothing, lambda n, _: decide(ledger, n + 10**6, read(ledger, n + 10**6))),
            "idle look of the clock": (nothing, lambda _n, _: due.claim("bench")),
        }
        for name, (prepare, step) in rows.items():
            seconds = one_by_one(prepare, step, commits)
            note = f"{commits / sum(seconds):,.0f} a second"
            if prepare is nothing:
                note += f"; {in_parallel(step, commits, THREADS):,.0f} with {THREADS} threads"
            figures.append(spread(name, "ms", seconds, scale=1000, note=note))
        client.close()
    return figures


def read(ledger: RedisLedger, n: int) -> Snapshot:
    return ledger.read(f"press:{n}", f"person:p{n % 50}", f"slot:{n}", "policy:active", commit_id=f"bench-{n}")


def decide(ledger: RedisLedger, n: int, seen: Snapshot) -> None:
    """A change of the size that a request makes: three records, a due item, two index entries, an audit entry."""
    at = seen.now
    private = {"reason": REASON, "by": "Åsa Ådal"}
    event = AuditEvent(Event.REQUEST_MADE, f"PA-{n}", at, "0" * 32, "1" * 32, {"rule": "two owners"}, private)
    change = Change(
        commit_id=f"bench-{n}",
        at=at,
        # In parallel the people are shared, and losing a race over them is not what is measured.
        reads={key: version for key, version in seen.versions().items() if not key.startswith("person:")},
        puts={f"press:{n}": Press(str(n), at, REASON), f"slot:{n}": Slot(str(n), f"PA-{n}")},
        due={f"request:PA-{n}": at},
        index=(IndexEntry("pending", f"PA-{n}", at.timestamp()), IndexEntry("mine:p", f"PA-{n}", at.timestamp())),
        audit=(event,),
        answer="made",
    )
    person = PersonRecord(PersonId(f"own{n}@example.com"), "Åsa", pending=(f"PA-{n}",))
    change = replace(
        change, reads={**change.reads, f"person:own{n}": 0}, puts={**change.puts, f"person:own{n}": person}
    )
    if not isinstance(ledger.commit(change), Committed):
        raise SystemExit("a commit was lost, which nothing here should do")


def nothing(_n: int) -> None: ...


def one_by_one(prepare: Callable[[int], Any], step: Callable[[int, Any], object], count: int) -> list[float]:
    """Seconds of `step` alone, each time."""
    times = []
    for n in range(count):
        ready = prepare(n)
        began = time.perf_counter()
        step(n, ready)
        times.append(time.perf_counter() - began)
    return times


def in_parallel(step: Callable[[int, Any], object], count: int, threads: int) -> float:
    """How many a second with so many threads of this process, which share one interpreter."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        list(pool.map(lambda n: step(n, None), range(2 * 10**6, 2 * 10**6 + count)))
        return count / (time.perf_counter() - began)


if __name__ == "__main__":
    alone(__doc__, measure)
