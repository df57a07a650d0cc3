"""When people had access, at what hours they ask, and how quickly others agree."""

from __future__ import annotations

from bot.chat.wording.labels import rounded
from bot.cli.pages import charts
from bot.cli.pages.ground import Ground
from bot.cli.pages.markup import NONE, Html, join, pairs, tag, under
from workflows.core.access_review.compile import held_in
from workflows.core.access_review.figures import by_hour, speed
from workflows.core.access_review.model import Access
from workflows.core.access_review.rows import RowOutcome
from workflows.core.policy import Risk

# So many lanes can be read; the table above has all.
LANES_MAX = 40
_KINDS = {"read": "read", "change": "change", "admin": "admin", "glass": "break-glass (emergency access)"}


def timeline(on: Ground) -> Html:
    report = on.report
    lines = [_lane(on, one) for one in report.access[:LANES_MAX]]
    if not lines:
        return tag("p", "Nobody had access.", class_="quiet")
    left = len(report.access) - len(lines)
    words = f"The {LANES_MAX} longest are drawn; {left} more stand in the table."
    more = tag("p", words, class_="quiet") if left > 0 else NONE
    return join((charts.key(_KINDS), charts.bars(lines, below=charts.axis(report.since, report.until)), more))


def _lane(on: Ground, one: Access) -> tuple[object, Html, object]:
    report = on.report
    stretches = [
        charts.Stretch(*span, "glass" if row.outcome is RowOutcome.BREAK_GLASS else _kind(row.risk), row.id)
        for row in on.held(one)
        if (span := held_in(row, report.since, report.until)) is not None
    ]
    title = f"{one.name}: {one.role} in {one.environment}"
    label = under(one.name, f"{one.role} in {one.environment}")
    return label, charts.lane(stretches, report.since, report.until), on.behind.number(on.ids_of(one), title)


def hours_of_the_day(on: Ground) -> Html:
    hours = by_hour(on.asked, on.zone)
    most = max(map(len, hours.values()))
    lines = [
        (
            f"{hour:02d}:00",
            charts.bar(len(ids), most),
            on.behind.number(ids, f"Asked for from {hour:02d}:00 to {hour:02d}:59"),
        )
        for hour, ids in hours.items()
    ]
    words = tag("p", f"When people asked, by the hour of the day in {on.zone}.", class_="quiet")
    return join((words, charts.bars(lines, "bars hours")))


def how_quickly(on: Ground) -> Html:
    found = speed(on.asked)
    if found.median is None or found.share is None:
        return tag("p", "Nobody approved anything by hand.", class_="quiet")
    quick = on.behind.number(found.within_a_minute, "Approved within a minute", f"{round(100 * found.share)} %")
    return pairs(
        (
            ("Approved by people", on.behind.number(found.ids, "Approved by people")),
            (
                "Median, from when it could be seen",
                on.behind.number(found.ids, "Approved by people", rounded(found.median)),
            ),
            ("Within a minute", quick),
        )
    )


def _kind(risk: Risk) -> str:
    return {Risk.READ: "read", Risk.CHANGE: "change", Risk.ADMIN: "admin"}[risk]
