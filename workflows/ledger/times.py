"""Instants as Redis has them: whole microseconds for arithmetic, seconds as a float for scores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Microseconds since the epoch, exactly. Raises TypeError where `instant` has no time zone."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(micros_since: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros_since)


def score(when: datetime) -> float:
    """Seconds since the epoch, the double nearest to the microsecond: the Lua side comes to the same one."""
    return micros(when) / 1_000_000
