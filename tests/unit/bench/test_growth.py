"""What is shown costs what is shown: with more grants nothing more is asked of Redis, and nothing more is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
import redis

from bench.filled import everything, written
from bench.place import DEVELOPERS, person
from bot.chat.messages.digest import digest
from bot.chat.views.read_model import SHOWN_MAX, Reader
from bot.observability.faults import Faults
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.wiring.common import RandomSource
from tests.support.installation import PEOPLE, write_policy
from tests.support.round_trips import round_trips
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.due_items import overdue_holdings

FEW, MANY = 220, 500
# Of an answer's length: numbers and times are longer or shorter by some digits.
A_LITTLE = 1.02


def test_with_more_grants_nothing_more_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FEW > SHOWN_MAX
    for number in range(2):
        monkeypatch.setitem(PEOPLE, person(DEVELOPERS, number), f"U0CROWD{number}")
    with EmbeddedValkey(tmp_path / "data") as server:
        client = redis.Redis.from_url(server.url)
        write_policy(tmp_path / "config")
        folder = PolicyFolder(tmp_path / "config", monotonic=time.monotonic)
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        ctx = Context(ledger, RedisDirectory(client), folder, lambda *_: None, RandomSource(), fault=Faults(None))
        costs = [dict[str, tuple[int, int]](), dict[str, tuple[int, int]]()]
        later, chosen = ledger.now() + timedelta(hours=2), enumerate(everything())
        for cost, more in zip(costs, (FEW, MANY - FEW), strict=True):
            written(ledger, folder.current(), islice(chosen, more), lambda _: later, "T0EXAMPLE")
            for name, look in _looks(ctx).items():
                cost[name] = _cost(client, look)
        client.close()
    few, many = costs
    assert {name: trips for name, (trips, _) in many.items()} == {name: trips for name, (trips, _) in few.items()}
    assert not [name for name, (_, read) in many.items() if read > few[name][1] * A_LITTLE]


def _looks(ctx: Context) -> Mapping[str, Callable[[], object]]:
    reader, policy = Reader(ctx), ctx.policy.current()
    mine = keys.LIVE, keys.PENDING
    return {
        "digest": lambda: digest(reader.digest(policy, None), "/prodaccess"),
        "list": lambda: reader.live(policy),
        "one request": lambda: reader.one("PA-500000", policy),
        "of one person": lambda: reader.of_person(mine, PersonId(f"{person(DEVELOPERS, 0)}@example.com"), policy),
        "sweep": lambda: overdue_holdings(ctx),
    }


def _cost(client: redis.Redis, look: Callable[[], object]) -> tuple[int, int]:
    """Round trips, and bytes that the server sent."""
    look()
    # Scripts are known to the server by now.
    with round_trips(client) as sent:
        before = _sent(client)
        asked = len(sent)
        look()
        return len(sent) - asked, _sent(client) - before


def _sent(client: redis.Redis) -> int:
    return int(client.info("stats")["total_net_output_bytes"])  # type: ignore[index]  # redis-py's types hold both kinds
