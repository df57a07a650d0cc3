"""What was measured, beside its goal. Whether a goal is reached is reckoned from the numbers; nobody types it.

A number that is none (nan, infinite) was not measured: that is neither a yes nor a no.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    AT_MOST = "<="
    AT_LEAST = ">="


class Reached(StrEnum):
    """`NO_GOAL`: a figure for whoever plans with it."""

    YES = "yes"
    NO = "NO"
    UNKNOWN = "not measured"
    NO_GOAL = "-"


@dataclass(frozen=True, slots=True)
class Goal:
    """`of`: which of the figure's numbers, where it has several."""

    limit: float
    way: Way = Way.AT_MOST
    of: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit):
            raise ValueError(f"no limit at all: {self.limit}")

    def reached(self, value: float) -> Reached:
        if not math.isfinite(value):
            return Reached.UNKNOWN
        return Reached.YES if (value <= self.limit if self.way is Way.AT_MOST else value >= self.limit) else Reached.NO

    def factor(self, value: float) -> float:
        """How many times as good it would have to be."""
        least, most = sorted((value, self.limit))
        return most / least if least > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Figure:
    """`measured`: numbers by name; a figure of one number has it under the empty name. `note`: what else whoever reads it
    should know. `profile`: which of `bench.profiles` says where the time goes.
    """

    what: str
    unit: str
    measured: Mapping[str, float]
    goals: Sequence[Goal] = ()
    note: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        unknown = [goal.of for goal in self.goals if goal.of not in self.measured]
        if unknown or not self.measured:
            raise ValueError(f"{self.what}: a goal for what was not measured: {unknown}")

    @property
    def reached(self) -> Reached:
        """Of several goals all must be reached; one that is missed counts before one that is not known."""
        each = {goal.reached(self.measured[goal.of]) for goal in self.goals}
        if any(not math.isfinite(value) for value in self.measured.values()):
            each.add(Reached.UNKNOWN)
        return next((one for one in (Reached.NO, Reached.UNKNOWN, Reached.YES) if one in each), Reached.NO_GOAL)

    @property
    def missed_by(self) -> float:
        """How many times as good the worst of it would have to be; nan where nothing was missed."""
        return max((goal.factor(self.measured[goal.of]) for goal in self._missed()), default=math.nan)

    def _missed(self) -> list[Goal]:
        return [goal for goal in self.goals if goal.reached(self.measured[goal.of]) is Reached.NO]


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not be measured, and why."""

    what: str
    why: str


Row = Figure | Broken


def at_most(limit: float, of: str = "") -> Goal:
    return Goal(limit, Way.AT_MOST, of)


def at_least(limit: float, of: str = "") -> Goal:
    return Goal(limit, Way.AT_LEAST, of)


def figure(what: str, unit: str, value: float, *goals: Goal, note: str = "", profile: str = "") -> Figure:
    """Of one number."""
    return Figure(what, unit, {"": value}, goals, note, profile)


def spread(
    what: str,
    unit: str,
    values: Iterable[float],
    *goals: Goal,
    scale: float = 1.0,
    note: str = "",
    profile: str = "",
) -> Figure:
    """p50 and p99, each times `scale`."""
    found = list(values)
    measured = {f"p{part}": percentile(found, part / 100) * scale for part in (50, 99)}
    return Figure(what, unit, measured, goals, note, profile)


def percentile(values: Iterable[float], share: float) -> float:
    """nan where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan


# ---------------------------------------------------------------- for people


def table(rows: Iterable[Row]) -> str:
    found = [("what", "goal", "measured", "reached"), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in found) for column in range(3)]
    return "\n".join(
        "  ".join((*(f"{cell:{width}}" for cell, width in zip(row[:3], widths, strict=True)), row[3])).rstrip()
        for row in found
    )


def markdown(rows: Iterable[Row]) -> str:
    """The same as a table of a page."""
    lines = [("what", "goal", "measured", "reached"), ("---",) * 4, *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, str, str, str]:
    if isinstance(row, Broken):
        return row.what, "", f"could not be measured: {row.why}", Reached.UNKNOWN
    goal = ", ".join(_named(goal.of, f"{goal.way} {_number(goal.limit)}", row.unit) for goal in row.goals)
    measured = ", ".join(_named(name, _number(value), row.unit) for name, value in row.measured.items())
    reached = f"{row.reached}, by {_times(row.missed_by)}" if row.reached is Reached.NO else row.reached
    return row.what, goal or "-", f"{measured} ({row.note})" if row.note else measured, reached


def _times(factor: float) -> str:
    """Two digits, so that a goal that is nearly reached is not said to be missed by nothing."""
    return f"{factor:.2f} times" if factor < 10 else f"{factor:,.0f} times"


def _named(name: str, number: str, unit: str) -> str:
    return " ".join(part for part in (name, number, unit) if part)


def _number(value: float) -> str:
    """Three digits that count; whole from a hundred on."""
    if not math.isfinite(value):
        return "?"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


# ---------------------------------------------------------------- for programs


def as_json(row: Row) -> dict[str, Any]:
    """A number that is none is null, which every reader of JSON understands."""
    if isinstance(row, Broken):
        return {"what": row.what, "broken": row.why, "reached": None}
    return {
        "what": row.what,
        "unit": row.unit,
        "measured": {name: value if math.isfinite(value) else None for name, value in row.measured.items()},
        "goals": [{"of": goal.of, "way": goal.way.value, "limit": goal.limit} for goal in row.goals],
        "reached": {Reached.YES: True, Reached.NO: False}.get(row.reached),
        "note": row.note,
        "profile": row.profile,
    }


def from_json(found: Mapping[str, Any]) -> Row:
    """`reached` is not read: it is reckoned again."""
    if "broken" in found:
        return Broken(found["what"], found["broken"])
    return Figure(
        found["what"],
        found["unit"],
        {name: math.nan if value is None else float(value) for name, value in found["measured"].items()},
        tuple(Goal(float(goal["limit"]), Way(goal["way"]), goal["of"]) for goal in found["goals"]),
        found["note"],
        found.get("profile", ""),
    )


def write_json(rows: Iterable[Row], **more: Any) -> str:
    return json.dumps({**more, "figures": [as_json(row) for row in rows]}, indent=2, allow_nan=False) + "\n"
