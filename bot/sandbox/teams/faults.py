"""What goes wrong on demand, the rates that Teams keeps, and who called what."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.clock import Clock
from bot.sandbox.faults import Waiting

# Per bot and conversation: so many in so many seconds ("Rate limiting for bots", learn.microsoft.com).
SENDS = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))
READS = ((14, 1.0), (16, 2.0), (120, 30.0), (3600, 3600.0))


@dataclass
class Fault:
    """What happens to the next `times` (None: to each) of the calls `call` ("*": any) whose facts match `where`.

    Calls: `create`, `post`, `edit`, `delete`, `member`, `members`, `token`, `openid`, `keys`, `user`, `users`, `group`,
    `transitive`. `status`, `code`: that error instead; `retry_after_s` goes with it. `body`: answered as it is (a text is sent
    as text). `delay_s`: wait so long first. `drop`: no answer at all, before or after it was done.
    """

    call: str
    times: int | None = 1
    status: int | None = None
    code: str = "ServiceError"
    retry_after_s: int | None = None
    body: Any = None
    delay_s: float = 0.0
    drop: Literal["before", "after"] | None = None
    where: Mapping[str, Any] = field(default_factory=dict)

    def meant(self, call: str, facts: Mapping[str, Any]) -> bool:
        if self.times == 0 or self.call not in ("*", call):
            return False
        return all(facts.get(name) == value for name, value in self.where.items())


@dataclass(frozen=True)
class Call:
    """One call as it was answered. `facts`: ids of the path, the query, and the body."""

    call: str
    facts: Mapping[str, Any]
    status: int
    at: float


class Faults(Waiting[Fault]):
    """`faults.add("post", status=429, retry_after_s=3)`: see `Fault`. `calls`: what has been answered so far."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Fault)
        self._clock = clock
        self.calls: list[Call] = []

    def note(self, call: str, facts: Mapping[str, Any], status: int) -> None:
        with self._lock:
            self.calls.append(Call(call, dict(facts), status, self._clock()))

    def counts(self, call: str) -> int:
        with self._lock:
            return sum(one.call == call for one in self.calls)


class Rates:
    """Enforced unless somebody says otherwise. What is refused does not count."""

    def __init__(self, clock: Clock) -> None:
        self.enforced = True
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: dict[str, deque[float]] = {}

    def wait_s(self, name: str, limits: tuple[tuple[int, float], ...]) -> int | None:
        """Whole seconds that the caller has to wait; None: go ahead, and it counts."""
        if not self.enforced:
            return None
        with self._lock:
            now = self._clock()
            recent = self._recent.setdefault(name, deque())
            while recent and recent[0] <= now - limits[-1][1]:
                recent.popleft()
            for most, window in limits:
                inside = [at for at in recent if at > now - window]
                if len(inside) >= most:
                    return max(1, int(inside[-most] + window - now + 0.999))
            recent.append(now)
        return None
