"""What keeps somebody from asking at all: too much that waits, or a block; and the list of those whom security keeps out."""

from __future__ import annotations

from datetime import datetime

from workflows.core import keys
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import PENDING_MAX
from workflows.ports import IndexEntry, Snapshot


def too_many(record: PersonRecord | None, more: int = 1) -> Refused | None:
    pending = record.pending if record else ()
    if len(pending) + more <= PENDING_MAX:
        return None
    params = {"max": str(PENDING_MAX), "ids": ", ".join(pending)}
    return Refused(Code.TOO_MANY_PENDING, params | ({"more": str(more)} if more > 1 else {}))


def blocked(record: PersonRecord | None, snapshot: Snapshot) -> Refused | None:
    if record is None or record.blocked_until is None or record.blocked_until <= snapshot.now:
        return None
    return Refused(Code.PERSON_BLOCKED, {"until": record.blocked_until.isoformat(), "why": record.blocked_why or ""})


def kept_out(record: PersonRecord, since: datetime) -> IndexEntry:
    """Where a person stands among those whom security can let in again; whoever changes a bar or a block writes it, too."""
    waits = record.break_glass_barred is not None or record.blocked_until is not None
    return IndexEntry(keys.BARRED, record.id, since.timestamp() if waits else None)
