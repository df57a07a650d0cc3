"""What the measurements share: the whole product running on this machine, with a crowd of people.

The stand-ins for Slack and AWS live in the measuring process and share its interpreter and the two cores with us, so what
is measured here is what the product does in spite of them.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from bot.queues import ALL_QUEUES
from tests.support import installation
from tests.support.installation import PEOPLE, ROOT, Installation, Process
from workflows.core.identity import Address
from workflows.core.people import Account, Membership, PersonFacts, PersonId
from workflows.ledger.keys import Keys
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger

DEVELOPERS, OWNERS = "crowd-dev", "crowd-own"
ONCALL_SOURCE = "slack:S0ONCALL"


@dataclass
class Place(Installation):
    """`tuned`: assignments for the workers, `module:NAME=value`; see `bench.tuned`."""

    tuned: tuple[str, ...] = ()
    # Slack's limits are kept, as in production.
    unlimited: bool = False
    # Calls are counted as for lists of ordinary sizes, which AWS answers in one page.
    torn_pages: int | None = None
    # Memory and processor time are a process's own.
    forked: bool = False

    def launch(self, name: str, label: str | None = None) -> Process:
        if name != "worker" or not self.tuned:
            return super().launch(name, label)
        log = self.folder / f"{label or name}-tuned.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                [sys.executable, "-m", "bench.tuned", *self.tuned],
                cwd=ROOT,
                env=self.environment(name),
                stdout=out,
                stderr=out,
            )
        self.processes[label or name] = Process(name, popen, log)
        return self.processes[label or name]

    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url)

    def ledger(self) -> RedisLedger:
        return RedisLedger(self.connection(), durability="verify", monotonic=time.monotonic)

    def warm(self) -> None:
        """Facts about everybody, as of now, as workers would have looked them up."""
        directory, now, team = RedisDirectory(self.connection()), self.ledger().now(), self.slack.app.team_id
        for name, id_ in PEOPLE.items():
            if name != "gus":
                address = f"{name}@example.com"
                directory.put_person(
                    PersonFacts(PersonId(address), name, Account("slack", team, id_), now, address=Address(address))
                )
        directory.put_members(ONCALL_SOURCE, Membership(frozenset({PersonId("nia@example.com")}), now))

    def waiting_jobs(self) -> int:
        with self.connection() as client:
            return sum(client.llen(f"rq:queue:{name}") for name in ALL_QUEUES)


@contextlib.contextmanager
def running(*tuned: str, developers: int = 0, owners: int = 0, unlimited: bool = False) -> Iterator[Place]:
    """The whole product, started and ready; `developers` and `owners` people beside the tests' own. `unlimited`: without Slack's
    limits, where they are not the subject.
    """
    crowd(developers, owners)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Place(Path(folder), tuned=tuned, unlimited=unlimited)
        with place:
            place.warm()
            yield place


def crowd(developers: int, owners: int) -> None:
    """Add people to the tests' world: some may ask, some may approve."""
    for group, prefix, count in (("developers", DEVELOPERS, developers), ("platform", OWNERS, owners)):
        names = [person(prefix, number) for number in range(count)]
        PEOPLE.update({name: f"U0{name.upper().replace('-', '')}" for name in names})
        before = f"  {group}: {{members: ["
        addresses = "".join(f"{name}@example.com, " for name in names)
        installation.WORKSPACE = installation.WORKSPACE.replace(before, before + addresses)


def person(prefix: str, number: int) -> str:
    return f"{prefix}{number:04}"


class News:
    """The audit record as it grows, from now on."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self._stream = client, Keys().audit
        newest: Any = client.xrevrange(self._stream, count=1)
        self._last = newest[0][0] if newest else b"0-0"

    def wait(self, seconds: float) -> list[tuple[str, str]]:
        """Event and subject of each new entry; returns as soon as there is one, or empty when time is out."""
        answer: Any = self._client.xread({self._stream: self._last}, block=int(seconds * 1000))
        entries = answer[0][1] if answer else []
        if entries:
            self._last = entries[-1][0]
        bodies = (json.loads(fields[b"body"]) for _, fields in entries)
        return [(body["event"], body["subject"]) for body in bodies]


# ---------------------------------------------------------------- waiting


def until(look: Callable[[], Any], what: str, within_s: float = 60.0, every_s: float = 0.1) -> Any:
    """The first truthy answer; looks seldom, so as not to disturb what is measured."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen within {within_s:g} s: {what}")
        time.sleep(every_s)
    return found


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
