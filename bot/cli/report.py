"""`prodaccess report`: the access review as a table, as CSV or as JSON."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, USAGE, add, end, told


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    add(app, report)


@told(
    examples={"prodaccess report --since 30d": "", "prodaccess report --format csv > review.csv": ""},
    needs=LEDGER,
    uses=POLICY,
)
def report(
    since: Annotated[str, typer.Option(metavar="PERIOD", help="How far back: 30d, 12h, 90d.")] = "90d",
    form: Annotated[Format, typer.Option("--format", help="CSV is who had what; JSON is all of it.")] = Format.TABLE,
    environment: Annotated[str, typer.Option("--env", metavar="ENV", help="One environment alone.")] = "",
) -> None:
    """Who had what, how often, how long and by whose approval; and what an owner should look at."""
    from bot.cli import report_forms
    from workflows.core.durations import parse_duration
    from workflows.ports import LedgerUnreachable, PolicyUnavailable
    from workflows.usecases.oversight.access_review import access_report

    period = parse_duration(since)
    if not period:
        end(f"'{since}' is no period: write 90d, or 12h.", USAGE)
    with opened("report") as parts:
        try:
            policy = parts.context.policy.current()
            found = access_report(parts.context, period, (environment,) if environment else None)
        except (PolicyUnavailable, LedgerUnreachable) as problem:
            end(f"There is no report: {problem}.")
    if environment and environment not in policy.environments and not (found.sums.asked or found.access):
        end(f"There is no environment '{environment}': the policy has {', '.join(policy.environments)}.")
    forms = {Format.TABLE: report_forms.table, Format.CSV: report_forms.as_csv, Format.JSON: report_forms.as_json}
    forms[form](found, sys.stdout)
