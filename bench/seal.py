"""How fast the audit log is sealed and archived: all of a long backlog, and what comes in a second of a busy installation.

    python -m bench.seal [--quick]

Entries of the size that a life leaves (as in `bench.verify`) are written straight into a Valkey of its own; the shipped sealer
signs them with a key in a file, hides their words, and archives them in a folder.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import redis

from bench.alone import alone
from bench.figures import Figure, at_least, at_most, figure, spread
from bench.place import say
from bench.verify import entries, entry, server, write
from bot.settings import Settings, load_settings
from bot.wiring.sealing import SealingParts, build_sealing_worker
from tests.support.installation import ROOT
from workflows.core import keys
from workflows.core.records.seal import SealState
from workflows.ports import Change, Committed
from workflows.signing.keys import make_key

BACKLOG, QUICK = 100_000, 5_000
A_SECOND, SECONDS = 200, 20


def measure(quick: bool) -> list[Figure]:
    backlog = QUICK if quick else BACKLOG
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as url:
        parts = _parts(url, Path(name))
        say(f"writing {backlog:,} entries")
        write(redis.Redis.from_url(url), entries(backlog))
        took_s, busy_s = _sealed(parts, backlog)
        seals = []
        for second in range(SECONDS):
            numbers, at = range(second * A_SECOND, (second + 1) * A_SECOND), parts.ledger.now()
            change = Change(
                f"bench-{second}", at, {}, audit=tuple(replace(entry(backlog + each), at=at) for each in numbers)
            )
            assert isinstance(parts.ledger.commit(change), Committed)
            seals.append(_sealed(parts, parts.ledger.head()))
        parts.close()
    busy_ms = sum(busy for _, busy in seals) / len(seals) * 1000
    return [
        figure(
            f"sealed of a backlog of {backlog:,} entries",
            "a second",
            backlog / took_s,
            at_least(A_SECOND),
            note=f"{busy_s / backlog * 1e6:.0f} us of processor time each",
        ),
        spread(
            f"{A_SECOND} entries at once are sealed after",
            "ms",
            [took for took, _ in seals],
            at_most(1000, "p99"),
            scale=1000,
            note=f"{busy_ms:.0f} ms of processor time",
        ),
    ]


def _parts(url: str, folder: Path) -> SealingParts:
    make_key(folder / "key.pem")
    found = load_settings(
        {
            "REDIS_URL": url,
            "PRODACCESS_AUDIT_KEY": str(folder / "key.pem"),
            "PRODACCESS_AUDIT_BUCKET": str(folder / "archive"),
            "PRODACCESS_CONFIG": str(ROOT / "config"),
        }
    )
    if not isinstance(found, Settings):
        raise SystemExit("\n".join(found))
    return build_sealing_worker(found)


def _sealed(parts: SealingParts, size: int) -> tuple[float, float]:
    """Until so many are signed and archived. Seconds, and those of this process's processor."""
    began_s, busy_s = time.monotonic(), time.process_time()
    while True:
        parts.sealer.seal()
        state = parts.ledger.read(keys.SEAL).readable(keys.SEAL, SealState)
        if state is not None and state.archived >= size:
            return time.monotonic() - began_s, time.process_time() - busy_s


if __name__ == "__main__":
    alone(__doc__, measure)
