"""However many grants there are, a process holds so many of them at a time: counted, not weighed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from bench.filled import everything, written
from bench.place import DEVELOPERS, person
from bot.observability.faults import Faults
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.wiring.common import RandomSource
from tests.support.installation import PEOPLE, write_policy
from workflows.core import keys
from workflows.core.people import GroupFacts
from workflows.core.policy import OnMover
from workflows.core.records.grant import Grant
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.rules.leaving import Looked
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder
from workflows.ports import WALKED_AT_ONCE, Change, Committed, Snapshot
from workflows.usecases.identity.leavers import look_at_holders
from workflows.usecases.shared.context import WorkerContext

GRANTS = 3 * WALKED_AT_ONCE
# A part that is being read, and the one before it.
HELD_MAX = 2 * WALKED_AT_ONCE


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerContext]:
    folder = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch, EmbeddedValkey(folder / "data") as server:
        for number in range(2):
            patch.setitem(PEOPLE, person(DEVELOPERS, number), f"U0CROWD{number}")
        client = redis.Redis.from_url(server.url)
        write_policy(folder / "config")
        policy = PolicyFolder(folder / "config", monotonic=time.monotonic)
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        later = ledger.now() + timedelta(hours=2)
        chosen = islice(enumerate(everything()), GRANTS)
        written(ledger, policy.current(), chosen, lambda n: later + timedelta(seconds=n // 3), "T0EXAMPLE")
        ctx = _worker(ledger, RedisDirectory(client), policy)
        # Else nobody is looked at for having moved.
        assert policy.current().on_mover is OnMover.TELL
        puts = {keys.ACTIVE_POLICY: ActivePolicy(policy.current().hash, ledger.now())}
        assert isinstance(ledger.commit(Change("in force", ledger.now(), dict.fromkeys(puts, 0), puts)), Committed)
        yield ctx
        client.close()


def _worker(ledger: RedisLedger, directory: RedisDirectory, policy: PolicyFolder) -> WorkerContext:
    nobody: Any = SimpleNamespace(look_at=lambda *_: Looked(), refresh_groups=lambda *_: GroupFacts())
    nothing: Any = SimpleNamespace()
    return WorkerContext(
        ledger,
        directory,
        policy,
        lambda *_: None,
        RandomSource(),
        fault=Faults(None),
        targets=nothing,
        refresher=nobody,
        lease_renewer=nothing,
        prove_origin=lambda _policy, origin: origin,
        monotonic_s=time.monotonic,
    )


@contextmanager
def counting(ctx: WorkerContext, patch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[int, int]]]:
    """How many grants were there at most when something was read, and how many were read in all."""
    most, all_, read = 0, 0, RedisLedger.read

    def counted(self: RedisLedger, *keys: str, **asked: Any) -> Snapshot:
        nonlocal most, all_
        found = read(self, *keys, **asked)
        all_ += sum(isinstance(item.record, Grant) for item in found.items.values())
        if len(keys) > 1:
            most = max(most, sum(isinstance(one, Grant) for one in gc.get_objects()))
        return found

    before = sum(isinstance(one, Grant) for one in gc.get_objects())
    patch.setattr(RedisLedger, "read", counted)
    yield lambda: (most - before, all_)


def test_the_look_at_all_who_hold_something_holds_a_part_of_it(
    grown: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(grown, monkeypatch) as seen:
        look_at_holders(grown)
        most, all_ = seen()
    assert all_ >= GRANTS, "all of them are looked at"
    assert most <= HELD_MAX
