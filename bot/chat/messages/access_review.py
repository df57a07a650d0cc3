"""The access review in a channel: the sums, whom and what to look at, and where all of it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.chat.wording import access_review as w
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Block, Message
from workflows.core.access_review.model import Report
from workflows.core.durations import format_duration
from workflows.core.policy import Digest, Policy, Visibility
from workflows.usecases.oversight.access_review import access_report
from workflows.usecases.shared.context import Context

# Of each kind, what one reads on a phone; the rest is counted.
_LINES_MAX = 8
_LINE_LENGTH_MAX = 250


def review_message(ctx: Context, plan: Digest, policy: Policy) -> Message:
    """What a digest with a `report` posts in its channel now."""
    period = plan.report or timedelta(0)
    meant = set(policy.environments if plan.environments is None else plan.environments)
    shown = told_here(policy, plan.channel, plan.environments)
    return review_digest(access_report(ctx, period, shown), period, kept_back=len(meant - set(shown)))


def told_here(policy: Policy, channel: str, environments: Sequence[str] | None) -> tuple[str, ...]:
    """The environments that a report in this channel may tell of: a hidden one's names are for its own channel alone."""
    return tuple(
        place.name
        for place in policy.environments.values()
        if (environments is None or place.name in environments)
        and (place.visibility is Visibility.OPEN or place.approvals_channel == channel)
    )


def review_digest(report: Report, asked_for: timedelta, *, kept_back: int = 0) -> Message:
    """`asked_for`: the period of the policy; `kept_back`: how many environments are hidden from this channel."""
    head = f"Access review: {w.period(report)}"
    sums = " · ".join(_safe((w.held_words(report.sums), w.outcome_words(report.sums), w.refused_words(report))))
    parts = [
        b.section(f"*{head}*\n{sums}"),
        *_part("Look at", w.to_look_at(report)),
        *_part("Suggestions", map(w.suggestion_words, report.suggestions)),
        *_part("Never used", map(w.unused_words, report.unused)),
        b.context(_more(asked_for, kept_back)),
    ]
    return b.message(f"{head}: {w.held_words(report.sums)}, {w.outcome_words(report.sums)}", parts)


def _part(title: str, lines: Iterable[str]) -> list[Block]:
    found = [f"• {line}" for line in _safe(lines)]
    if not found:
        return []
    left_out = len(found) - _LINES_MAX
    shown = [*found[:_LINES_MAX], *([f"… and {left_out} more"] if left_out > 0 else [])]
    return b.paragraphs([f"*{title}*", *shown])


def _safe(lines: Iterable[str]) -> list[str]:
    return [t.literal(line, _LINE_LENGTH_MAX) for line in lines]


def _more(asked_for: timedelta, kept_back: int) -> str:
    period = format_duration(asked_for).replace(" ", "")
    line = f"All of it, person by person: `prodaccess report --since {period}`"
    if not kept_back:
        return line
    place = "1 environment that only its" if kept_back == 1 else f"{kept_back} environments that only their"
    return f"{line} · Not in here: {place} members see"
