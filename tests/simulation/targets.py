"""Targets with moods of their own, beside what can happen to any call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.simulation.port import Kind, Port, Ways
from tests.simulation.scheduler import Process
from tests.simulation.weather import ACTS_LATE, AT_TARGETS, FAILS_LATER, REFUSED, SETTLES, THROTTLED
from workflows.core.provider import TargetTerms
from workflows.core.records.target import Observation, Presence, Resource
from workflows.ports import TargetInDoubt, TargetThrottled
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Behaviour, Lose, MemoryTarget, MemoryTargets, Refuse, Settle, Throttle
from workflows.targets.aws.terms import own_terms

TARGET = Kind("target", TargetInDoubt, 0.3, inside=frozenset({"tells_ours_apart"}))
CHANGING = frozenset({"grant", "revoke"})
# What came late is looked for once a minute while it may.
LOOKED_AT_S = 65.0


class WatchedTargets(MemoryTargets):
    """`before`, `after`: told of every call that reaches a target, and what it answered. `listed`: of every list."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self.now = now
        self.before: Callable[[MemoryTarget, str, Resource], None] = lambda target, name, resource: None
        self.after: Callable[[MemoryTarget, str, Resource, Any], None] = lambda target, name, resource, answer: None
        self.listed: Callable[[list[Observation]], None] = lambda seen: None
        # Holding -> until when the target itself is still at something, in seconds.
        self.busy_until_s: dict[str, float] = {}
        self.throttles = False

    def __iter__(self) -> Any:
        return iter(self._targets[kind] for kind in AwsKind)

    def seen_by(self, process: Process, ways: Ways) -> SeenTargets:
        return SeenTargets(self, process, ways)


class SeenTargets:
    """A `Targets` of one process."""

    def __init__(self, all_: WatchedTargets, process: Process, ways: Ways) -> None:
        self._all, self._process, self._ways = all_, process, ways

    def for_terms(self, terms: TargetTerms) -> TargetPort:
        return TargetPort(self._all, self._all[own_terms(terms).kind], self._process, self._ways)


class TargetPort(Port):
    def __init__(self, all_: WatchedTargets, target: MemoryTarget, process: Process, ways: Ways) -> None:
        super().__init__(target, TARGET, process, ways)
        self._all, self._target = all_, target

    @property
    def tells_ours_apart(self) -> bool:
        return self._target.tells_ours_apart

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*args: Any) -> Any:
            return self._call(name, lambda: self._reached(name, found, args))

        return call

    def _reached(self, name: str, real: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """The request is at the target."""
        if self._all.throttles:
            raise TargetThrottled(2.0, name)
        resource = args[0] if args and isinstance(args[0], Resource) else None
        guard = args[-1] if name in CHANGING else None
        if guard is not None:
            guard()
        mood = self._ways.weather.at(self._ways.dice, *AT_TARGETS)
        behaviour = self._behaviour(mood, name, resource) if mood else None
        if behaviour is not None:
            self._target.next(name, behaviour)
        if resource is not None:
            self._all.before(self._target, name, resource)
        self._say(name, resource)
        answer = real(*args)
        if resource is not None:
            self._all.after(self._target, name, resource, answer)
        self._answered(name, resource, answer)
        if name == "list_managed":
            self._all.listed(answer)
        return answer

    def _behaviour(self, mood: str, name: str, resource: Resource | None) -> Behaviour | None:
        dice = self._ways.dice
        changes = name in CHANGING
        if mood == REFUSED:
            found: Behaviour | None = Refuse("AWS does not let the worker do this.")
        elif mood == THROTTLED:
            found = Throttle(dice.pick((0.5, 3.0, 20.0)))
        elif mood in (SETTLES, FAILS_LATER) and changes:
            after_s = dice.pick((2.0, 20.0, 100.0))
            found = Settle(after_s, "it failed" if mood == FAILS_LATER else None)
            self._busy(resource, after_s + 5)
        elif mood == ACTS_LATE and changes:
            late_s = dice.pick((0.0, 2.0, 40.0, 170.0, 250.0))
            found = Lose(applied=dice.chance(700), late_s=late_s)
            self._busy(resource, late_s + LOOKED_AT_S)
        else:
            return None
        self._ways.trouble(0.0)
        self._ways.story.fault(mood, f"{self._process.name}'s {name} at {self._target.kind} {mood}: {found}")
        return found

    def _busy(self, resource: Resource | None, for_s: float) -> None:
        if resource is not None:
            until_s = self._ways.scheduler.now_s + for_s
            self._all.busy_until_s[resource.holding] = max(until_s, self._all.busy_until_s.get(resource.holding, 0.0))

    def _say(self, name: str, resource: Resource | None) -> None:
        if name in CHANGING and resource is not None:
            word = "gives" if name == "grant" else "takes away"
            self._ways.story.tell(
                f"{self._process.name} {word} {resource.title} ({resource.holding[:8]}) at the target"
            )

    def _answered(self, name: str, resource: Resource | None, answer: Any) -> None:
        if isinstance(answer, Observation) and resource is not None:
            seen = {Presence.PRESENT: "sees", Presence.ABSENT: "does not see"}.get(answer.presence, "cannot tell of")
            self._ways.story.tell(f"{self._process.name} {seen} {resource.title} ({resource.holding[:8]})")
