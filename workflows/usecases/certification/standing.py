"""What of certifications stands on the ledger, for whoever only reads."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.records.certification import Certification, CertificationPart
from workflows.ports import IndexEntry, Ledger, Snapshot

# Chat subjects: what is told of a whole certification, and one card of it.
SUBJECT = "certify-run-"
CARD = "certify-"
_ALL_MAX = 10_000


def entry_of(found: Certification) -> IndexEntry:
    """Where it is listed, by when it was begun."""
    return IndexEntry(keys.CERTIFICATIONS, found.id, found.at.timestamp())


def all_of(ledger: Ledger) -> tuple[Certification, ...]:
    """Those that can be read, the oldest first. There is one a quarter, or a few."""
    ids = ledger.members(keys.CERTIFICATIONS, limit=_ALL_MAX)
    if not ids:
        return ()
    snapshot = ledger.read(*map(keys.certification, ids))
    found = (snapshot.readable(keys.certification(id_), Certification) for id_ in ids)
    return tuple(one for one in found if one is not None)


def one_of(ledger: Ledger, id_: str) -> Certification | None:
    item = keys.certification(id_)
    return ledger.read(item).readable(item, Certification)


def parts_of(ledger: Ledger, found: Certification) -> tuple[CertificationPart, ...]:
    """What its cards ask, in order; without those that cannot be read."""
    return parts_in(ledger.read(*map(keys.certification_part, found.parts)), found) if found.parts else ()


def parts_in(snapshot: Snapshot, found: Certification) -> tuple[CertificationPart, ...]:
    """The same, where they were read already."""
    names = map(keys.certification_part, found.parts)
    parts = (snapshot.readable(name, CertificationPart) for name in names)
    return tuple(part for part in parts if part is not None)
