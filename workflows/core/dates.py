"""Days as people type them: `tomorrow`, `fri`, `3d`, `24.12.`, `2026-12-24`. Pure: now and time zone are arguments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from workflows.core.durations import parse_duration

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_NAMES = frozenset({"today", "tonight", "tomorrow", *_NAMES})


def zone_of(name: str, otherwise: str = "UTC") -> ZoneInfo:
    """The zone of that name. What people have in their profiles may be none, or one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # ZoneInfoNotFoundError is a KeyError; the others are names of no file, or of a folder, in the database.
        return ZoneInfo(otherwise)


def end_of(text: str, now: datetime, timezone: str) -> datetime | None:
    """The end of the day that is meant, in UTC; of a duration (`3d`), the instant. None where it cannot be read."""
    word = text.strip().lower()
    duration = parse_duration(word)
    if duration is not None:
        return now + duration
    day = _day(word, now.astimezone(zone_of(timezone)).date())
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), zone_of(timezone)).astimezone(UTC)


def is_day(word: str) -> bool:
    return _day(word, date(2000, 1, 1)) is not None


def start_of(day: str, clock: str, now: datetime, timezone: str) -> datetime | None:
    """The moment of a typed day and `22:00` in UTC; without a day the next one of that time. None where there is none."""
    zone = zone_of(timezone)
    today = now.astimezone(zone).date()
    found = _day(day, today) if day else today
    if found is None:
        return None
    hours, minutes = clock.split(":")
    at = time(int(hours), int(minutes))
    moment = datetime.combine(found, at, zone)
    if not day and moment <= now:
        moment = datetime.combine(today + timedelta(days=1), at, zone)
    return moment.astimezone(UTC)


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tonight"):
        return today
    if word == "tomorrow":
        return today + timedelta(days=1)
    if word in _WEEKDAYS or word in _NAMES:
        number = (_NAMES if word in _NAMES else _WEEKDAYS).index(word)
        # The coming one: on a Friday, `fri` is a week from now.
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    if match := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", word, re.ASCII):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})?", word, re.ASCII):
        return _coming(int(match[1]), int(match[2]), int(match[3]) if match[3] else None, today)
    return None


def _coming(day: int, month: int, year: int | None, today: date) -> date | None:
    """A day without its year is the next one of that name."""
    if year is not None:
        return _date(year, month, day)
    found = _date(today.year, month, day)
    return found if found is None or found >= today else _date(today.year + 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
