"""What the parts of a review's page stand on: its rows, where they are listed, and the clock that they are told by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from bot.cli.pages.behind import Behind
from bot.cli.pages.markup import NONE, Html, join
from workflows.core.access_review.compile import held_in
from workflows.core.access_review.model import Access, Report
from workflows.core.access_review.rows import Row, grouped
from workflows.usecases.oversight.access_review import Found


@dataclass(frozen=True, slots=True)
class Ground:
    """`zone`: of all times on the page."""

    found: Found
    zone: tzinfo
    behind: Behind = field(default_factory=Behind)
    _groups: dict[tuple[str, str, str], list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._groups.update(grouped(self.found.rows, lambda row: (row.holder, row.environment, row.role)))

    @property
    def report(self) -> Report:
        return self.found.report

    @property
    def asked(self) -> Sequence[Row]:
        return [row for row in self.found.rows if row.at >= self.report.since]

    def same(self, one: Access) -> Sequence[Row]:
        """All that this person asked for of this role, given or not."""
        return self._groups.get((one.holder, one.environment, one.role), ())

    def ids_of(self, one: Access) -> Sequence[str]:
        return [row.id for row in self.held(one)]

    def held(self, one: Access) -> Iterable[Row]:
        return (row for row in self.same(one) if held_in(row, self.report.since, self.report.until) is not None)

    def linked(self, ids: Sequence[str], title: str) -> Html:
        """` (63 rows)`; nothing where there is none."""
        return join((" (", self.behind.number(ids, title, f"{len(ids):,} rows"), ")")) if ids else NONE

    def when(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"
