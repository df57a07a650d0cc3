"""Audit entries as events of the Open Cybersecurity Schema Framework, version 1.6.0 (schema.ocsf.io), for a SIEM.

What gives or takes access is `user_access`, what is about a person's account `account_change`, and all else
`entity_management`. What has no place there stands in `unmapped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot import __version__
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import flatten
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.request import Request

VERSION = "1.6.0"
_CATEGORY = 3
ACCOUNT_CHANGE, ENTITY_MANAGEMENT, USER_ACCESS = 3001, 3004, 3005
OTHER = 99
# The schema's captions of the activities that are used here.
_CAPTIONS = {
    (USER_ACCESS, 1): "Assign Privileges",
    (USER_ACCESS, 2): "Revoke Privileges",
    (ACCOUNT_CHANGE, 5): "Disable",
    (ENTITY_MANAGEMENT, 1): "Create",
    (ENTITY_MANAGEMENT, 3): "Update",
}
_ACCESS: Mapping[Event, int] = {
    Event.GRANT_ACTIVE: 1,
    Event.GRANT_EXTENDED: 1,
    Event.GRANT_ACTIVATION_FAILED: 1,
    Event.GRANT_EXTENSION_FAILED: 1,
    Event.GRANT_ENDED: 2,
    Event.GRANT_REVOKED: 2,
    Event.GRANT_REMOVAL_FAILING: 2,
    Event.GRANT_END_STARTED: OTHER,
    Event.GRANT_REAPPEARED: OTHER,
    Event.BREAK_GLASS_USED: OTHER,
}
_CREATED = frozenset(
    {Event.CERTIFICATION_STARTED, Event.REQUEST_MADE, Event.REQUEST_REFUSED, Event.GATE_ASKED, Event.DELEGATION_SET}
)
_FAILURES = frozenset(
    {
        Event.REQUEST_REFUSED,
        Event.GATE_REFUSED,
        Event.GATE_NOT_TAKEN,
        Event.GRANT_ACTIVATION_FAILED,
        Event.GRANT_EXTENSION_FAILED,
        Event.GRANT_REMOVAL_FAILING,
        Event.VOTE_UNPROVED,
    }
)
# As the schema has it: 1 informational, 3 medium, 4 high.
_SEVERITY: Mapping[Event, int] = {
    Event.BREAK_GLASS_USED: 3,
    Event.GATE_BROKEN: 3,
    Event.DRIFT_FOUND: 3,
    Event.REVIEW_FLAGGED: 3,
    Event.BULK_REVOCATION_STARTED: 4,
    Event.GRANT_REMOVAL_FAILING: 4,
    Event.GRANT_REAPPEARED: 4,
    Event.VOTE_UNPROVED: 4,
    Event.LEDGER_ROLLED_BACK: 4,
    Event.LEDGER_UNREADABLE: 4,
    Event.CLOCK_JUMPED: 4,
    Event.AUDIT_ENTRY_MISSING: 4,
}
NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class _Kind:
    class_uid: int
    activity: int

    @property
    def caption(self) -> str | None:
        return _CAPTIONS.get((self.class_uid, self.activity))


def event_of(entry: AuditEntry, request: Request | None) -> dict[str, Any]:
    """`request`: the one that the entry is about, where it is about one and its record is there."""
    kind = _kind(entry.event)
    found: dict[str, Any] = {
        "category_uid": _CATEGORY,
        "class_uid": kind.class_uid,
        "activity_id": kind.activity,
        "activity_name": kind.caption or entry.event.value,
        "type_uid": kind.class_uid * 100 + kind.activity,
        "time": int(entry.at.timestamp() * 1000),
        "severity_id": _SEVERITY.get(entry.event, 1),
        "status_id": 2 if entry.event in _FAILURES else 1,
        "message": flatten(event_words(entry, {}), _when),
        "metadata": _metadata(entry),
        "actor": _actor(entry),
        "unmapped": {"subject": entry.subject, "facts": dict(entry.facts)},
    }
    return found | _about(kind, entry, request)


def _kind(event: Event) -> _Kind:
    if event in _ACCESS:
        return _Kind(USER_ACCESS, _ACCESS[event])
    if event.value.startswith("person."):
        return _Kind(ACCOUNT_CHANGE, 5 if event is Event.PERSON_LEFT else OTHER)
    return _Kind(ENTITY_MANAGEMENT, 1 if event in _CREATED else 3)


def _metadata(entry: AuditEntry) -> dict[str, Any]:
    """`uid` and `sequence` tell an event that came twice."""
    return {
        "version": VERSION,
        "product": {"name": "prodaccess", "vendor_name": "prodaccess", "version": __version__},
        "uid": entry.digest,
        "sequence": entry.number,
        "event_code": entry.event.value,
        "correlation_uid": entry.subject,
        "log_name": "audit",
    }


def _actor(entry: AuditEntry) -> dict[str, Any]:
    """A person, where one acted; the program else."""
    who = entry.private.get("actor", "")
    return {"app_name": "prodaccess", **({"user": _user(who, entry.private.get("actor_name", ""))} if who else {})}


def _about(kind: _Kind, entry: AuditEntry, request: Request | None) -> dict[str, Any]:
    if kind.class_uid == ENTITY_MANAGEMENT:
        return {"entity": {"name": entry.subject, "type": entry.event.value.partition(".")[0]}}
    if kind.class_uid == ACCOUNT_CHANGE:
        return {"user": {"name": entry.private.get("person") or entry.private.get("actor") or entry.subject}}
    if request is None:
        return {"user": {"name": NOT_KNOWN}, "privileges": [NOT_KNOWN]}
    terms = request.terms
    return {"user": _user(request.holder, request.holder_name), "privileges": [f"{terms.role} in {terms.environment}"]}


def _user(who: str, name: str) -> dict[str, str]:
    return {"uid": who, **({"name": name} if name else {})}


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
