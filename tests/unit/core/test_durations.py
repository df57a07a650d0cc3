from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.core.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 h 30 min", 5400), ("90m", 5400), ("1h30m", 5400), ("2d", 172800), ("45s", 45), (" 1 HOUR ", 3600), ("0s", 0)],
)
def test_durations_are_read_as_people_write_them(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "1 fortnight", "-1h", "1.5h", "1h 2h", "1h!", "１h", "1h\n-"])
def test_what_is_no_duration_is_not_guessed_at(text):
    assert parse_duration(text) is None


@given(st.integers(min_value=1, max_value=366 * 86_400))
def test_what_is_written_in_two_parts_is_read_back(seconds):
    written = format_duration(timedelta(seconds=seconds))
    read = parse_duration(written)
    assert read is not None
    assert format_duration(read) == written


def test_absurd_lengths_are_capped_not_overflowed():
    assert parse_duration("999999d") == timedelta(days=366)
