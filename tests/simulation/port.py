"""A port as one process sees it: each call may be the last one, late, in vain, unanswered, or made twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.simulation.dice import Dice
from tests.simulation.scheduler import US, Killed, Process, Scheduler
from tests.simulation.story import Story
from tests.simulation.weather import (
    DIES_AFTER,
    DIES_BEFORE,
    EVERYWHERE,
    LATE,
    NEVER_SENT,
    NO_ANSWER,
    STOPS_AFTER,
    STOPS_BEFORE,
    TWICE,
    Weather,
)
from workflows.ports import LEASE_S, Lease

# How long a process is stopped, and a call late, in seconds: within a lease, beyond it, beyond a decision's age.
STOPS_S = (0.7, 2.9, 4.0, 12.0, 70.0)
LATE_S = (0.5, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Kind:
    """`error`: what a call raises that got no answer. `latency_s`: how long one takes, at most. `repeats`: which calls a
    client may send again by itself. `before`: has its say right before the call, and may raise."""

    name: str
    error: Callable[[str], Exception]
    latency_s: float
    repeats: frozenset[str] = frozenset()
    # Whether the shipped code looks right before each call whether it still may: then the call goes out at once. Who is stopped
    # between that look and the wire is late all the same: no code can tell, and where it matters a doubt covers it.
    guarded: bool = False
    # Calls that ask nobody, and take no time.
    inside: frozenset[str] = frozenset()


@dataclass
class Ways:
    """What all ports of one installation share."""

    scheduler: Scheduler
    dice: Dice
    weather: Weather
    story: Story
    # Told of each fault, and asked to start another process in a dead one's place.
    trouble: Callable[[float], None]
    died: Callable[[Process], None]
    # Why nobody reaches anything there: port -> words.
    away: dict[str, str]


class Port:
    """Calls of `real` through the air between two machines."""

    def __init__(self, real: Any, kind: Kind, process: Process, ways: Ways) -> None:
        self._real, self._kind, self._process, self._ways = real, kind, process, ways

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found) or name in self._kind.inside:
            return found

        def call(*args: Any, **how: Any) -> Any:
            return self._call(name, lambda: found(*args, **how))

        return call

    def _call(self, name: str, real: Callable[[], Any]) -> Any:
        ways, process = self._ways, self._process
        if process.dead:
            raise Killed
        asked_s = ways.scheduler.now_s
        ways.story.step(f"{process.name} {self._kind.name}.{name}")
        what = ways.weather.at(ways.dice, *EVERYWHERE)
        latency_s = ways.dice.between(0.0, self._kind.latency_s)
        if not self._kind.guarded:
            ways.scheduler.pause(latency_s)
        self._on_the_way(what, name)
        if self._kind.name in ways.away:
            raise self._kind.error(ways.away[self._kind.name])
        answer = self._made(what, name, real)
        ways.scheduler.pause(latency_s)
        self._on_the_way_back(what, name)
        return self._as_asked(answer, asked_s)

    def _on_the_way(self, what: str, name: str) -> None:
        if what == DIES_BEFORE:
            self._die(f"before it calls {self._said(name)}")
        if what == STOPS_BEFORE and not self._kind.guarded:
            self._stop(f"before it calls {self._said(name)}")
        if what == LATE:
            late_s = self._ways.dice.pick(LATE_S)
            self._trouble(what, f"is late with {self._said(name)}, by {late_s:g} s", late_s)
            self._ways.scheduler.pause(late_s)
        if what == NEVER_SENT:
            self._trouble(what, f"does not get through with {self._said(name)}")
            raise self._kind.error("no way there (simulated)")

    def _made(self, what: str, name: str, real: Callable[[], Any]) -> Any:
        answer = real()
        if what == TWICE and name in self._kind.repeats:
            self._trouble(what, f"sends {self._said(name)} twice")
            answer = real()
        return answer

    def _on_the_way_back(self, what: str, name: str) -> None:
        if what == DIES_AFTER:
            self._die(f"right after it called {self._said(name)}")
        if what == STOPS_AFTER:
            self._stop(f"right after it called {self._said(name)}")
        if what == NO_ANSWER:
            self._trouble(what, f"gets no answer to {self._said(name)}, which was done")
            raise self._kind.error("no answer (simulated)")

    def _as_asked(self, answer: Any, asked_s: float) -> Any:
        """A lease is counted from before it was asked for, as the real one is."""
        return replace(answer, deadline_s=asked_s + LEASE_S) if isinstance(answer, Lease) else answer

    def _said(self, name: str) -> str:
        return f"{self._kind.name}.{name}"

    def _die(self, when: str) -> None:
        self._trouble(DIES_BEFORE, f"dies {when}")
        self._ways.died(self._process)
        raise Killed

    def _stop(self, when: str) -> None:
        stops_s = self._ways.dice.pick(STOPS_S)
        self._trouble(STOPS_BEFORE, f"is stopped for {stops_s:g} s {when}", stops_s)
        self._process.stopped_until_us = self._ways.scheduler.now_us + round(stops_s * US)
        self._ways.scheduler.pause(0)

    def _trouble(self, kind: str, words: str, lasts_s: float = 0.0) -> None:
        self._ways.trouble(lasts_s)
        self._ways.story.fault(kind, f"{self._process.name} {words}")
