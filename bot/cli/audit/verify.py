"""`prodaccess audit verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.audit.options import Key, Where, given_archive
from bot.cli.ledger import opened
from bot.cli.program import POLICY, PROBLEMS, USAGE, AsJson, end, say, told

if TYPE_CHECKING:
    from bot.cli.audit.of_export import Source
    from workflows.core.seal.statement import ShownHead


@told(
    examples={
        "prodaccess audit verify": "The log against itself, and against its own seal.",
        "prodaccess audit verify --key audit-key.pub.pem --archive s3://acme-audit": "And against what was signed and archived.",
        "prodaccess audit verify --expect-head 1042:3f9a1c0b2d4e": "A head that a digest in chat has shown.",
        "prodaccess audit verify --export audit.jsonl --key audit-key.pub.pem": "On a machine of your own, without Redis.",
    },
    needs={"REDIS_URL": "where the record is; not with --export"},
    uses={**POLICY, "PRODACCESS_AUDIT_BUCKET": "the archive, unless --archive says another; not with --export"},
    codes={PROBLEMS: "a fault was found, or something could not be compared: a sentence says which"},
)
def verify(
    key: Key = "",
    archive: Where = "",
    expect_head: Annotated[
        list[str] | None,
        typer.Option("--expect-head", metavar="N:HEX", help="A head that must be in it, as a digest in chat shows it."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="What `prodaccess audit export` has written.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the audit log, that none is missing, and that all is as it was signed."""
    from bot.cli.audit.candidates import NoKey
    from bot.cli.audit.checking import Checking
    from workflows.ports import ArchiveUnavailable

    heads = expected(expect_head or ())
    with source(export, archive) as (found, where):
        try:
            checking = Checking(found, key, heads, given_archive(where), ArchiveUnavailable)
        except NoKey as problem:
            end(str(problem), USAGE if problem.typed_wrongly else PROBLEMS)
        verdict = checking.verdict((lambda _fault: None) if as_json else say)
    if as_json:
        say(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False))
    else:
        for line in verdict.lines():
            say(line)
    raise typer.Exit(PROBLEMS if verdict.count else 0)


def expected(typed: list[str] | tuple[str, ...]) -> tuple[ShownHead, ...]:
    from workflows.core.seal.statement import shown_head

    try:
        return tuple(shown_head(each) for each in typed)
    except ValueError as problem:
        end(str(problem), USAGE)


@contextmanager
def source(export: Path | None, archive: str) -> Iterator[tuple[Source, str]]:
    """The export, or the ledger that the environment names; then the archive is the environment's, too, unless one is given.

    With where the archive is, empty where there is none.
    """
    from bot.cli.audit.exported import BadExport
    from bot.cli.audit.of_export import OfExport
    from bot.cli.audit.sources import OfLedger

    if export is None:
        with opened("audit verify") as parts:
            yield OfLedger(parts.ledger), archive or parts.settings.audit_bucket or ""
        return
    try:
        yield OfExport(export), archive
    except BadExport as problem:
        end(str(problem))
