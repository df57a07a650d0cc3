"""What one act reads of the ledger, in as few round trips as it can be.

Who acts, who is in which group, what is asked for: each is found out by its own part of the program, one key leading to the next.
Within an act all of it is read at one instant, and kept for that act alone. Which keys it will take is guessed by what the same
question took the last time; a guess costs nothing but the bytes. Nothing that was read is ever handed on to another act.

A decision rests on it as on any other read: a commit names the versions, and is refused where one of them is another by then.
What is kept is thrown away with each commit, and when it is older than `OLD_S`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from workflows.core.keys import grant
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import text_of

T = TypeVar("T")

# An act takes milliseconds. One that was held up looks anew.
OLD_S = 0.5
# So many keys are read together; an act that needs more reads the next ones by themselves.
TOGETHER_MAX = 4000
# Questions of which it is kept what they took, and records that are kept decoded. All are forgotten when there are more.
QUESTIONS_MAX, DECODED_MAX = 4000, 2000
# Groups, mostly, each with all that is known of its members.
DERIVED_MAX = 200


class Range(NamedTuple):
    """The first `limit` members of an index, or the last ones."""

    key: str
    limit: int
    newest: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What stood under keys and in indexes, all of it at `now`. None for an index that is none."""

    now: datetime
    values: Mapping[str, Any]
    ranges: Mapping[Range, Sequence[tuple[Any, float]] | None]


# Reads these keys and ranges in one round trip.
Fetch = Callable[[Sequence[str], Sequence[Range]], Found]


@dataclass(frozen=True, slots=True)
class _Derived:
    keys: tuple[str, ...]
    values: tuple[Any, ...]
    result: Any


@dataclass(frozen=True, slots=True)
class _Asked:
    keys: dict[str, None] = field(default_factory=dict)
    ranges: dict[Range, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Act:
    """One act under way, in its thread."""

    # In the order in which they came; what is asked for once is likely to be asked for again.
    keys: dict[str, None] = field(default_factory=dict)
    ranges: dict[Range, None] = field(default_factory=dict)
    found: Found | None = None
    # Indexes whose newest member is the id of a grant that will be asked for.
    led: dict[Range, None] = field(default_factory=dict)
    at_s: float = 0.0
    # What those who are learning have asked for.
    learning: list[_Asked] = field(default_factory=list)


class Ahead:
    """A `ports.Ahead`. Shared between threads; each has its own act. `monotonic`: seconds of this host."""

    def __init__(self, fetch: Fetch, keys: Keys, monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._keys = keys
        self._monotonic = monotonic
        self._local = threading.local()
        self._took: dict[Hashable, tuple[tuple[str, ...], tuple[Range, ...]]] = {}
        self._derived: dict[Hashable, _Derived] = {}
        self._decoded: dict[tuple[Any, str], tuple[Any, Any]] = {}

    # ------------------------------------------------------------ a port

    @contextmanager
    def act(self) -> Iterator[None]:
        if self._act is not None:
            yield
            return
        self._local.act = _Act()
        try:
            yield
        finally:
            self._local.act = None

    @contextmanager
    def question(self, what: Hashable) -> Iterator[None]:
        act = self._act
        if act is None:
            yield
            return
        self.expect(what)
        asked = _Asked()
        act.learning.append(asked)
        try:
            yield
        finally:
            act.learning.pop()
        if len(self._took) >= QUESTIONS_MAX:
            self._took = {}
        self._took[what] = tuple(asked.keys), tuple(asked.ranges)

    def expect(self, *questions: Hashable) -> None:
        act = self._act
        if act is None:
            return
        for what in questions:
            keys, ranges = self._took.get(what, ((), ()))
            act.keys |= dict.fromkeys(keys)
            act.ranges |= dict.fromkeys(ranges)

    def answered(self, *questions: Hashable) -> None:
        act = self._act
        if act is None:
            return
        for what in questions:
            keys, ranges = map(frozenset, self._took.get(what, ((), ())))
            act.keys = {key: None for key in act.keys if key not in keys}
            act.ranges = {one: None for one in act.ranges if one not in ranges}

    def expect_records(self, *keys: str, commit_id: str = "", newest_of: str = "") -> None:
        act = self._act
        if act is None:
            return
        act.keys |= dict.fromkeys(map(self._keys.record, keys))
        if commit_id:
            act.keys[self._keys.commit(commit_id)] = None
        if newest_of:
            newest = Range(self._keys.index(newest_of), 1, newest=True)
            act.ranges[newest] = act.led[newest] = None

    # ------------------------------------------------------------ for the ledger and the directory

    @property
    def _act(self) -> _Act | None:
        return getattr(self._local, "act", None)

    @property
    def acting(self) -> bool:
        return self._act is not None

    def read(self, keys: Sequence[str], ranges: Sequence[Range] = ()) -> Found:
        """At least these. Within an act they were all read at one instant, with whatever else the act has asked for."""
        act = self._act
        if act is None:
            return self._fetch(keys, ranges)
        wanted, parts = dict.fromkeys(keys), dict.fromkeys(ranges)
        for asked in act.learning:
            asked.keys.update(wanted)
            asked.ranges.update(parts)
        found = act.found
        if found is not None and self._monotonic() - act.at_s <= OLD_S and _has(found, keys, ranges):
            return found
        if len(act.keys) > TOGETHER_MAX:
            act.keys, act.ranges = {}, {}
        act.keys |= wanted
        act.ranges |= parts
        # Before the question: what is kept is never younger than it is taken for.
        act.at_s, act.found = self._monotonic(), None
        act.found = found = self._fetch(tuple(act.keys), tuple(act.ranges))
        act.keys |= {
            self._keys.record(grant(text_of(one[0][0]))): None for name in act.led if (one := found.ranges.get(name))
        }
        return found

    def forget(self) -> None:
        """Something was written, or may have been: what comes now is read anew."""
        act = self._act
        if act is not None:
            act.found = None

    def derived(self, what: Hashable, derive: Callable[[], T]) -> T:
        """What follows from the values under some keys alone, as it was derived when each of them had this very value.

        `what`: all else that it follows from. It is never changed by anybody.
        """
        act = self._act
        if act is None:
            return derive()
        known = self._derived.get(what)
        if known is not None:
            values = self.read(known.keys).values
            if tuple(map(values.__getitem__, known.keys)) == known.values:
                found: T = known.result
                return found
        before, asked = act.found, _Asked()
        act.learning.append(asked)
        try:
            derived = derive()
        finally:
            act.learning.pop()
        # Where it was read at more than one instant, nobody can tell from which values it follows.
        if before is not None and act.found is before and not asked.ranges:
            if len(self._derived) >= DERIVED_MAX:
                self._derived = {}
            keys = tuple(asked.keys)
            self._derived[what] = _Derived(keys, tuple(before.values[key] for key in keys), derived)
        return derived

    def decoded(self, kind: type[T], name: str, stored: Any, decode: Callable[[], T]) -> T:
        """What is stored there, as it was decoded when these very bytes were met before. It is never changed by anybody."""
        if self._act is None:
            return decode()
        known = self._decoded.get((kind, name))
        if known is not None and known[0] == stored:
            found: T = known[1]
            return found
        found = decode()
        if len(self._decoded) >= DECODED_MAX:
            self._decoded = {}
        self._decoded[kind, name] = stored, found
        return found


def _has(found: Found, keys: Sequence[str], ranges: Sequence[Range]) -> bool:
    return all(map(found.values.__contains__, keys)) and all(map(found.ranges.__contains__, ranges))


def scored(flat: Sequence[Any] | None) -> list[tuple[Any, float]] | None:
    """An index as ZRANGE answers it: each member, then its score."""
    return None if flat is None else [(member, float(score)) for member, score in zip(*[iter(flat)] * 2, strict=True)]
