"""Writes the table of metrics in docs/monitoring.md from what a scrape really shows: `python -m tests.support.metrics_doc`."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import redis
from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from bot.chat.behind import Behind
from bot.observability.faults import Faults
from bot.observability.figures import Figures
from bot.observability.metrics import LedgerMetrics
from bot.runtime.embedded_redis import EmbeddedValkey
from tests.support.redis_world import RedisWorld
from workflows.core import keys
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import Seal
from workflows.ports import Change, IndexEntry

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
BEGIN, END = "<!-- metrics: python -m tests.support.metrics_doc -->", "<!-- end of metrics -->"
# Where what each process counts by itself is made.
_COUNTING = ("bot.chat.actions.intake", "bot.chat.actions.open_form", "bot.chat.untold")


def collector(world: RedisWorld) -> LedgerMetrics:
    """As `web` registers it."""
    chats: Any = SimpleNamespace(surfaces={"slack": None})
    figures, behind = Figures(world.ctx, world.client), Behind(world.ctx, world.client, chats)
    return LedgerMetrics(world.ctx, world.client, Faults(world.client), figures.collect, behind.collect)


def families(world: RedisWorld) -> dict[str, Metric]:
    """All that one web shows of ours, by name; of counters without `_total`."""
    for name in _COUNTING:
        importlib.import_module(name)
    # A chat that is not Slack shows its words only once there are any.
    now = world.ledger.now()
    seen = IndexEntry(keys.CHAT_WORDS, "teams:BadArgument", now.timestamp())
    world.ledger.commit(Change(f"seen-{now.timestamp()}", now, reads={}, index=(seen,)))
    # Of the seal there is something to show once there is one.
    version = world.ledger.read(keys.SEAL)
    sealed = SealState(0, "", (), version.now, Seal("", "", ""))
    world.ledger.commit(Change(f"seal-{now.timestamp()}", version.now, version.versions(), puts={keys.SEAL: sealed}))
    counted = (each for each in REGISTRY.collect() if each.name.startswith("prodaccess_"))
    return {each.name: each for each in (*collector(world).collect(), *counted)}


def table(found: dict[str, Metric]) -> str:
    head = ["| metric | kind | labels | says |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(row for name in sorted(found) for row in _rows(found[name]))])


def _rows(family: Any) -> Iterator[str]:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = " ".join(f"`{label}`" for label in _labels(family) if label != "le")
    yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


def _labels(family: Any) -> tuple[str, ...]:
    # What is scraped of a process's own counters carries labels in its samples alone.
    own: Any = REGISTRY._names_to_collectors.get(family.name)
    return tuple(getattr(own if own is not None else family, "_labelnames", ()))


def with_table(page: str, rows: str) -> str:
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{rows}\n{END}{rest.split(END)[1]}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as server:
        rows = table(families(RedisWorld(redis.Redis.from_url(server.url))))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    main()
