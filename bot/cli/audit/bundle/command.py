"""`prodaccess audit bundle`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.audit.options import Where, given_archive
from bot.cli.ledger import opened
from bot.cli.program import LEDGER, POLICY, PROBLEMS, end, say, told

if TYPE_CHECKING:
    from bot.cli.audit.bundle.making import Made


@told(
    examples={
        "prodaccess audit bundle --from 2026-07-01 --until 2026-09-30 evidence-q3": "A quarter, both days in it.",
        "prodaccess audit bundle evidence": "The last 90 days.",
    },
    needs=LEDGER,
    uses={
        **POLICY,
        "PRODACCESS_AUDIT_BUCKET": "the archive, for heads and what has left the record, unless --archive says another",
    },
    codes={PROBLEMS: "something could not be read, and is left out: a sentence says what; or it could not be done"},
)
def bundle(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new, or empty.")],
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="A day or time in the policy's zone.")] = "",
    until: Annotated[
        str, typer.Option("--until", "--to", metavar="DATE", help="The last day, or a time; now unless said.")
    ] = "",
    archive: Where = "",
) -> None:
    """Everything that an auditor asks for about a period, in one folder, with a verifier that needs nothing of ours.

    The last 90 days unless --from says another beginning. It has names, addresses and reasons: treat it as such.
    """
    from bot.cli.audit.bundle.folder import NotEmpty
    from bot.cli.audit.bundle.making import Making, NothingThere
    from bot.cli.past import whole
    from workflows.ports import ArchiveUnavailable

    with opened("audit bundle") as own:
        there = given_archive(archive or own.settings.audit_bucket or "")
        parts = whole(own, archive=there, to_tell=False)
        try:
            made = Making(parts, there).into(folder, first, until)
        except (NotEmpty, NothingThere) as problem:
            end(str(problem))
        except ArchiveUnavailable as problem:
            end(f"The archive could not be read: {problem}. Nothing was written.")
    _tell(folder, made)


def _tell(folder: Path, made: Made) -> None:
    say(
        f"{folder}: {made.files} files, {made.requests:,} requests, {made.entries:,} audit entries. Begin with index.html."
    )
    say(f"The manifest's SHA-256 is {made.manifest}: send it another way than the folder.")
    for note in made.notes:
        print(note, file=sys.stderr)
    raise typer.Exit(PROBLEMS if made.left_out else 0)
