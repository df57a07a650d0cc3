"""When something is possible: weekly hours, and times in which all is frozen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

from workflows.core.policy import Freeze, Hours

_DAY = 24 * 60
_WEEK = frozenset(range(7 * _DAY))


def minutes(hours: Hours | None) -> frozenset[int]:
    """The minutes of a week from Monday 00:00 on that lie inside, as `within` reads it; all of them where there are no hours."""
    if hours is None:
        return _WEEK
    start, until = _minute(hours.start), _minute(hours.until)
    length = until - start if start < until else until - start + _DAY
    return frozenset((day * _DAY + start + step) % len(_WEEK) for day in hours.days for step in range(length))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def thawed(before: Iterable[Freeze], after: Iterable[Freeze], now: datetime) -> tuple[Freeze, ...]:
    """The freezes of before, not over yet, that are not frozen from their beginning (or now) to their end any more."""
    return tuple(one for one in before if one.until > now and not _covered(max(one.start, now), one.until, after))


def _covered(start: datetime, until: datetime, freezes: Iterable[Freeze]) -> bool:
    """Whether these freeze all of the time between."""
    for one in sorted(freezes, key=lambda one: one.start):
        if one.start <= start < one.until:
            start = one.until
    return start >= until
