"""The access review: who had what, how often, how long, who agreed, and what an owner should look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from workflows.core.people import PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.records.oversight import ReviewState

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """What became of what was asked for in the period; `refused` were turned away before there was a request."""

    asked: int = 0
    approved: int = 0
    by_rule: int = 0
    break_glass: int = 0
    denied: int = 0
    withdrawn: int = 0
    expired: int = 0
    impossible: int = 0
    waiting: int = 0
    refused: int = 0
    people: int = 0
    held: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Access:
    """What one person had of one role: how often, how long within the period, on how many of its days, by whose yes."""

    holder: PersonId
    name: str
    environment: str
    role: str
    tier: Tier
    risk: Risk
    times: int
    held: timedelta
    days: int
    last: datetime
    now: bool
    break_glass: int
    # Names and how often each agreed; rules are named with the word before them.
    approvers: tuple[tuple[str, int], ...]
    # The median, over the asks that people answered; None where there was none.
    answered_in: timedelta | None


@dataclass(frozen=True, slots=True)
class BreakGlassUse:
    """One break-glass and what its review said. `state` is None where there is no review on the record."""

    id: str
    name: str
    environment: str
    role: str
    at: datetime
    held: timedelta
    state: ReviewState | None
    overdue: bool
    reviewer: str
    reviewed_in: timedelta | None
    note: str
    # A gate that somebody opened for a pipeline: nobody had any access by it, and no row stands for it.
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Unused:
    """A role of the policy that nobody had. `asked`: how often somebody asked all the same. `spare`: for emergencies."""

    environment: str
    role: str
    risk: Risk
    asked: int
    spare: bool


@dataclass(frozen=True, slots=True)
class Quick:
    """Somebody who agreed to everything, within seconds."""

    who: PersonId
    name: str
    decisions: int
    median: timedelta


@dataclass(frozen=True, slots=True)
class CouldBeRule:
    environment: str
    role: str
    asked: int
    people: int
    median: timedelta


@dataclass(frozen=True, slots=True)
class CouldGo:
    environment: str
    role: str
    days: int


@dataclass(frozen=True, slots=True)
class CouldBeSmaller:
    name: str
    environment: str
    role: str
    days: int
    of_days: int


Suggestion = CouldBeRule | CouldGo | CouldBeSmaller


@dataclass(frozen=True, slots=True)
class Report:
    """`since`: from when on the record tells, which is later than asked for where the record is younger."""

    since: datetime
    until: datetime
    # None: all of them.
    environments: tuple[str, ...] | None
    sums: Sums
    access: tuple[Access, ...] = ()
    break_glass: tuple[BreakGlassUse, ...] = ()
    unused: tuple[Unused, ...] = ()
    quick: tuple[Quick, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def days(self) -> int:
        return days_of(self.since, self.until)


def days_of(since: datetime, until: datetime) -> int:
    """Days of 24 hours from the beginning on, so that there are exactly ninety in ninety days, wherever it is read."""
    return max(1, ceil((until - since) / _DAY))
