"""What goes wrong on demand, for a stand-in: faults wait for the calls that meet them. It knows no stand-in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar


class Meant(Protocol):
    """`times`: how often it still happens; None: to each call that it means."""

    times: int | None

    def meant(self, call: str, facts: Mapping[str, Any], /) -> bool: ...


F = TypeVar("F", bound=Meant)


class Waiting(Generic[F]):
    """Faults in the order in which they were asked for. `delay_s` slows every call down. `make`: the stand-in's own fault."""

    def __init__(self, make: Callable[..., F]) -> None:
        self._lock = threading.Lock()
        self._make = make
        self._waiting: list[F] = []
        self.delay_s = 0.0

    def add(self, *call: str, **what: Any) -> F:
        """`faults.add(CALL, times=2, status=429, retry_after_s=3)`: see the stand-in's `Fault`, whose fields these are."""
        fault = self._make(*call, **what)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, call: str, facts: Mapping[str, Any]) -> F | None:
        """The fault that this call meets, used up by it."""
        with self._lock:
            for fault in self._waiting:
                if fault.meant(call, facts):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def remove(self, fault: F) -> None:
        """Plays this fault no more."""
        with self._lock:
            self._waiting = [other for other in self._waiting if other is not fault]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self.delay_s = 0.0
