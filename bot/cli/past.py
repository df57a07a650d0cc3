"""What has left the record for the archive, for commands that tell of the past."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from bot.wiring import Common
    from workflows.core.records.retained import Retained
    from workflows.ports import ReadableArchive

# What a command that reads there uses.
ARCHIVE = {"PRODACCESS_AUDIT_BUCKET": "the archive, for what has left the record"}


def whole(
    parts: Common, *, since: datetime | None = None, to_tell: bool = True, archive: ReadableArchive | None = None
) -> Common:
    """The same, with a ledger that has what left it. Where the archive is not known here, that is said, once: what is missing.

    `since`: nothing older is asked for. `to_tell`: else nothing is said. `archive`: in place of the environment's.
    """
    stands, where = left(parts), parts.settings.audit_bucket
    if stands is None:
        return parts
    if archive is None and not where:
        if to_tell and (since is None or _is_older(since, stands)):
            print(away(stands), file=sys.stderr)
        return parts
    from workflows.archive import archive_of

    return _with(parts, stands, archive or archive_of(where or ""))


def _is_older(since: datetime, stands: Retained) -> bool:
    return stands.before is None or since <= stands.before


def left(parts: Common) -> Retained | None:
    """What has; None where nothing has."""
    from workflows.usecases.upkeep.verify_audit import retained_of

    stands = retained_of(parts.ledger)
    return stands if stands is not None and (stands.first > 1 or stands.requests) else None


def away(stands: Retained) -> str:
    """One sentence."""
    older = f"What is older than {stands.before:%Y-%m-%d}" if stands.before else f"What came before #{stands.first}"
    return f"{older} is in the archive, which this command cannot read here: set PRODACCESS_AUDIT_BUCKET."


def _with(parts: Common, stands: Retained, archive: ReadableArchive) -> Common:
    from workflows.core import keys
    from workflows.core.records.installation import Installation
    from workflows.core.seal.layout import folder
    from workflows.ledger.codec import decode, readable_entries
    from workflows.ports import no_notice
    from workflows.signing.words import Cipher
    from workflows.usecases.sealing.closed_past import ClosedPast
    from workflows.usecases.sealing.hiding import Shown
    from workflows.usecases.sealing.past_log import folder_with
    from workflows.usecases.sealing.with_past import Archived, LedgerWithPast

    made = parts.ledger.read(keys.INSTALLATION).readable(keys.INSTALLATION, Installation)
    if made is None:
        return parts
    shown = Shown(parts.ledger, Cipher())
    there = folder_with(archive, made.id, made.epoch, stands.first - 1) if stands.first > 1 else ""
    archived = Archived(archive, there or folder(made.id, made.epoch), stands.first, shown)
    past = ClosedPast(archive, made.id, made.epoch, shown, decode)
    ledger = cast(
        Any,
        LedgerWithPast(
            parts.ledger, past, archived, lambda entries, events: readable_entries(entries, no_notice, events)
        ),
    )
    return replace(parts, ledger=ledger, context=replace(parts.context, ledger=ledger))
