"""Faults to be played: what is to go wrong, with which calls, how often, and whether the call takes effect."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.aws.calls import Call

Kind = Literal["error", "hang", "reset", "delay", "hold", "stale"]
Effect = Literal["never", "before", "late"]


class Gate:
    """Where calls wait until they are let on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = False
        self._drop = False
        self.arrived = 0

    def wait(self, seconds: float | None) -> bool:
        """Waits until the gate opens or `seconds` are over; False says that the call is to be dropped."""
        with self._changed:
            self.arrived += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._open, seconds)
            return not self._drop

    def wait_arrived(self, timeout_s: float, count: int = 1) -> bool:
        """Waits until `count` calls have arrived; False when the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: self.arrived >= count, timeout_s)

    def open(self, *, drop: bool = False) -> None:
        """Lets everything on that waits, or drops it."""
        with self._changed:
            self._open, self._drop = True, self._drop or drop
            self._changed.notify_all()


@dataclass
class Fault:
    """One thing to go wrong.

    `action` and `where` say with which calls (see `Call.matches`), after `skip` of them, `times` times (None: always).
    `effect` says what becomes of the call: `never` does nothing, `before` takes effect and loses the answer, `late`
    takes effect after the wait of `seconds`, when the caller has long given up.
    `code` is a name of `answers.ERRORS` or an AWS error code with `status` and `message`.
    `behind` is for stale reads: as it was before that many changes; otherwise as it was `seconds` ago.
    """

    kind: Kind
    action: str = "*"
    where: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    effect: Effect = "never"
    seconds: float | None = None
    code: str = ""
    status: int = 400
    message: str = ""
    behind: int = 0
    id: int = 0
    played: int = 0
    gate: Gate = field(default_factory=Gate, repr=False)

    def wait_held(self, timeout_s: float = 60.0, count: int = 1) -> None:
        """Waits until `count` calls are held here; `TimeoutError` when none came."""
        if not self.gate.wait_arrived(timeout_s, count):
            raise TimeoutError(f"{self.action} was not called within {timeout_s} s")

    def release(self, *, drop: bool = False) -> None:
        """Lets held calls take effect and be answered; `drop` resets their connections without an effect instead."""
        self.gate.open(drop=drop)


class FaultBook:
    """The faults that wait to be played; the first that fits a call is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._by_id: dict[int, Fault] = {}

    def add(self, fault: Fault) -> Fault:
        """Puts a fault at the end of the list and gives it its id."""
        with self._lock:
            fault.id = len(self._by_id) + 1
            self._by_id[fault.id] = fault
            self._faults.append(fault)
        return fault

    def get(self, fault_id: int) -> Fault:
        """A fault by id, played out or not; `KeyError` for an unknown one."""
        return self._by_id[fault_id]

    def take(self, call: Call) -> Fault | None:
        """The fault to play with this call, counted as played."""
        with self._lock:
            for fault in self._faults:
                if not call.matches(fault.action, fault.where):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.played += 1
                if fault.times is not None and fault.played >= fault.times:
                    self._faults.remove(fault)
                return fault
        return None

    def remove(self, fault: Fault) -> None:
        """Plays this fault no more; what waits at it goes on."""
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)
        fault.release()

    def clear(self) -> None:
        """Forgets all faults and drops what waits, so that nothing of one test takes effect in the next."""
        with self._lock:
            faults: Iterable[Fault] = list(self._by_id.values())
            self._faults.clear()
        for fault in faults:
            fault.release(drop=True)
