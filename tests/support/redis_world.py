"""The whole installation in one process, as `world.World`, on a real Redis: what is due is taken as a worker takes it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from tests.support import build
from tests.support.world import Chat, World, account
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger
from workflows.targets.aws.memory import MemoryTargets

QUEUES = ("rq:queue:prodaccess-remove", "rq:queue:prodaccess-grant", "rq:queue:prodaccess-chat")
TOKEN = "this-clock"


class _Clock:
    """Redis's own: it goes on by itself."""

    def __init__(self, ledger: RedisLedger) -> None:
        self.now = ledger.now
        self.monotonic = time.monotonic


class _Chance:
    """No two worlds on one server have the same."""

    def hex(self, digits: int) -> str:
        return secrets.token_hex(digits)[:digits]


class RedisWorld(World):
    """`client`: answers in bytes, as the product's own does. Jobs run at once, in `work`."""

    def __init__(self, client: Any, policy: Policy | None = None) -> None:
        self.woken: dict[str, None] = {}
        super().__init__(policy)
        self.client = client
        met = self.ctx.unreadable
        self.ledger = RedisLedger(client, durability="volatile", monotonic=time.monotonic, notice=met)  # type: ignore[assignment]
        self.due = RedisDue(client, queues=QUEUES, monotonic=time.monotonic, notice=met)  # type: ignore[assignment]
        self.directory = RedisDirectory(client, notice=met, ahead=self.ledger.ahead)  # type: ignore[assignment]
        self.clock = _Clock(self.ledger)  # type: ignore[assignment,arg-type]
        people, self.chat = self.chat.people, Chat(self.directory, self.clock)
        self.chat.people = people
        self.targets = MemoryTargets(now=self.clock.now)
        self.lease_renewer.clock, self.lease_renewer.ledger = self.clock, self.ledger
        parts = {
            "ledger": self.ledger,
            "directory": self.directory,
            "ahead": self.ledger.ahead,
            "targets": self.targets,
            "refresher": self.chat,
            "wake": self._woken_up,
            "monotonic_s": time.monotonic,
            "chance": _Chance(),
        }
        # Others have pressed before, in other worlds on this server.
        self._ids = time.monotonic_ns()
        for name, part in parts.items():
            object.__setattr__(self.ctx, name, part)
        for who in (build.DANA, build.OLU, build.PAT, build.NIA, build.SUE, build.GUS):
            self.targets.add_person(who)

    def _woken_up(self, *items: str) -> None:
        self.woken.update(dict.fromkeys(items))

    def work(self) -> None:
        """What somebody was woken for, until nobody is."""
        while self.woken:
            items, self.woken = list(self.woken), {}
            for item in items:
                self.run(item)

    def look(self) -> list[str]:
        """As the clock does: lead, and take what is due."""
        assert self.due.lead(TOKEN)
        return list(self.due.claim(TOKEN))

    def knows(self, *people: PersonId) -> None:
        for who in people:
            self.chat.refresh_person(account(who), self.policy.policy)


@contextmanager
def leases_renewed(world: RedisWorld, redis_url: str) -> Iterator[None]:
    """Leases are renewed as in a worker, however slow the machine is, and over a connection that nobody counts."""
    with redis.Redis.from_url(redis_url) as beside:
        ledger = RedisLedger(beside, durability="volatile", monotonic=time.monotonic)
        renewer = BackgroundLeaseRenewer(ledger, time.monotonic)
        object.__setattr__(world.ctx, "lease_renewer", renewer)
        yield
        renewer.close()
