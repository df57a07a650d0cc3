"""Removals that are under way at Identity Center: where there are several, one list tells how each of them stands.

The list tells of an operation by its id, as the question after that one does, so it is believed where it says that one has
succeeded. What it does not say proves nothing: it may lag, it gives no reasons, and AWS names no order for its pages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workflows.core.records.target import Operation, OperationKind, OperationState
from workflows.ports import TargetInDoubt, TargetRefused
from workflows.targets.aws.errors import Denied
from workflows.targets.aws.name_cache import THING_S

# A list costs a call as well: fewer are asked after one by one.
LIST_FROM = 3
# For so long after a list what it calls under way is not asked after again.
FRESH_S = 0.25
# One that goes on for longer is asked after by itself, whatever a list says.
LISTED_FOR_S = 10.0
# A list that did not have what was asked after, or no answer, is left alone for so long.
AGAIN_S = 10.0
# Of so many is known that they were begun, and for so long.
KEPT_MAX, KEPT_S = 1000, 120.0

_STATES: Mapping[str, OperationState] = {
    state.value.upper(): state for state in (OperationState.IN_PROGRESS, OperationState.SUCCEEDED)
}

# A list of operations: id -> what AWS calls its state.
Rows = Mapping[str, str]


@dataclass(slots=True)
class Removals:
    """Those of one place, as far as this process knows of them. Safe for threads."""

    monotonic: Callable[[], float]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Not known to be over -> when it was first heard of.
    _since_s: dict[str, float] = field(default_factory=dict)
    # Over, as a list said, and not asked after since.
    _over: set[str] = field(default_factory=set)
    # Under way, as the last list said, and when that was asked.
    _going: frozenset[str] = frozenset()
    _listed_s: float = float("-inf")
    _no_list_until_s: float = float("-inf")

    def began(self, id_: str | None) -> None:
        """One that was begun here."""
        if id_ is not None:
            with self._lock:
                self._heard_of(id_)

    def ask(self, id_: str, rows: Callable[[], Rows], alone: Callable[[], Operation]) -> Operation:
        """How it stands. `rows` reads a list, `alone` asks after this one. Raises what these raise."""
        with self._lock:
            age_s = self.monotonic() - self._heard_of(id_)
            state = self._known(id_) if age_s < LISTED_FOR_S else None
            reads = state is None and age_s < LISTED_FOR_S and self._is_worth_a_list()
        if reads:
            state = self._read(id_, rows)
        said = Operation(OperationKind.REVOKE, state, id_) if state else alone()
        if said.state is not OperationState.IN_PROGRESS:
            with self._lock:
                self._over.discard(id_)
                self._since_s.pop(id_, None)
        return said

    def _known(self, id_: str) -> OperationState | None:
        if id_ in self._over:
            return OperationState.SUCCEEDED
        fresh = self.monotonic() - self._listed_s <= FRESH_S
        return OperationState.IN_PROGRESS if fresh and id_ in self._going else None

    def _is_worth_a_list(self) -> bool:
        return len(self._since_s) - len(self._over) >= LIST_FROM and self.monotonic() >= self._no_list_until_s

    def _read(self, id_: str, rows: Callable[[], Rows]) -> OperationState | None:
        asked_s, pause_s = self.monotonic(), AGAIN_S
        found: Rows = {}
        try:
            found = rows()
        except Denied:
            pause_s = THING_S
        except (TargetInDoubt, TargetRefused):
            pass
        with self._lock:
            states = {each: state for each, word in found.items() if (state := _STATES.get(word))}
            ours = {each for each, state in states.items() if state is OperationState.SUCCEEDED} & self._since_s.keys()
            self._over |= ours
            self._going = frozenset(each for each, state in states.items() if state is OperationState.IN_PROGRESS)
            self._listed_s = asked_s
            if id_ not in found:
                self._no_list_until_s = asked_s + pause_s
        return states.get(id_)

    def _heard_of(self, id_: str) -> float:
        now_s = self.monotonic()
        if id_ not in self._since_s:
            kept = [(each, at) for each, at in self._since_s.items() if now_s - at < KEPT_S][-KEPT_MAX + 1 :]
            self._since_s = {**dict(kept), id_: now_s}
            self._over &= self._since_s.keys()
        return self._since_s[id_]
