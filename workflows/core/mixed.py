"""Processes of an older version that run beside this one: they know no accounts on hold, so nothing is given. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core.refusal import Code, Refused

# So long after the last sign of one nothing is given; a sign lives as long, and there is one every three seconds.
SILENT_FOR = timedelta(seconds=10)
# A record that would stand for longer than this was written on a clock that has been set back since: see `clockwork`.
STANDS_FOR_MAX = timedelta(seconds=20)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class OlderRunning:
    """`kinds`: of which kind they are, `web`, `worker`, `clock`. It counts until `until_us`, microseconds since the epoch."""

    kinds: tuple[str, ...]
    until_us: int


def heard(kinds: Iterable[str], now: datetime) -> OlderRunning:
    """The record of a sign of life at `now`."""
    return OlderRunning(tuple(sorted(kinds)), _us(now) + SILENT_FOR // _MICROSECOND)


def is_news(known: OlderRunning | None, kinds: Iterable[str], now: datetime) -> bool:
    """Whether it has to be written down, or what stands there still says as much for a while."""
    left_us = known.until_us - _us(now) if known is not None else 0
    lasts = 2 * left_us > SILENT_FOR // _MICROSECOND
    return known is None or not lasts or not set(kinds) <= set(known.kinds)


def runs(known: OlderRunning | None, now: datetime) -> bool:
    return known is not None and 0 < known.until_us - _us(now) <= STANDS_FOR_MAX // _MICROSECOND


def not_beside_older(known: OlderRunning | None, now: datetime) -> Refused | None:
    """Why nothing is given now. It passes by itself, so it is no event for the record."""
    if known is None or not runs(known, now):
        return None
    params = {"kinds": ", ".join(known.kinds), "why": "a process of an older version is still running"}
    return Refused(Code.OLDER_VERSION_RUNS, params, audited=False)


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
