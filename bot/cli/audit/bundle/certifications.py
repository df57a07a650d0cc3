"""Certifications of the period: each question with its answer, or without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.cli.audit.bundle.folder import About, Folder
from bot.cli.certify_rows import COLUMNS, cells, report_of
from bot.cli.period import Wanted
from bot.wiring import Common
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification
from workflows.usecases.certification.standing import all_of

CERTIFICATIONS = About(
    "certifications.csv",
    "What owners were asked about roles, people and standing access, what each answered and when, and what is open.",
    "the records of the certifications; numbers and digests of answers are those of the audit log",
    COLUMNS,
)


def write_certifications(folder: Folder, parts: Common, policy: Policy, wanted: Wanted) -> int:
    """Of those that were open at some time of the period, as they stand now. Returns how many questions nobody has answered."""
    open_ = 0
    with folder.table(CERTIFICATIONS) as write:
        for found in _cells(parts, policy, wanted):
            open_ += not found["answer"]
            write([found[name] for name in COLUMNS])
    return open_


def _cells(parts: Common, policy: Policy, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    for run in (one for one in all_of(parts.ledger) if _is_in(one, wanted)):
        report = report_of(parts.ledger, policy, run)
        yield from (cells(report, row) for row in report.rows)


def _is_in(run: Certification, wanted: Wanted) -> bool:
    return run.at <= wanted.until and (run.closed_at is None or run.closed_at >= wanted.since)
