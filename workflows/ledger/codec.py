"""Records as JSON and back. A key's prefix says what stands under it: `grant:PA-1042` is a Grant.

Fields that this version does not know are passed over, so that an older process can read what a newer one wrote while
a new version is rolled out. It does not keep them when it writes the record again: new fields need a default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from workflows.core.audit import AuditEntry, AuditEvent, Event
from workflows.core.canonical import canonical_json
from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.model import (
    ActivePolicy,
    ChatRecord,
    Grant,
    Holding,
    PersonRecord,
    PolicySummary,
    Press,
    Record,
    Refusals,
    Request,
    Review,
    Slot,
    Sweepout,
    Trouble,
    Uses,
)

T = TypeVar("T")

KINDS: Mapping[str, type[Any]] = {
    "request": Request,
    "grant": Grant,
    "holding": Holding,
    "person": PersonRecord,
    "slot": Slot,
    "policy": ActivePolicy,
    "summary": PolicySummary,
    "refusals": Refusals,
    "chat": ChatRecord,
    "press": Press,
    "review": Review,
    "uses": Uses,
    "sweepout": Sweepout,
    "clock": LedgerClock,
    "witness": WitnessRecord,
    "trouble": Trouble,
}


class CorruptLedger(Exception):
    """Something stands in the ledger that prodaccess did not write like this. Nobody should guess what it meant."""


class CorruptRecord(CorruptLedger):
    """A stored record cannot be read; the message names its key and the fields, but no values."""


class UnstorableRecord(ValueError):
    """A record does not fit its key, or holds what its type forbids: an error in the program, found before the write."""


def kind_of(key: str) -> type[Any]:
    """The type that stands under `key`. Raises UnstorableRecord for a key that no record can have."""
    prefix, _, rest = key.partition(":")
    kind = KINDS.get(prefix)
    if kind is None or not rest:
        raise UnstorableRecord(f"no record can stand under the key {key!r}")
    return kind


def encode(key: str, record: Record) -> bytes:
    kind = kind_of(key)
    if type(record) is not kind:
        raise UnstorableRecord(f"{key} must hold a {kind.__name__}, not a {type(record).__name__}")
    return dump(kind, record)


def decode(key: str, body: bytes | str) -> Record:
    return cast(Record, load(kind_of(key), body, where=key))


def dump(kind: type[T], value: T) -> bytes:
    try:
        return _adapter(kind).dump_json(value, warnings="error")
    except PydanticSerializationError as error:
        raise UnstorableRecord(f"a {kind.__name__} cannot be stored: {error}") from error


def load(kind: type[T], body: bytes | str, *, where: str) -> T:
    """Raises CorruptRecord, which names `where`."""
    try:
        return _adapter(kind).validate_json(body)
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) or "JSON" for item in error.errors()})
        raise CorruptRecord(f"{where} is not a {kind.__name__}: {', '.join(fields)} cannot be read") from None


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    found = _ADAPTERS.get(kind)
    if found is None:
        # On first use, not on import: each takes milliseconds.
        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


# ---------------------------------------------------------------- audit entries


def event_body(event: AuditEvent) -> bytes:
    """What is chained and hashed."""
    return canonical_json(event.body())


def event_private(event: AuditEvent) -> bytes:
    """What may be erased: the salt goes with the words, so that nobody can try words against the digest afterwards."""
    return canonical_json({"salt": event.salt, "private": dict(event.private)})


def audit_entry(number: int, body: str, digest: str, private: str | None) -> AuditEntry:
    """An entry from its parts. `private` is None where it was erased. Raises CorruptRecord."""
    try:
        facts = json.loads(body)
        words = json.loads(private) if private else {}
        return AuditEntry(
            number=number,
            event=Event(facts["event"]),
            subject=facts["subject"],
            at=datetime.fromisoformat(facts["at"]),
            digest=digest,
            facts=facts["facts"],
            private=words.get("private", {}),
            body=body,
            salt=words.get("salt", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CorruptRecord(f"audit entry {number} cannot be read") from None
