"""A weekly window in words, and when it opens, by the policy's clock and the reader's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from workflows.core.dates import zone_of
from workflows.core.policy import Hours
from workflows.core.rules.groups import opens_next, within

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Further away than this a weekday alone could be taken for this week's.
_NEXT_DAYS = timedelta(days=6)


def window_words(hours: Hours, zone: str) -> str:
    return in_words(hours.days, f"{hours.start:%H:%M}", f"{hours.until:%H:%M}", zone)


def given_words(hours: Hours, zone: str, reader_zone: str, now: datetime | None) -> str:
    """`Mon to Fri 08:00 to 18:00 (Europe/Berlin); closed now, opens Mon 08:00 (your 09:00)`."""
    said = window_words(hours, zone)
    if now is None:
        return said
    if within(hours, now, zone):
        return f"{said}; open now"
    opens = opens_next(hours, now, zone)
    return f"{said}; closed now" + (f", opens {opens_words(opens, zone, reader_zone, now)}" if opens else "")


def in_words(days: Iterable[int], start: str, until: str, zone: str) -> str:
    """`Mon to Fri 08:00 to 18:00 (Europe/Berlin)`."""
    return f"{day_words(days)} {start} to {until} ({zone})"


def day_words(days: Iterable[int]) -> str:
    """`Mon to Fri`, `Mon, Wed and Sat`, `every day`."""
    chosen = sorted(set(days))
    if len(chosen) == len(_DAYS):
        return "every day"
    runs: list[list[int]] = []
    for day in chosen:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    named = [one for run in runs for one in _run_words([_DAYS[day] for day in run])]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}" if named else "no day"


def _run_words(run: list[str]) -> list[str]:
    """Days in a row: from the first to the last, where there are more than two."""
    return run if len(run) < 3 else [f"{run[0]} to {run[-1]}"]


def opens_words(moment: datetime, zone: str, reader_zone: str, now: datetime | None = None) -> str:
    """`Mon 08:00 (your 07:00)`, or `Mon 08:00` where the reader's clock says the same; dated where it is far off."""
    there, here = moment.astimezone(zone_of(zone)), moment.astimezone(zone_of(reader_zone))
    far = now is not None and moment - now > _NEXT_DAYS
    said = f"{there:%a} {there.day} {there:%b %H:%M}" if far else f"{there:%a %H:%M}"
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return said
    day = f"{here:%a} " if here.date() != there.date() else ""
    return f"{said} (your {day}{here:%H:%M})"
