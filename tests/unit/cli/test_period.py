"""The period of a report, as it is typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.cli.period import Asked, NoPeriod, period_of
from tests.support.build import NOW

VIENNA = ZoneInfo("Europe/Vienna")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIENNA)


def test_days_are_whole_and_those_of_the_policys_zone():
    since, until = period_of(Asked(first="2026-07-01", until="2026-09-30"), NOW, VIENNA)
    assert (since, until) == (day("2026-07-01"), day("2026-10-01") - timedelta(microseconds=1))
    assert since.utcoffset() == timedelta(hours=2)


def test_times_may_have_a_zone_of_their_own():
    since, until = period_of(Asked(first="2026-11-01T14:00", until="2026-11-02T00:00+00:00"), NOW, VIENNA)
    assert since == day("2026-11-01T14:00")
    assert until == day("2026-11-02T01:00")


def test_it_ends_now_at_the_latest_and_a_length_counts_back_from_its_end():
    assert period_of(Asked(), NOW, VIENNA) == (NOW - timedelta(days=90), NOW)
    assert period_of(Asked(first="2026-11-20", until="2026-12-31"), NOW, VIENNA)[1] == NOW
    since, until = period_of(Asked(since="30d", until="2026-09-30"), NOW, VIENNA)
    assert until - since == timedelta(days=30)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(since="30d", first="2026-11-01"), "keep one"),
        (Asked(first="yesterday"), "--from yesterday is no date"),
        (Asked(until="2026-02-30"), "--until 2026-02-30 is no date"),
        (Asked(until="9999-12-31"), "--until 9999-12-31 is no date"),
        (Asked(first="2026-11-02", until="2026-11-01"), "ends before it begins"),
        (Asked(first="2027-01-01"), "has not begun"),
        (Asked(since="soon"), "'soon' is no period"),
    ],
)
def test_slips_are_sentences(asked: Asked, said: str):
    with pytest.raises(NoPeriod, match=said):
        period_of(asked, NOW, VIENNA)
