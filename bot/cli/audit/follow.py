"""`prodaccess audit follow`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.ledger import opened
from bot.cli.past import ARCHIVE
from bot.cli.program import LEDGER, POLICY, PROBLEMS, USAGE, end, told

if TYPE_CHECKING:
    from workflows.core.audit import AuditEntry
    from workflows.core.audit_check import StoredEntry
    from workflows.core.records.request import Request
    from workflows.ports import Ledger

LOOK_EVERY_S = 2.0
PAGE = 500


class Form(StrEnum):
    JSONL = "jsonl"
    OCSF = "ocsf"


@told(
    examples={
        "prodaccess audit follow --state /var/lib/prodaccess/siem.json": "Goes on where it was, after a restart.",
        "prodaccess audit follow --format ocsf --once": "What is there, and no waiting.",
    },
    needs=LEDGER,
    uses={**POLICY, **ARCHIVE},
    codes={PROBLEMS: "the log ends before what was printed last: it was set back; or it could not be done"},
)
def follow(
    form: Annotated[Form, typer.Option("--format", help="As exported, or events of OCSF 1.6.")] = Form.JSONL,
    after: Annotated[int, typer.Option("--after", help="Only entries with a higher number.")] = 0,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Where it notes how far it has come.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End at the newest entry.")] = False,
) -> None:
    """Print entries of the audit log as they come, one JSON line each, for a SIEM. With names and words.

    After a restart an entry may come again: its number and digest tell.
    """
    from bot.cli.audit.follow_state import FollowState, NotOurs
    from bot.cli.audit.sources import state_of
    from bot.cli.past import left, whole

    with opened("audit follow") as own:
        try:
            made = state_of(own.ledger).installation
            noted = FollowState(state, made.id if made else "")
        except NotOurs as problem:
            end(str(problem), USAGE)
        last, stands = max(after, noted.number), left(own)
        parts = whole(own) if stands is not None and last < stands.first - 1 else own
        while True:
            head = parts.ledger.head()
            if head < last:
                end(f"The log ends at #{head}, and #{last} was printed: it was set back, or --after is beyond its end.")
            for page in _pages(parts.ledger, last):
                _print(parts.ledger, page, form)
                last = page[-1].number
                # After the lines are out: what was cut short comes again.
                noted.note(last)
            if once:
                return
            time.sleep(LOOK_EVERY_S)


def _pages(ledger: Ledger, last: int) -> Iterator[Sequence[StoredEntry]]:
    while page := ledger.stored_entries(after=last, limit=PAGE):
        yield page
        last = page[-1].number


def _print(ledger: Ledger, page: Sequence[StoredEntry], form: Form) -> None:
    from bot.cli.audit.exported import line_of
    from workflows.ports import CorruptRecord

    for stored in page:
        try:
            line = line_of(stored) if form is Form.JSONL else _ocsf(ledger, stored)
        except CorruptRecord as problem:
            print(f"{problem}, and is left out.", file=sys.stderr)
            continue
        print(json.dumps(line, ensure_ascii=False))
    sys.stdout.flush()


def _ocsf(ledger: Ledger, stored: StoredEntry) -> dict[str, Any]:
    from bot.cli.audit.ocsf import event_of
    from workflows.ledger.codec import audit_entry

    entry = audit_entry(stored)
    return event_of(entry, _request(ledger, entry))


def _request(ledger: Ledger, entry: AuditEntry) -> Request | None:
    from workflows.core import keys
    from workflows.core.records.request import Request

    if not entry.event.value.startswith(("grant.", "break_glass.")):
        return None
    name = keys.request(entry.subject)
    return ledger.read(name).readable(name, Request)
