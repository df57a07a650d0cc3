"""Whether a goal is reached is reckoned, in both directions, and what was not measured is neither a yes nor a no."""

from __future__ import annotations

import json
import math

import pytest

from bench.figures import (
    Broken,
    Figure,
    Goal,
    Reached,
    as_json,
    at_least,
    at_most,
    figure,
    from_json,
    markdown,
    spread,
    table,
    write_json,
)


@pytest.mark.parametrize(
    ("goal", "value", "reached"),
    [
        (at_most(10), 9.9, Reached.YES),
        (at_most(10), 10, Reached.YES),
        (at_most(10), 10.1, Reached.NO),
        (at_least(0.9), 0.91, Reached.YES),
        (at_least(0.9), 0.9, Reached.YES),
        (at_least(0.9), 0.89, Reached.NO),
        (at_most(10), math.nan, Reached.UNKNOWN),
        (at_least(10), math.nan, Reached.UNKNOWN),
        (at_least(10), math.inf, Reached.UNKNOWN),
    ],
)
def test_a_goal_is_reached_in_its_own_direction(goal: Goal, value: float, reached: Reached) -> None:
    assert figure("x", "", value, goal).reached is reached


def test_of_several_goals_all_must_be_reached() -> None:
    goals = at_most(50, "p50"), at_most(150, "p99")
    assert Figure("x", "ms", {"p50": 50, "p99": 150}, goals).reached is Reached.YES
    assert Figure("x", "ms", {"p50": 49, "p99": 151}, goals).reached is Reached.NO
    assert Figure("x", "ms", {"p50": 51, "p99": 149}, goals).reached is Reached.NO
    assert Figure("x", "ms", {"p50": math.nan, "p99": 149}, goals).reached is Reached.UNKNOWN


def test_a_goal_that_is_missed_is_missed_whatever_else_is_not_known() -> None:
    goals = at_most(50, "p50"), at_most(150, "p99")
    assert Figure("x", "ms", {"p50": math.nan, "p99": 151}, goals).reached is Reached.NO


def test_a_goal_is_missed_by_the_worst_of_its_numbers_in_either_direction() -> None:
    two = Figure("x", "", {"a": 3, "b": 60}, (at_most(2, "a"), at_most(20, "b")))
    assert two.missed_by == 3
    assert figure("x", "", 0.3, at_least(0.9)).missed_by == pytest.approx(3)
    assert figure("x", "", 0, at_least(0.9)).missed_by == math.inf
    assert math.isnan(figure("x", "", 1, at_least(0.9)).missed_by)


def test_a_figure_without_a_goal_is_no_yes() -> None:
    assert figure("x", "", 1).reached is Reached.NO_GOAL
    assert figure("x", "", math.nan).reached is Reached.UNKNOWN


def test_a_goal_for_what_is_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="not measured"):
        Figure("x", "ms", {"p50": 1}, (at_most(50, "p99"),))
    with pytest.raises(ValueError, match="not measured"):
        Figure("x", "ms", {})
    with pytest.raises(ValueError, match="no limit"):
        at_most(math.nan)


def test_a_spread_of_nothing_is_not_known() -> None:
    assert spread("x", "ms", [], at_most(50, "p99")).reached is Reached.UNKNOWN


def test_a_spread_is_of_all_values_in_its_unit() -> None:
    found = spread("x", "ms", [n / 1000 for n in range(1, 101)], at_most(99, "p99"), scale=1000)
    assert found.measured == pytest.approx({"p50": 51, "p99": 100})
    assert found.reached is Reached.NO


ROWS = (
    Figure("late", "s", {"p50": 0.5, "p99": 1.25}, (at_most(1, "p99"),), "load 3", "ends"),
    figure("share", "", 0.95, at_least(0.9)),
    figure("nobody knows", "ms", math.nan, at_most(5)),
    figure("just so", "MiB", 12_345.0),
    Broken("many", "Redis did not start"),
)


def test_json_says_what_was_measured_and_what_came_of_it() -> None:
    found = json.loads(write_json(ROWS, quick=True))
    assert found["quick"] is True
    late, share, unknown, plain, broken = found["figures"]
    assert late == {
        "what": "late",
        "unit": "s",
        "measured": {"p50": 0.5, "p99": 1.25},
        "goals": [{"of": "p99", "way": "<=", "limit": 1}],
        "reached": False,
        "note": "load 3",
        "profile": "ends",
    }
    assert share["reached"] is True
    assert unknown["measured"] == {"": None}
    assert unknown["reached"] is None
    assert plain["reached"] is None
    assert broken == {"what": "many", "broken": "Redis did not start", "reached": None}


def test_json_comes_back_as_it_went() -> None:
    assert [as_json(from_json(as_json(row))) for row in ROWS] == [as_json(row) for row in ROWS]


def test_what_json_says_of_a_goal_is_not_believed() -> None:
    told = as_json(figure("x", "", 11, at_most(10))) | {"reached": True}
    found = from_json(told)
    assert isinstance(found, Figure)
    assert found.reached is Reached.NO


def test_the_table_has_each_figure_beside_its_goal() -> None:
    assert table(ROWS).splitlines() == [
        "what          goal        measured                                    reached",
        "late          p99 <= 1 s  p50 0.5 s, p99 1.25 s (load 3)              NO, by 1.25 times",
        "share         >= 0.9      0.95                                        yes",
        "nobody knows  <= 5 ms     ? ms                                        not measured",
        "just so       -           12,345 MiB                                  -",
        "many                      could not be measured: Redis did not start  not measured",
    ]


def test_a_page_has_the_same_rows() -> None:
    lines = markdown([*ROWS, figure("a | b", "", 1)]).splitlines()
    assert lines[:3] == [
        "| what | goal | measured | reached |",
        "| --- | --- | --- | --- |",
        "| late | p99 <= 1 s | p50 0.5 s, p99 1.25 s (load 3) | NO, by 1.25 times |",
    ]
    assert lines[-1] == r"| a \| b | - | 1 | - |"
