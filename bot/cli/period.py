"""The period of a report: `--since 30d`, or `--from` and `--until` as days or times in the policy's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from workflows.core.durations import parse_duration

# The end of a day that is named as the last one.
_LAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """As it was typed; empty where it was not."""

    since: str = ""
    first: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The period and the environments that a report is about."""

    since: datetime
    until: datetime
    environments: tuple[str, ...] | None
    zone: ZoneInfo


class NoPeriod(ValueError):
    """A sentence for whoever typed it."""


def period_of(asked: Asked, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """From when and until when, never later than now. Raises NoPeriod."""
    if asked.since and asked.first:
        raise NoPeriod("--since and --from both say where it begins: keep one.")
    last = _moment("--until", asked.until, zone, ends=True) if asked.until else now
    until = min(last, now.astimezone(last.tzinfo))
    since = _moment("--from", asked.first, zone, ends=False) if asked.first else until - _length(asked.since or "90d")
    if since >= until:
        raise NoPeriod("The period ends before it begins, or has not begun.")
    return since, until


def _length(text: str) -> timedelta:
    found = parse_duration(text)
    if not found:
        raise NoPeriod(f"'{text}' is no period: write 90d, or 12h.")
    return found


def _moment(option: str, text: str, zone: tzinfo, *, ends: bool) -> datetime:
    """A day is meant whole: `--until 2026-08-31` has all of it."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = datetime.combine(date.fromisoformat(text), time(), zone)
            return day + timedelta(days=1) - _LAST if ends else day
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise NoPeriod(f"{option} {text} is no date: write 2026-08-31, or 2026-08-31T14:00.") from None
