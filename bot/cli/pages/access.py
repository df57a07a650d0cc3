"""Who had what: a line for each person and role."""

from __future__ import annotations

from collections.abc import Iterable

from bot.chat.wording.labels import rounded
from bot.cli.pages.ground import Ground
from bot.cli.pages.markup import Html, join, safe, table, tag, under
from workflows.core.access_review.model import Access
from workflows.core.access_review.rows import RowOutcome


def who_had_what(on: Ground) -> Html:
    if not on.report.access:
        return tag("p", "Nobody had access.", class_="quiet")
    heads = ("Who", "Role", "Times", "In all", "Days", "Last", "Approved by", "Answered in")
    return table(heads, (_cells(on, one) for one in on.report.access))


def _cells(on: Ground, one: Access) -> Iterable[object]:
    ids = on.ids_of(one)
    title = f"{one.name}: {one.role} in {one.environment}"
    yield under(one.name, one.holder if one.holder != one.name else "")
    yield under(f"{one.role} in {one.environment}", f"{one.tier.value}, {one.risk.value}")
    yield on.behind.number(ids, title)
    yield join((on.behind.number(ids, title, rounded(one.held)), ", open" if one.now else ""))
    yield join((on.behind.number(ids, title, one.days), f" of {on.report.days}"))
    yield on.when(one.last)
    yield join((_agreed(on, one, name, times) for name, times in one.approvers), ", ")
    waited = [row.id for row in on.held(one) if row.outcome is RowOutcome.APPROVED]
    words = rounded(one.answered_in) if one.answered_in is not None else ""
    yield on.behind.number(waited, f"{title}, approved by people", words)


def _agreed(on: Ground, one: Access, name: str, times: int) -> Html:
    """`Olu (2)`: also what prolonged it counts."""
    held = on.ids_of(one)
    ids = [row.id for row in on.same(one) if name in row.agreed and (row.id in held or row.extends in held)]
    title = f"{one.name}: {one.role} in {one.environment}, by {name}"
    return join((name, " (", on.behind.number(ids, title, times), ")")) if times > 1 else safe(name)
