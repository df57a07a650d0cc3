"""A typed start is one of the asker's own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workflows.core.dates import start_of

# A Saturday, 04:00 in Berlin.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "moment"),
    [
        ("", "22:00", "Europe/Berlin", datetime(2026, 11, 21, 21, 0, tzinfo=UTC)),
        ("", "03:59", "Europe/Berlin", datetime(2026, 11, 22, 2, 59, tzinfo=UTC)),
        ("", "22:00", "America/New_York", datetime(2026, 11, 22, 3, 0, tzinfo=UTC)),
        ("tomorrow", "7:00", "Europe/Berlin", datetime(2026, 11, 22, 6, 0, tzinfo=UTC)),
        ("tomorrow", "07:00", "America/New_York", datetime(2026, 11, 21, 12, 0, tzinfo=UTC)),
        ("today", "01:00", "Europe/Berlin", datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        ("2026-12-01", "22:00", "UTC", datetime(2026, 12, 1, 22, 0, tzinfo=UTC)),
        ("mon", "09:00", "UTC", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("2026-02-30", "09:00", "UTC", None),
    ],
)
def test_a_start_is_the_next_such_time_or_that_of_its_day(day, clock, zone, moment):
    assert start_of(day, clock, NOW, zone) == moment
