"""What goes wrong on demand, and who called what: the two things a test wants to know of the Web API."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.clock import Clock
from bot.sandbox.faults import Waiting

Drop = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next `times` calls (None: to every one) of `method` ("*": any) whose arguments match `where`.

    `error`: an answer `{"ok": false, "error": ...}`. `answer`: that answer, whatever it is. `status`: that HTTP status
    instead; 429 comes with `retry_after_s`. `delay_s`: wait so long first. `drop`: close the connection without an answer,
    before or after the call has been carried out.
    """

    method: str
    times: int | None = 1
    error: str | None = None
    answer: Any = None
    status: int | None = None
    retry_after_s: int = 1
    delay_s: float = 0.0
    drop: Drop | None = None
    where: Mapping[str, Any] = field(default_factory=dict)

    def meant(self, method: str, arguments: Mapping[str, Any]) -> bool:
        if self.times == 0 or self.method not in ("*", method):
            return False
        return all(arguments.get(name) == value for name, value in self.where.items())


class Faults(Waiting[Fault]):
    """`faults.add("chat.postMessage", times=2, status=429, retry_after_s=3)`: see `Fault`."""

    def __init__(self) -> None:
        super().__init__(Fault)


class RateLimits:
    """Slack's own limits, off unless `enforced`: so many calls of a method a minute, one post a second and channel.

    Docs: apis/web-api/rate-limits. Short bursts of posts are tolerated there; here `post_burst` of them in a row.
    """

    def __init__(self, clock: Clock) -> None:
        self.enforced = False
        self.post_burst = 1
        self._clock = clock
        self._recent: dict[str, deque[float]] = {}

    def wait_s(self, method: str, per_minute: int, channel: str | None) -> int | None:
        """How long the caller has to wait, in whole seconds; None if the call may go ahead, which it then counts."""
        if not self.enforced:
            return None
        per_channel = method == "chat.postMessage" and channel
        key, most, window = (
            (f"{method} {channel}", self.post_burst, float(self.post_burst))
            if per_channel
            else (method, per_minute, 60.0)
        )
        now = self._clock()
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - window:
            recent.popleft()
        if len(recent) >= most:
            return max(1, int(recent[0] + window - now + 0.999))
        recent.append(now)
        return None


@dataclass(frozen=True)
class Call:
    """One Web API call as it was answered. `error` is Slack's error, or `http_503`, `dropped`."""

    number: int
    method: str
    arguments: Mapping[str, Any]
    at: float
    ok: bool
    error: str | None = None


class CallLog:
    """Every Web API call, in order. A mark is the number of calls so far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def add(self, method: str, arguments: Mapping[str, Any], error: str | None) -> None:
        with self._lock:
            number = len(self._calls) + 1
            self._calls.append(Call(number, method, dict(arguments), self._clock(), error is None, error))

    def mark(self) -> int:
        with self._lock:
            return len(self._calls)

    def since(self, mark: int = 0, method: str | None = None) -> list[Call]:
        with self._lock:
            return [call for call in self._calls[mark:] if method in (None, call.method)]

    def counts(self, since: int = 0) -> Counter[str]:
        """Calls by method, refused ones included."""
        return Counter(call.method for call in self.since(since))
