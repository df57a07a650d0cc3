"""Cron slots in the policy's time zone. A slot that does not exist on the night the clocks change is moved, not lost."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter


def next_slot(schedule: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The first slot after `now`, in UTC."""
    found: datetime = croniter(schedule, now.astimezone(zone)).get_next(datetime)
    return found.astimezone(UTC)


def latest_slot(schedule: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The slot that is due at `now`: the last one at or before it, in UTC."""
    found: datetime = croniter(schedule, now.astimezone(zone)).get_next(datetime)
    before: datetime = croniter(schedule, found).get_prev(datetime)
    return before.astimezone(UTC)
