"""The access review in a channel: the sums, whom and what to look at, and where all of it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.chat.message import Line, Listing, Message, Small, message
from bot.chat.rich import Bold, Rich, join, lines, ours, say, short
from bot.chat.wording import access_review as w
from workflows.core.access_review.model import Report
from workflows.core.durations import format_duration
from workflows.core.policy import Digest, Policy, Visibility
from workflows.usecases.oversight.access_review import access_report
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.left import left_before

# Of each kind, what one reads on a phone; the rest is counted.
_LINES_MAX = 8
_LINE_LENGTH_MAX = 250


def review_messages(ctx: Context, plan: Digest, policy: Policy, channels: Iterable[str]) -> dict[str, Message]:
    """What a digest with a `report` posts in each of these channels now. Those that may see the same are told the same."""
    period = plan.report or timedelta(0)
    whole = set(policy.environments if plan.environments is None else plan.environments)
    made: dict[tuple[str, ...], Message] = {}
    found = {}
    for channel in channels:
        shown = told_here(policy, channel, plan.environments)
        if shown not in made:
            report, before = access_report(ctx, period, shown), left_before(ctx.ledger)
            # Workers have no archive at hand.
            since = before if before is not None and before >= report.until - period else None
            made[shown] = review_digest(report, period, kept_back=len(whole - set(shown)), before=since)
        found[channel] = made[shown]
    return found


def told_here(policy: Policy, channel: str, environments: Sequence[str] | None) -> tuple[str, ...]:
    """The environments that a report in this channel may tell of: a hidden one's names are for its own places alone."""
    return tuple(
        place.name
        for place in policy.environments.values()
        if (environments is None or place.name in environments)
        and (place.visibility is Visibility.OPEN or channel in policy.own_places(place.name))
    )


def review_digest(
    report: Report, asked_for: timedelta, *, kept_back: int = 0, before: datetime | None = None
) -> Message:
    """`asked_for`: the period of the policy; `kept_back`: how many environments are hidden from this channel. `before`: what is
    older is in the archive, and not counted.
    """
    head = f"Access review: {w.period(report)}"
    held, outcome = w.held_words(report.sums), w.outcome_words(report.sums)
    sums = join(_short((held, outcome, w.refused_words(report))))
    return message(
        say("{}: {}, {}", head, held, outcome),
        Line(lines((Bold(ours(head)), sums))),
        _part("Look at", w.to_look_at(report)),
        _part("Suggestions", map(w.suggestion_words, report.suggestions)),
        _part("Never used", map(w.unused_words, report.unused)),
        Small(say("Not counted: what is older than {}, which is in the archive.", f"{before:%Y-%m-%d}"))
        if before
        else None,
        Small(_more(asked_for, kept_back)),
    )


def _part(title: str, told: Iterable[str]) -> Listing | None:
    found = [say("• {}", line) for line in _short(told)]
    if not found:
        return None
    return Listing((say("*{}*", title), *found[:_LINES_MAX]), left_out=max(0, len(found) - _LINES_MAX))


def _short(told: Iterable[str]) -> list[str]:
    return [short(line, _LINE_LENGTH_MAX) for line in told]


def _more(asked_for: timedelta, kept_back: int) -> Rich:
    period = format_duration(asked_for).replace(" ", "")
    line = say("All of it, person by person: `prodaccess report --since {}`", period)
    if not kept_back:
        return line
    place = "1 environment that only its" if kept_back == 1 else f"{kept_back} environments that only their"
    return say("{} · Not in here: {} members see", line, place)
