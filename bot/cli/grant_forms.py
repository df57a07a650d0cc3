"""One row a grant, as CSV and as JSON: written as they are read, so that a long period costs no memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO

from bot.chat.text import one_line
from bot.cli.report_forms import cell
from workflows.core.access_review.full_rows import FullRow

COLUMNS = (
    "id",
    "requester",
    "requester_name",
    "holder",
    "holder_name",
    "environment",
    "role",
    "tier",
    "risk",
    "account",
    "reason",
    "ticket",
    "duration_s",
    "approvers",
    "rule",
    "break_glass",
    "asked",
    "approved",
    "given",
    "until",
    "ended",
    "end_cause",
    "ended_by",
    "verified",
    "covered_by",
    "extended_by",
    "review",
    "policy_hash",
)


def as_csv(rows: Iterable[FullRow], output: TextIO) -> None:
    lines = csv.writer(output, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        lines.writerow(map(cell, cells(row)))


def cells(row: FullRow) -> list[object]:
    """As `COLUMNS` has them."""
    found = {**plain(row), "approvers": "; ".join(one.words for one in row.approvers)}
    found["extended_by"] = "; ".join(row.extended_by)
    return [_flat(found[name]) for name in COLUMNS]


def as_json(rows: Iterable[FullRow], output: TextIO) -> None:
    """A list with one row a line."""
    between = "[\n"
    for row in rows:
        output.write(f"{between}{json.dumps(plain(row), ensure_ascii=False)}")
        between = ",\n"
    output.write("[]\n" if between == "[\n" else "\n]\n")


def plain(row: FullRow) -> dict[str, Any]:
    """Times are ISO 8601 in UTC; None: that has not happened, or is not."""
    approvers = [
        {"id": one.who, "name": one_line(one.name), "groups": list(one.groups), "at": _time(one.at)}
        for one in row.approvers
    ]
    return {
        "id": row.id,
        "requester": row.requester,
        "requester_name": one_line(row.requester_name),
        "holder": row.holder,
        "holder_name": one_line(row.holder_name),
        "environment": row.environment,
        "role": row.role,
        "tier": row.tier.value,
        "risk": row.risk.value,
        "account": row.account,
        "reason": one_line(row.reason),
        "ticket": row.ticket,
        "duration_s": int(row.duration.total_seconds()),
        "approvers": approvers,
        "rule": row.rule,
        "break_glass": row.break_glass,
        "asked": _time(row.asked),
        "approved": _time(row.approved),
        "given": _time(row.given),
        "until": _time(row.until),
        "ended": _time(row.ended),
        "end_cause": row.end_cause.value if row.end_cause else None,
        "ended_by": one_line(row.ended_by) if row.ended_by else None,
        "verified": _time(row.verified),
        "covered_by": row.covered_by,
        "extended_by": [one_line(name) for name in row.extended_by],
        "review": row.review.value if row.review else None,
        "policy_hash": row.policy_hash,
    }


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
