"""The access review in sentences, for the command line and for chat. Knows no surface: who prints it escapes it."""

from __future__ import annotations

from datetime import datetime

from bot.chat.wording.labels import people
from workflows.core.access_review.model import (
    BreakGlassUse,
    CouldBeRule,
    CouldGo,
    Quick,
    Report,
    Suggestion,
    Sums,
    Unused,
)
from workflows.core.durations import format_duration
from workflows.core.records.oversight import ReviewState

_DAY_FORM = "%d %b %Y"


def period(report: Report) -> str:
    """`23 Aug 2026 to 21 Nov 2026, 90 days`."""
    return f"{_day(report.since)} to {_day(report.until)}, {_count(report.days, 'day')}"


def scope(report: Report) -> str:
    return people(report.environments) if report.environments is not None else "all environments"


def held_words(sums: Sums) -> str:
    """`3 people had access for 12 h in all`."""
    if not sums.people:
        return "nobody had access"
    return f"{_count(sums.people, 'person', 'people')} had access for {format_duration(sums.held)} in all"


def outcome_words(sums: Sums) -> str:
    """`20 asked: 12 approved, 3 by a rule, ...`: what did not happen is left out."""
    parts = (
        (sums.approved, "approved"),
        (sums.by_rule, "by a rule"),
        (sums.break_glass, "break-glass"),
        (sums.denied, "denied"),
        (sums.expired, "expired unanswered"),
        (sums.withdrawn, "withdrawn"),
        (sums.impossible, "could not be given"),
        (sums.waiting, "waiting"),
    )
    told = ", ".join(f"{number} {word}" for number, word in parts if number)
    return f"{sums.asked} asked{f': {told}' if told else ''}"


def refused_words(report: Report) -> str:
    """Somebody who is refused may not have come as far as naming an environment: they are counted for all of them."""
    everywhere = "" if report.environments is None else " (in all environments)"
    return f"{report.sums.refused} refused at once{everywhere}"


def suggestion_words(item: Suggestion) -> str:
    if isinstance(item, CouldBeRule):
        how = f"{item.asked} of {item.asked}, by {_count(item.people, 'person', 'people')}"
        median = f"in {format_duration(item.median)} at the median"
        return f"{item.role} in {item.environment} was always approved ({how}, {median}): a rule could approve it"
    if isinstance(item, CouldGo):
        return f"nobody used {item.role} in {item.environment} for {item.days} days: take the role out"
    had = f"{item.name} had {item.role} in {item.environment} on {item.days} of {item.of_days} days"
    return f"{had}: ask whether a smaller role would do"


def quick_words(item: Quick) -> str:
    speed = f"in {format_duration(item.median)} at the median"
    return f"{item.name} approved all of {item.decisions}, {speed}, and never denied anything: ask what is read first"


def break_glass_words(item: BreakGlassUse) -> str:
    """`PA-7: Nia, read-only in payments-prod, 20 Nov 2026, 12 min; acknowledged by Olu after 2 h`."""
    held = "" if item.gate else f", {format_duration(item.held)}"
    used = f"{item.name}, {item.role} in {item.environment}, {_day(item.at)}{held}"
    return f"{item.id}: {used}; {_review(item)}"


def _review(item: BreakGlassUse) -> str:
    if item.state is None:
        return "no review is on the record"
    if item.state is ReviewState.OWED:
        return "the review is overdue" if item.overdue else "the review is owed"
    after = f" after {format_duration(item.reviewed_in)}" if item.reviewed_in is not None else ""
    note = f": {item.note}" if item.note else ""
    return f"{item.state.value} by {item.reviewer or 'somebody'}{after}{note}"


def unused_words(item: Unused) -> str:
    asked = f", asked for {'once' if item.asked == 1 else f'{item.asked} times'}" if item.asked else ""
    return f"{item.role} in {item.environment}{asked}{', kept for break-glass' if item.spare else ''}"


def to_look_at(report: Report) -> tuple[str, ...]:
    """Who agrees to everything, and break-glass that nobody has cleared."""
    open_ = [item for item in report.break_glass if item.overdue or item.state in (None, ReviewState.FLAGGED)]
    return (*map(quick_words, report.quick), *map(break_glass_words, open_))


def _day(moment: datetime) -> str:
    return f"{moment:{_DAY_FORM}}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
