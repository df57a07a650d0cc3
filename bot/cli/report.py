"""`prodaccess report`: the access review as a table, CSV, JSON or a page; and one row a grant."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.complete import environments
from bot.cli.ledger import opened
from bot.cli.past import ARCHIVE
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, AsJson, add, end, told

if TYPE_CHECKING:
    from bot.cli.period import Asked, Wanted
    from bot.wiring import Common
    from workflows.core.access_review.full_rows import FullRow
    from workflows.core.access_review.model import Report
    from workflows.core.policy import Policy


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Rows(StrEnum):
    ACCESS = "access"
    GRANTS = "grants"


def register(app: typer.Typer) -> None:
    add(app, report)


@told(
    examples={
        "prodaccess report --since 30d": "",
        "prodaccess report --html review.html": "One file for a browser or a printer, without network or script.",
        "prodaccess report --from 2026-07-01 --until 2026-09-30 --rows grants --format csv > q3.csv": (
            "One row a grant, of a quarter; both days are in it."
        ),
        "prodaccess report --suggest": "Changes of the policy that the record speaks for, with their numbers.",
        "prodaccess report --suggest --diff | git apply": "In the policy folder: the change alone.",
    },
    needs=LEDGER,
    uses={**POLICY, **ARCHIVE},
    codes={PROBLEMS: "a record could not be read, and is left out; or it could not be done"},
)
def report(
    *,
    since: Annotated[str, typer.Option(metavar="PERIOD", help="How far back: 30d, 12h. 90d unless said.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="A day or time in the policy's zone.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, or a time; now unless said.")] = "",
    form: Annotated[
        Format | None, typer.Option("--format", help="CSV is the rows; JSON is all of it. A table unless said.")
    ] = None,
    rows: Annotated[Rows, typer.Option(help="A row for each person and role, or for each grant.")] = Rows.ACCESS,
    environment: Annotated[
        str, typer.Option("--env", metavar="ENV", autocompletion=environments, help="One environment alone.")
    ] = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page with every request and all figures.")
    ] = None,
    suggest: Annotated[bool, typer.Option("--suggest", help="What the policy could do without, or let pass.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="With --suggest: the change of the policy alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who had what, how often, how long and by whose approval; and what an owner should look at.

    Shows hidden environments, too: it is for operators and auditors.
    """
    from bot.cli.collecting import without_collections
    from bot.cli.period import Asked

    form = _form_of(form, as_json=as_json, diff=diff, suggest=suggest, else_=bool(html) or rows is Rows.GRANTS)
    if html and (form or rows is Rows.GRANTS):
        end("--html is a form of its own: leave --format and --rows out.", USAGE)
    if rows is Rows.GRANTS and form is Format.TABLE:
        end("Grants are rows for a program: --format csv, or json.", USAGE)
    with opened("report") as own, without_collections():
        wanted = wanted_of(own, own.context.policy.current(), Asked(since, first, until), environment)
        if suggest:
            _suggest(own, wanted, as_json=form is Format.JSON, diff=diff)
        elif html:
            _page(own, wanted, html)
        elif rows is Rows.GRANTS:
            _grants(own, wanted, form or Format.CSV)
        else:
            _review(own, wanted, form or Format.TABLE)


def _suggest(own: Common, wanted: Wanted, *, as_json: bool, diff: bool) -> None:
    from bot.cli.suggestions.command import Form, tell

    tell(own, wanted, Form(as_json, diff))


def _form_of(form: Format | None, *, as_json: bool, diff: bool, suggest: bool, else_: bool) -> Format | None:
    """`--json` is `--format json`. `else_`: whether another form than text and JSON was asked for."""
    if diff and not suggest:
        end("--diff is of suggestions: add --suggest.", USAGE)
    if suggest and (else_ or form is Format.CSV or (diff and (form or as_json))):
        end("Suggestions are text, --json or --diff: leave the other forms out.", USAGE)
    if as_json and form not in (None, Format.JSON):
        end("--json and --format are two forms: keep one.", USAGE)
    return Format.JSON if as_json else form


def wanted_of(parts: Common, policy: Policy, asked: Asked, environment: str) -> Wanted:
    """Ends the command with one sentence where it is no period."""
    from bot.cli.period import NoPeriod, Wanted, period_of
    from workflows.core.dates import zone_of

    zone = zone_of(policy.timezone)
    try:
        since, until = period_of(asked, parts.ledger.now(), zone)
    except NoPeriod as problem:
        end(str(problem), USAGE)
    return Wanted(since, until, (environment,) if environment else None, zone)


def _review(own: Common, wanted: Wanted, form: Format) -> None:
    from bot.cli import report_forms
    from bot.cli.past import whole
    from workflows.usecases.oversight.access_review import report_between

    parts = whole(own, since=wanted.since)
    found = report_between(parts.context, wanted.since, wanted.until, wanted.environments)
    _assert_known(parts.context.policy.current(), wanted, found.report)
    forms = {Format.TABLE: report_forms.table, Format.CSV: report_forms.as_csv, Format.JSON: report_forms.as_json}
    forms[form](found.report, sys.stdout)
    _tell_unread(found.unread)


def _assert_known(policy: Policy, wanted: Wanted, found: Report) -> None:
    """An environment that is gone from the policy may still be on the record."""
    for name in wanted.environments or ():
        if name not in policy.environments and not (found.sums.asked or found.access):
            end(f"There is no environment '{name}': the policy has {', '.join(policy.environments)}.")


def _grants(own: Common, wanted: Wanted, form: Format) -> None:
    from bot.cli import grant_forms
    from bot.cli.past import whole
    from workflows.usecases.oversight.access_review import begin_of, full_rows, ids_between

    unread: list[str] = []
    parts = whole(own, since=wanted.since)
    since = begin_of(parts.ledger, wanted.since, wanted.until)
    ids = ids_between(parts.ledger, since, wanted.until)
    found = (row for row in full_rows(parts.ledger, ids, unread) if _is_wanted(row, wanted))
    (grant_forms.as_json if form is Format.JSON else grant_forms.as_csv)(found, sys.stdout)
    _tell_unread(unread)


def _is_wanted(row: FullRow, wanted: Wanted) -> bool:
    """A grant that was agreed to before the period was over."""
    inside = row.granted and row.approved is not None and row.approved <= wanted.until
    return inside and (wanted.environments is None or row.environment in wanted.environments)


def _page(own: Common, wanted: Wanted, file: Path) -> None:
    from bot.cli.pages.ground import Ground
    from bot.cli.pages.review import ReviewPage
    from bot.cli.pages.write import write_page
    from bot.cli.past import whole
    from workflows.usecases.oversight.access_review import full_rows, report_between

    parts = whole(own, since=wanted.since)
    policy = parts.context.policy.current()
    found = report_between(parts.context, wanted.since, wanted.until, wanted.environments)
    _assert_known(policy, wanted, found.report)
    page = ReviewPage(Ground(found, wanted.zone), policy.hash, parts.ledger.now())
    write_page(file, page.parts(full_rows(parts.ledger, [row.id for row in found.rows], [])))
    _tell_unread(found.unread)


def _tell_unread(ids: Iterable[str]) -> None:
    if found := list(ids):
        end(f"{len(found)} cannot be read, and {'is' if len(found) == 1 else 'are'} left out: {', '.join(found[:20])}.")
