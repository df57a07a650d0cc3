"""Queues as RQ keeps them, at their worst: wake-ups are lost, come twice, and overtake each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.queues import ALL_QUEUES, REMOVE, SEAL, SEPARATOR, UnknownKind, job_of
from tests.simulation.dice import Dice
from tests.simulation.scheduler import Scheduler, Task
from tests.simulation.story import Story
from tests.simulation.weather import AT_QUEUE, DOUBLED, LOST, OVERTAKES, Weather


class Queues:
    def __init__(
        self, scheduler: Scheduler, dice: Dice, weather: Weather, story: Story, trouble: Callable[[float], None]
    ) -> None:
        self._scheduler, self._dice, self._weather, self._story = scheduler, dice, weather, story
        self._trouble = trouble
        self._waiting: dict[str, list[str]] = {name: [] for name in (*ALL_QUEUES, SEAL)}
        self._idle: list[tuple[tuple[str, ...], Task]] = []

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def waiting(self) -> int:
        """Of jobs behind the removals."""
        return len(self._waiting[REMOVE])

    def put(self, *items: str) -> None:
        """One job for all of them. Raises UnknownKind."""
        item = SEPARATOR.join((items[0], *(one.partition(":")[2] for one in items[1:])))
        queue = self._waiting[job_of(item)[0]]
        odd = self._weather.at(self._dice, *AT_QUEUE)
        if odd:
            self._trouble(0.0)
            self._story.fault(odd, f"the wake-up for {item} {odd}")
        if odd != LOST:
            place = self._dice.below(len(queue) + 1) if odd == OVERTAKES else len(queue)
            queue[place:place] = [item] * (2 if odd == DOUBLED else 1)
            self._wake_somebody(job_of(item)[0])

    def _wake_somebody(self, name: str) -> None:
        for place, (names, task) in enumerate(self._idle):
            if name in names and not task.process.dead:
                del self._idle[place]
                self._scheduler.wake(task)
                return

    def take(self, names: Sequence[str]) -> str | None:
        """The next of the first of these queues that has one."""
        for name in names:
            if self._waiting[name]:
                return self._waiting[name].pop(0)
        return None

    def wait(self, names: tuple[str, ...], task: Task) -> None:
        """Until there may be something in one of them."""
        self._idle = [(wanted, one) for wanted, one in self._idle if not one.process.dead]
        self._idle.append((names, task))
        self._scheduler.park()


class Wake:
    """`RqWake`, on these queues. `due` and `queues`: as one process reaches them."""

    def __init__(self, due: object, queues: object, errors: tuple[type[Exception], ...]) -> None:
        self._due, self._queues, self._errors = due, queues, errors

    def __call__(self, *items: str) -> None:
        try:
            for item in items:
                if self._due.waking(item):  # type: ignore[attr-defined]  # a port
                    self.send(item)
        except self._errors:
            return

    def send(self, *items: str) -> None:
        self._queues.put(*items)  # type: ignore[attr-defined]  # a port

    def waiting(self) -> int:
        try:
            return int(self._queues.waiting())  # type: ignore[attr-defined]  # a port
        except self._errors:
            return 0


__all__ = ["Queues", "UnknownKind", "Wake"]
