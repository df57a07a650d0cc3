"""Figures of an access review beside its sums: the hours at which people ask, and how quickly others agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from workflows.core.access_review.rows import Row, RowOutcome, grouped, median_of

# Whoever agrees faster has hardly read who, what and why.
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Speed:
    """How quickly people answered what they approved: from when the card could be seen to the last yes that it needed."""

    ids: Sequence[str]
    within_a_minute: Sequence[str]
    median: timedelta | None

    @property
    def share(self) -> float | None:
        return len(self.within_a_minute) / len(self.ids) if self.ids else None


def speed(rows: Iterable[Row]) -> Speed:
    waits = {row.id: row.waited for row in rows if row.outcome is RowOutcome.APPROVED and row.waited is not None}
    quick = [id_ for id_, wait in waits.items() if wait < MINUTE]
    return Speed(tuple(waits), quick, median_of(list(waits.values())) if waits else None)


def by_hour(rows: Iterable[Row], zone: tzinfo) -> Mapping[int, Sequence[str]]:
    """Hour of the day, 0 to 23, in that zone -> ids of what was asked for then, oldest first."""
    found = grouped(rows, lambda row: row.at.astimezone(zone).hour)
    return {hour: [row.id for row in found.get(hour, ())] for hour in range(24)}
