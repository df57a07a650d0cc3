"""Days as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workflows.core.dates import end_of

# A Saturday, 03:00 in UTC; in Berlin it is 04:00.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("today", "2026-11-21T23:00"),
        ("tomorrow", "2026-11-22T23:00"),
        ("fri", "2026-11-27T23:00"),
        ("Friday", "2026-11-27T23:00"),
        ("sat", "2026-11-28T23:00"),
        ("sun", "2026-11-22T23:00"),
        ("2026-12-24", "2026-12-24T23:00"),
        ("24.12.", "2026-12-24T23:00"),
        ("1.2.", "2027-02-01T23:00"),
        ("24.12.2026", "2026-12-24T23:00"),
        ("3d", "2026-11-24T03:00"),
        ("12h", "2026-11-21T15:00"),
    ],
)
def test_a_day_means_its_end_where_the_policy_lives(typed: str, end: str):
    assert end_of(typed, NOW, "Europe/Berlin") == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "someday", "31.2.", "2026-13-01", "24/12", "2026-12-٢٤", "99.99.", "until"])
def test_what_is_no_day_is_not_guessed(typed: str):
    assert end_of(typed, NOW, "Europe/Berlin") is None
