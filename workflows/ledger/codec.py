"""Records as JSON and back. A key's prefix says what stands under it: `grant:PA-1042` is a Grant.

Fields that this version does not know are passed over, so that an older process can read what a newer one wrote while
a new version is rolled out. It does not keep them when it writes the record again: new fields need a default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator

from workflows.core.audit import AuditEntry, AuditEvent, Event
from workflows.core.audit_check import StoredEntry
from workflows.core.canonical_json import canonical_json
from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.gates.terms import KIND as GATE
from workflows.core.gates.terms import KIND_GIVING, GateTerms, GivingTerms
from workflows.core.identity import (
    SLACK,
    Account,
    AccountRecord,
    AddressRecord,
    Adoption,
    Identity,
    TargetIds,
    TargetUser,
)
from workflows.core.ledger_doubt import LedgerDoubt
from workflows.core.mixed import OlderRunning
from workflows.core.provider import Provider, TargetTerms, providers
from workflows.core.records.activity import Activity
from workflows.core.records.certification import Certification, CertificationPart
from workflows.core.records.chat import ChatRecord, Press
from workflows.core.records.drift import Drift, DriftPass, DriftPlan
from workflows.core.records.erased import ErasedPeople
from workflows.core.records.forge import ForgeWait
from workflows.core.records.gate import TokenOnce
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.installation import Installation
from workflows.core.records.leavers import Leavers
from workflows.core.records.oversight import BulkRevocation, Review, Trouble
from workflows.core.records.person import PersonRecord, Refusals, Uses
from workflows.core.records.policy_in_force import (
    ActivePolicy,
    FormerPolicies,
    PolicyFiles,
    PolicySummary,
    WaitingPolicy,
)
from workflows.core.records.record import Record
from workflows.core.records.request import Request, Slot
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.records.signed import SignedVotes
from workflows.core.records.terminal import TerminalAct, Vouched
from workflows.core.records.words_key import WordsKey
from workflows.ports import CorruptRecord, Notice, Versioned

T = TypeVar("T")

KINDS: Mapping[str, type[Any]] = {
    "request": Request,
    "grant": Grant,
    "activity": Activity,
    "holding": Holding,
    "person": PersonRecord,
    "slot": Slot,
    "policy": ActivePolicy,
    "summary": PolicySummary,
    "policy-files": PolicyFiles,
    "policy-former": FormerPolicies,
    "policy-waiting": WaitingPolicy,
    "refusals": Refusals,
    "chat": ChatRecord,
    "press": Press,
    "signed": SignedVotes,
    "review": Review,
    "uses": Uses,
    "sweepout": BulkRevocation,
    "clock": LedgerClock,
    "doubt": LedgerDoubt,
    "older": OlderRunning,
    "witness": WitnessRecord,
    "trouble": Trouble,
    "account": AccountRecord,
    "person-id": Identity,
    "address": AddressRecord,
    "adoption": Adoption,
    "target-user": TargetUser,
    "target-ids": TargetIds,
    "drift": Drift,
    "drift-pass": DriftPass,
    "drift-plan": DriftPlan,
    "installation": Installation,
    "seal": SealState,
    "retained": Retained,
    "leavers": Leavers,
    "words-key": WordsKey,
    "jti": TokenOnce,
    "forge": ForgeWait,
    "terminal": TerminalAct,
    "vouched": Vouched,
    "certification": Certification,
    "certification-part": CertificationPart,
    "erased": ErasedPeople,
}


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
    """Raises CorruptRecord, also for a record that belongs under another key."""
    record = cast(Record, load(kind_of(key), body, where=key))
    name = next((getattr(record, field) for field in _NAMED_BY if hasattr(record, field)), None)
    if name is not None and not isinstance(record, Installation) and name != key.partition(":")[2]:
        raise CorruptRecord(f"{key} holds the record of another one")
    return record


# The field that repeats what the record's key says; the first that a kind has. An installation's key is the same everywhere.
_NAMED_BY = ("account", "address", "id", "subject", "person")


# What stands under a key without a readable version. Never given out; commit.lua says the same of it.
NO_VERSION = -1
_HEAD = re.compile(rb"([1-9][0-9]{0,19}):")


def versioned(key: str, value: bytes | str | None) -> Versioned:
    """A record as it is stored, `<version>:<JSON>`. What cannot be read says why, and stands in nobody else's way."""
    if value is None:
        return Versioned(0, None)
    stored = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    head = _HEAD.match(stored)
    if head is None:
        return Versioned(NO_VERSION, None, f"{key} has no version")
    version = int(head[1])
    try:
        return Versioned(version, decode(key, stored[head.end() :]))
    except CorruptRecord as problem:
        return Versioned(version, None, str(problem))


def dump(kind: type[T], value: T) -> bytes:
    try:
        _, writer = _form(kind)
        return writer.to_json(value, warnings="error", by_alias=True)
    except PydanticSerializationError as error:
        raise UnstorableRecord(f"a {kind.__name__} cannot be stored: {error}") from error


def load(kind: type[T], body: bytes | str, *, where: str) -> T:
    """Raises CorruptRecord, which names `where`."""
    try:
        reader, _ = _form(kind)
        return cast(T, reader.validate_json(body))
    except UnicodeError:
        raise CorruptRecord(f"{where} is not a {kind.__name__}: it is no text") from None
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) or "JSON" for item in error.errors()})
        raise CorruptRecord(f"{where} is not a {kind.__name__}: {', '.join(fields)} cannot be read") from None


def _form(kind: type[Any]) -> tuple[SchemaValidator, SchemaSerializer]:
    """What reads and what writes it."""
    found = _FORMS.get((kind, providers()))
    if found is None:
        # On first use, not on import: each takes milliseconds.
        schema = _stored(TypeAdapter(kind).core_schema)
        found = _FORMS[kind, providers()] = SchemaValidator(schema), SchemaSerializer(schema)
    return found


_FORMS: dict[tuple[type[Any], tuple[Provider, ...]], tuple[SchemaValidator, SchemaSerializer]] = {}


def _stored(schema: Any) -> Any:
    """The same schema, with what only holds for JSON that is kept.

    A time has to say its zone: one without would break the first comparison with another. An account is
    `{"team": ..., "user": ...}`, as the first versions knew it, and says its chat only where that is another. The terms of a
    target are those of the provider whose kind they say.
    """
    if isinstance(schema, list):
        return [_stored(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _stored(part) for name, part in schema.items()}
    if found.get("type") == "datetime":
        return found | {"tz_constraint": "aware"}
    change = _OTHERWISE.get(found["cls"]) if found.get("type") == "dataclass" else None
    return change(found) if change is not None else found


def _account(schema: dict[str, Any]) -> dict[str, Any]:
    fields = {field["name"]: field for field in schema["schema"]["fields"]}
    fields["surface"] |= {
        "schema": {"type": "default", "schema": fields["surface"]["schema"], "default": SLACK},
        "serialization_exclude_if": SLACK.__eq__,
    }
    fields["tenant"] |= {"validation_alias": "team", "serialization_alias": "team"}
    return schema


def _target_terms(schema: dict[str, Any]) -> dict[str, Any]:
    own = {provider: _stored(TypeAdapter(provider.terms).core_schema) for provider in providers()}
    choices = {kind: own[provider] for provider in own for kind in provider.kinds}
    # A gate itself gives nothing, and no provider has it.
    choices[GATE] = _stored(TypeAdapter(GateTerms).core_schema)
    choices[KIND_GIVING] = _stored(TypeAdapter(GivingTerms).core_schema)
    named = {"ref": schema["ref"]} if "ref" in schema else {}
    return {"type": "tagged-union", "discriminator": "kind", "choices": choices, **named}


_OTHERWISE: Mapping[type[Any], Callable[[dict[str, Any]], dict[str, Any]]] = {
    Account: _account,
    TargetTerms: _target_terms,
}


# ---------------------------------------------------------------- audit entries


def event_body(event: AuditEvent) -> bytes:
    """What is chained and hashed."""
    return canonical_json(event.body())


def event_private(event: AuditEvent) -> bytes:
    """What may be erased: the salt goes with the words, so that nobody can try words against the digest afterwards."""
    return canonical_json({"salt": event.salt, "private": dict(event.private)})


def audit_entry(stored: StoredEntry) -> AuditEntry:
    """The entry that stands there. Raises CorruptRecord."""
    try:
        facts = json.loads(stored.body)
        words = json.loads(stored.private) if stored.private is not None else {}
        return AuditEntry(
            number=stored.number,
            event=Event(facts["event"]),
            subject=facts["subject"],
            at=datetime.fromisoformat(facts["at"]),
            digest=stored.digest,
            facts=_texts(facts["facts"]),
            private=_texts(words.get("private", {})),
            body=stored.body.decode(),
            salt=words.get("salt", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CorruptRecord(f"audit entry {stored.number} cannot be read") from None


def _texts(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise TypeError
    return found


# As the canonical JSON has it. Within a text the quotes would stand behind a backslash.
_SAYS = '"event":"'


def readable_entries(
    stored: Iterable[StoredEntry], notice: Notice, events: Collection[Event] | None = None
) -> list[AuditEntry]:
    """Those that can be read, of these kinds where any are named; of those that cannot be `notice` is told."""
    if events is not None:
        said = tuple(f'{_SAYS}{event}"'.encode() for event in events)
        stored = (one for one in stored if _SAYS.encode() not in one.body or any(word in one.body for word in said))
    found = []
    for entry in stored:
        try:
            found.append(audit_entry(entry))
        except CorruptRecord as problem:
            notice(f"audit:{entry.number}", str(problem))
    return found
