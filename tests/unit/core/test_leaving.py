"""The table of who has left, and of how many may go at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.build import DANA, NOW, facts
from workflows.core.people import FACTS_AGE_MAX, PersonId
from workflows.core.records.leavers import Leavers
from workflows.core.rules.leaving import Standing, Verdict, plan, standing, too_many, verdict

HERE, GONE, UNKNOWN = Standing.HERE, Standing.GONE, Standing.UNKNOWN


@pytest.mark.parametrize(
    ("problem", "found"),
    [
        (None, HERE),
        ("person_deactivated", GONE),
        ("person_guest", HERE),
        ("person_bot", HERE),
        ("person_no_address", HERE),
        ("person_foreign", UNKNOWN),
        ("person_odd", UNKNOWN),
    ],
)
def test_what_is_said_of_an_account(problem: str | None, found: Standing) -> None:
    assert standing(replace(facts(DANA), standing_problem=problem), NOW, FACTS_AGE_MAX) is found


@pytest.mark.parametrize("age", [FACTS_AGE_MAX + timedelta(seconds=1), timedelta(seconds=-5)])
def test_what_is_too_old_or_from_the_future_is_not_known(age: timedelta) -> None:
    said = replace(facts(DANA), standing_problem="person_deactivated", as_of=NOW - age)
    assert standing(said, NOW, FACTS_AGE_MAX) is UNKNOWN
    assert standing(None, NOW, FACTS_AGE_MAX) is UNKNOWN


@pytest.mark.parametrize(
    ("accounts", "found"),
    [
        ([], Verdict.UNKNOWN),
        ([HERE], Verdict.HERE),
        ([GONE], Verdict.LEFT),
        ([UNKNOWN], Verdict.UNKNOWN),
        ([HERE, HERE], Verdict.HERE),
        ([GONE, GONE], Verdict.LEFT),
        ([GONE, HERE], Verdict.PARTLY),
        ([GONE, UNKNOWN], Verdict.PARTLY),
        ([HERE, UNKNOWN], Verdict.UNKNOWN),
    ],
)
def test_what_follows_for_the_person(accounts: list[Standing], found: Verdict) -> None:
    assert verdict(accounts) is found


@pytest.mark.parametrize(
    ("gone", "holders", "held"),
    [
        (0, 0, False),
        (1, 1, False),
        (3, 3, False),
        (4, 4, True),
        (4, 39, True),
        (4, 40, False),
        (5, 49, True),
        (100, 1000, False),
        (101, 1000, True),
    ],
)
def test_more_than_three_and_more_than_a_tenth_wait_for_people(gone: int, holders: int, held: bool) -> None:
    assert too_many(gone, holders) is held


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("at_a_time", "every", "ended", "within"),
    [
        (1, 4 * MINUTE, 3, 15 * MINUTE),
        (3, 16 * MINUTE, 3, 60 * MINUTE),
        (1, 10 * MINUTE, 5, 60 * MINUTE),
        (1, 90 * MINUTE, 10, 24 * 60 * MINUTE),
        (3, 61 * MINUTE, 9, 24 * 60 * MINUTE),
    ],
)
def test_nobody_goes_on_below_the_limit(at_a_time: int, every: timedelta, ended: int, within: timedelta) -> None:
    """So few at a time that they end by themselves: counted over an hour, and over a day."""
    holders = [PersonId(f"p{number:02}@example.com") for number in range(30)]
    remembered, gone, now = Leavers(), 0, NOW
    for _ in holders:
        leave = holders[gone : gone + at_a_time]
        verdicts = {who: Verdict.LEFT if who in leave else Verdict.HERE for who in holders[gone:]}
        made = plan(remembered, verdicts, now, "n")
        remembered, gone, now = made.after, gone + len(made.ends), now + every
        if remembered.finding is not None:
            break
    assert remembered.finding is not None, "they went on below the limit"
    assert (gone, remembered.finding.people) == (ended, tuple(leave))
    assert (remembered.finding.lately, remembered.finding.within) == (min(ended, gone), within)


def test_one_a_few_hours_is_how_people_leave() -> None:
    holders = [PersonId(f"p{number:02}@example.com") for number in range(30)]
    remembered = Leavers()
    for number, who in enumerate(holders):
        verdicts = {one: Verdict.LEFT if one == who else Verdict.HERE for one in holders[number:]}
        made = plan(remembered, verdicts, NOW + number * timedelta(hours=3), "n")
        remembered = made.after
        assert made.ends == (who,)
