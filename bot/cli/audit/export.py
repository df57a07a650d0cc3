"""`prodaccess audit export`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bot.cli.ledger import opened
from bot.cli.past import ARCHIVE
from bot.cli.program import LEDGER, POLICY, PROBLEMS, told


@told(
    examples={
        "prodaccess audit export > audit.jsonl": "For `prodaccess audit verify --export audit.jsonl`, on another machine.",
        "prodaccess audit export --after 1873": "What is new since.",
    },
    needs=LEDGER,
    uses={**POLICY, **ARCHIVE},
    codes={PROBLEMS: "an entry cannot be read, and is left out"},
)
def export(after: Annotated[int, typer.Option(help="Only entries with a higher number.")] = 0) -> None:
    """Print the audit log as JSON lines, with the words that have not been erased. The last line has the log's seal, too."""
    from bot.cli.audit.sources import export_lines, state_of
    from bot.cli.past import whole

    unreadable: list[str] = []
    with opened("audit export") as own:
        parts = whole(own)
        # Before the entries: what comes meanwhile is not missing.
        state = state_of(parts.ledger)
        for line in export_lines(parts.ledger, state, unreadable, after=after):
            print(json.dumps(line, ensure_ascii=False))
    for problem in unreadable:
        print(f"{problem}, and is left out.", file=sys.stderr)
    raise typer.Exit(PROBLEMS if unreadable else 0)
