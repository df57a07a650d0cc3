"""Telling open pages that something has changed. Pages get numbers that grow, and fetch what they show anew."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

EACH_S = 0.1
"""No page hears more often."""

HEARTBEAT_S = 10.0
AUDIT_EACH_S = 0.5
WORLD_EACH_S = 1.0
"""An IAM policy ends by its own date, and nobody calls anything then."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where each number comes from. `world` is rendered and compared; `aws_changes` says when that is worth it."""

    chat: Callable[[], int]
    teams: Callable[[], int]
    faults: Callable[[], int]
    audit: Callable[[], int]
    aws_changes: Callable[[], int]
    world: Callable[[], Any]


class Watch:
    """Looks in a thread of its own, so that any number of open pages cost one look."""

    def __init__(self, sources: Sources, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._monotonic = monotonic
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-watch", daemon=True)
        self._audit = self._world_number = 0
        self._world: Any = None
        self._aws_changes = -1
        self._audit_at_s = self._world_at_s = float("-inf")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def counters(self) -> Mapping[str, int]:
        return {
            "chat": self._sources.chat(),
            "teams": self._sources.teams(),
            "world": self._world_number,
            "audit": self._audit,
            "faults": self._sources.faults(),
        }

    def look(self) -> None:
        """At what does not say by itself that it has changed, where it is time to."""
        now_s = self._monotonic()
        if now_s - self._audit_at_s >= AUDIT_EACH_S:
            self._audit, self._audit_at_s = self._sources.audit(), now_s
        changes = self._sources.aws_changes()
        if changes != self._aws_changes or now_s - self._world_at_s >= WORLD_EACH_S:
            self._aws_changes, self._world_at_s = changes, now_s
            world = self._sources.world()
            if world != self._world:
                self._world = world
                self._world_number += 1

    def _run(self) -> None:
        while not self._over.wait(EACH_S):
            self.look()


async def stream(counters: Callable[[], Mapping[str, int]], over: Callable[[], bool]) -> AsyncIterator[str]:
    """Server-sent events: the numbers at once, then whenever one has grown, and a comment when it is quiet for long."""
    told: Mapping[str, int] | None = None
    quiet_s = 0.0
    while not over():
        now = counters()
        if now != told:
            told, quiet_s = now, 0.0
            yield f"event: changed\ndata: {json.dumps(now)}\n\n"
        elif quiet_s >= HEARTBEAT_S:
            quiet_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(EACH_S)
        quiet_s += EACH_S
