"""One request in full, as the cells of a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.cli.pages.markup import BREAK, join, tag, under
from workflows.core.access_review.full_rows import FullRow
from workflows.core.access_review.rows import RowOutcome
from workflows.core.durations import format_duration
from workflows.core.records.grant import EndCause

When = Callable[[datetime], str]

OUTCOME_WORDS = {
    RowOutcome.APPROVED: "approved",
    RowOutcome.BY_RULE: "approved automatically",
    RowOutcome.BREAK_GLASS: "break-glass (emergency access)",
    RowOutcome.DENIED: "denied",
    RowOutcome.EXPIRED: "expired",
    RowOutcome.WITHDRAWN: "withdrawn",
    RowOutcome.IMPOSSIBLE: "could not be given",
    RowOutcome.WAITING: "needs approval",
}
CAUSE_WORDS = {
    EndCause.TIME: "time was up",
    EndCause.REVOKED: "revoked",
    EndCause.RETURNED: "given back early",
    EndCause.FAILED: "could not be set up",
    EndCause.STANDING: "had it permanently already",
}


def row_cells(row: FullRow, when: When) -> Iterable[object]:
    """Id; who and what; why; what became of it; times; the policy."""
    yield row.id
    yield under(_who(row), f"{row.role} in {row.environment}{f' ({row.account})' if row.account else ''}")
    yield under(row.reason, f"ticket {row.ticket}" if row.ticket else "")
    yield under(OUTCOME_WORDS[row.outcome], " · ".join(agreed(row)))
    yield join(_on_their_days(row, when), BREAK)
    yield tag("code", row.policy_hash[:12])


def _on_their_days(row: FullRow, when: When) -> Iterable[str]:
    """`asked 2026-11-20 03:12`, `approved 03:14`: a day is told once."""
    day = ""
    for name, moment in times(row):
        if moment is not None:
            told, _, clock = when(moment).partition(" ")
            yield f"{name} {clock}" if told == day else f"{name} {told} {clock}"
            day = told


def _who(row: FullRow) -> str:
    return row.holder_name if row.requester == row.holder else f"{row.holder_name}, asked for by {row.requester_name}"


def agreed(row: FullRow) -> Iterable[str]:
    """By whose yes, and what followed."""
    if row.approvers:
        yield "by " + ", ".join(one.words for one in row.approvers)
    if row.rule:
        yield f"by the rule '{row.rule}'"
    if row.extends:
        yield f"{format_duration(row.duration)} more of {row.extends}"
    if row.extended_by:
        yield f"extended by {', '.join(row.extended_by)}"
    if row.end_cause:
        by = f" by {row.ended_by}" if row.ended_by else ""
        yield f"{CAUSE_WORDS[row.end_cause]}{by}"
    if row.review:
        yield f"review {row.review.value}"


def times(row: FullRow) -> Iterable[tuple[str, datetime | None]]:
    yield "asked", row.asked
    yield "approved", row.approved
    yield "given", row.given
    yield "ended" if row.ended else "until", row.ended or row.until
    yield "removal verified" if row.given and not row.covered_by else "closed", row.verified
