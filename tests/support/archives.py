"""The archive as the sealer writes it, of whatever a ledger holds now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.sealed_log import OURS, root, sign, verify
from workflows.archive.memory import MemoryArchive
from workflows.core.provider import TargetTerms
from workflows.core.seal.layout import folder, head_name, run_name, run_of
from workflows.core.seal.public_key import PublicKey
from workflows.core.seal.statement import Head, seal_json, signed
from workflows.core.seal.trust import Trust
from workflows.ledger.codec import load
from workflows.ports import Archive, CorruptRecord, Ledger
from workflows.usecases.upkeep.rebuild_reading import Archived

LOG = "a" * 32


def target_terms(text: str) -> TargetTerms:
    """As the command reads them."""
    try:
        return load(TargetTerms, text, where="an entry")  # type: ignore[type-abstract]  # mypy knows no abstract type
    except CorruptRecord as problem:
        raise ValueError(str(problem)) from None


def archived(
    ledger: Ledger,
    archive: Archive | None = None,
    *,
    above: int = 0,
    epoch: int = 1,
    key: PublicKey = OURS,
    by: Callable[[PublicKey, bytes], bytes] = sign,
) -> Archived:
    """All entries with numbers above `above`, as one run with its head, which `by` signs."""
    found, where = archive if archive is not None else MemoryArchive(), folder(LOG, epoch)
    entries = list(ledger.stored_entries(limit=100_000))
    size = entries[-1].number
    found.put(run_name(where, above + 1, size), run_of(entries[above:]))
    head = Head(LOG, size, root(entries), datetime(2026, 11, 27, 9, 0, tzinfo=UTC), epoch)
    found.put(head_name(where, size), seal_json(signed(head.statement, key, by(key, head.statement.encode()))))
    return Archived(found, LOG, epoch, Trust(OURS, verify, LOG))
