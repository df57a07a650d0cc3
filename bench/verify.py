"""How long `prodaccess audit verify` takes over a long log, and how much memory: in Redis, and from an export, with an archive.

    python -m bench.verify [--quick]

A million entries of the size that a life leaves (`docs/capacity.md`), six about each request, are written straight into a
Valkey of its own, signed, and archived in a folder. The command runs as a process, as an operator starts it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import redis

from bench.alone import alone
from bench.figures import Figure, at_most, figure
from bench.place import say
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.settings import process_environ
from tests.support.installation import ROOT
from workflows.archive.folder import FolderArchive
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import StoredEntry, linking
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.merkle import Tree
from workflows.core.seal.public_key import pem_of
from workflows.core.seal.statement import Head, leaf_of, seal_json, signed, statement_digest
from workflows.ledger.codec import event_body, event_private
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed
from workflows.signing import signer_of
from workflows.signing.keys import make_key

ENTRIES, QUICK = 1_000_000, 50_000
RUN, LOG, AT = 5_000, "ab" * 16, datetime(2026, 1, 1, tzinfo=UTC)
WITHIN_S, WITHIN_MIB = 60, 200
_KINDS = (
    Event.REQUEST_MADE,
    Event.REQUEST_RESOLVED,
    Event.REQUEST_APPROVED,
    Event.GRANT_ACTIVE,
    Event.GRANT_END_STARTED,
    Event.GRANT_ENDED,
)


def measure(quick: bool) -> list[Figure]:
    count = QUICK if quick else ENTRIES
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as url:
        folder = Path(name)
        say(f"writing {count:,} entries")
        fill(redis.Redis.from_url(url), url, folder, count)
        flags = ("--key", str(folder / "key.pub.pem"), "--archive", str(folder / "archive"))
        figures = [*rows("in Redis, with the archive", verify(url, *flags)), *rows("in Redis", verify(url, *flags[:2]))]
        export = folder / "audit.jsonl"
        with export.open("wb") as out:
            subprocess.run(
                command("export"), cwd=ROOT, env={**process_environ(), "REDIS_URL": url}, stdout=out, check=True
            )
        figures += rows("from an export, with the archive", verify(url, "--export", str(export), *flags))
    return [replace(one, what=f"audit verify, {count:,} entries, {one.what}") for one in figures]


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    valkey = EmbeddedValkey(folder / "data")
    valkey.start()
    try:
        yield valkey.url
    finally:
        valkey.stop()


def entry(number: int) -> AuditEvent:
    """Of a life, as long as they are: six about each request."""
    facts = {
        "environment": "orders-prod",
        "role": "read-only",
        "policy": "4f" * 32,
        "seen": "12 s",
        "n": str(number),
    }
    private = {
        "actor_name": "Dana Developer",
        "reason": f"INC-{number}: checkout errors in orders, looking at the queue",
    }
    at, nonce = AT + timedelta(seconds=number), os.urandom(16).hex()
    return AuditEvent(_KINDS[number % len(_KINDS)], f"PA-{(number + 5) // 6}", at, nonce, nonce, facts, private)


def entries(count: int) -> Iterator[tuple[StoredEntry, str]]:
    """Each with its subject."""
    link = ""
    for number in range(1, count + 1):
        made = entry(number)
        link = linking(link, number, made.digest)
        yield StoredEntry(number, event_body(made), made.digest, event_private(made), link), made.subject


def fill(client: redis.Redis, url: str, folder: Path, count: int, run: int = RUN) -> None:
    """All of it; then heads and runs, each of so many entries, and the seal."""
    client.config_set("appendfsync", "no")
    key = make_key(folder / "key.pem")
    (folder / "key.pub.pem").write_text(pem_of(key))
    sealing = Sealing(FolderArchive(folder / "archive"), folder / "key.pem", run)
    write(client, entries(count), sealing.append)
    client.config_set("appendfsync", "always")
    ledger = RedisLedger(redis.Redis.from_url(url), durability="verify", monotonic=time.monotonic)
    snapshot = ledger.read(keys.SEAL, keys.INSTALLATION)
    puts = {keys.SEAL: sealing.sealed(), keys.INSTALLATION: Installation(LOG, AT)}
    assert isinstance(ledger.commit(Change("bench", snapshot.now, snapshot.versions(), puts=puts)), Committed)


def write(
    client: redis.Redis, made: Iterator[tuple[StoredEntry, str]], each: Callable[[StoredEntry], object] = lambda _: None
) -> None:
    """The stream, the words, the lists, the head."""
    while page := list(islice(made, RUN)):
        pipe = client.pipeline(transaction=False)
        for one, subject in page:
            fields = {"body": one.body, "digest": one.digest, "link": one.link}
            pipe.xadd("prodaccess:audit", fields, id=f"{one.number}-0")
            pipe.hset("prodaccess:audit:private", str(one.number), one.private or b"")
            pipe.rpush(f"prodaccess:audit:of:{subject}", one.number)
            each(one)
        pipe.set("prodaccess:audit:head", f"{page[-1][0].number}:{page[-1][0].link}")
        pipe.execute()


class Sealing:
    """As the sealer does it, without a ledger to look at."""

    def __init__(self, archive: FolderArchive, key: Path, run: int) -> None:
        self._archive, self._signer = archive, signer_of(str(key))
        self._every = run
        self._tree, self._run, self._state = Tree(), list[StoredEntry](), None

    def append(self, entry: StoredEntry) -> None:
        self._tree.append(leaf_of(entry.number, entry.digest))
        self._run.append(entry)
        if len(self._run) == self._every:
            self.sealed()

    def sealed(self) -> SealState:
        size, folder = self._tree.size, layout.folder(LOG, 1)
        if self._run or self._state is None:
            before = statement_digest(self._state.seal.statement) if self._state else ""
            head = Head(LOG, size, self._tree.root().hex(), AT, 1, before)
            seal = signed(head.statement, self._signer.public, self._signer.sign(head.statement.encode()))
            self._archive.put(layout.run_name(folder, size - len(self._run) + 1, size), layout.run_of(self._run))
            self._archive.put(layout.head_name(folder, size), seal_json(seal))
            frontier = tuple(part.hex() for part in self._tree.frontier)
            self._state = SealState(size, head.root, frontier, AT, seal, public_key=pem_of(self._signer.public))
            self._run.clear()
        return self._state


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bot", "audit", *words]


@dataclass
class Took:
    """`busy_s`: of the command's own processor time, which does not depend on who else is at work."""

    seconds: float
    busy_s: float
    mib: float


def verify(url: str, *words: str) -> Took:
    began_s = time.monotonic()
    process = subprocess.Popen(command("verify", *words), cwd=ROOT, env={**process_environ(), "REDIS_URL": url})
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, words
    return Took(time.monotonic() - began_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def rows(what: str, took: Took) -> list[Figure]:
    busy = f"{took.busy_s:.1f} s of processor time"
    return [
        figure(what, "s", took.seconds, at_most(WITHIN_S), note=busy),
        figure(f"{what}: memory", "MiB", took.mib, at_most(WITHIN_MIB)),
    ]


if __name__ == "__main__":
    alone(__doc__, measure)
