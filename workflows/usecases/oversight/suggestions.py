"""What suggestions rest on, read from the record in one go over its log and one over its requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflows.core.audit import AuditEntry, Event
from workflows.core.people import GroupFacts
from workflows.core.policy import Policy
from workflows.core.records.drift import DriftKind
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request, RequestState
from workflows.core.suggestions.compile import suggested
from workflows.core.suggestions.evidence import HARMLESS, ask_of
from workflows.core.suggestions.model import Ask, Because, Found, Place, Record
from workflows.ports import Ledger
from workflows.usecases.oversight.access_review import begin_of, ids_between, number_before, stored
from workflows.usecases.oversight.policy_activation import LINES_MAX
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.left import left_before

_ENTRIES_PAGE = 500
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Read:
    """`groups`: as of when each group was read, where it is kept elsewhere; None where it never was."""

    found: Found
    record: Record
    groups: Mapping[str, datetime | None]


def suggest(ctx: Context, since: datetime, until: datetime) -> Read:
    """What the record from `since` to `until` says of the policy in force. Raises PolicyUnavailable, LedgerUnreachable."""
    policy = ctx.policy.current()
    record = record_between(ctx.ledger, policy, since, until)
    groups = ctx.directory.groups(policy, policy.groups).last_known()
    return Read(suggested(policy, record, groups), record, _ages(policy, groups))


def _ages(policy: Policy, groups: GroupFacts) -> Mapping[str, datetime | None]:
    elsewhere = (name for name, group in policy.groups.items() if group.source is not None)
    return {name: one.as_of if (one := groups.by_name.get(name)) is not None else None for name in elsewhere}


def record_between(ledger: Ledger, policy: Policy, since: datetime, until: datetime) -> Record:
    told = _Told(until)
    told.read(ledger, begin_of(ledger, since, until))
    begin = max(_whole_from(ledger, since, until), *told.anew, since)
    unread: list[str] = []
    asks: list[Ask] = []
    used: set[Place] = set()
    for request, grant, owed in stored(ledger, ids_between(ledger, begin, until), unread):
        if request.gate is not None or request.created_at > until:
            continue
        place = request.terms.environment, request.terms.role
        if request.created_at >= begin:
            asks.append(_with(ask_of(policy, request, grant, owed, told.seen.get(request.id)), told))
        if request.created_at >= begin or _is_open(request, grant, begin):
            used.add(place)
    return Record(
        begin,
        until,
        tuple(asks),
        frozenset(used),
        told.noted,
        {place: at for place, at in told.came.items() if at >= begin},
        told.changes_known,
        {id_: told.places.get(id_) for id_ in unread},
        told.lost,
    )


def _whole_from(ledger: Ledger, since: datetime, until: datetime) -> datetime:
    """From when on all requests are there: what has left for an archive that nobody reads here is missing."""
    begin = begin_of(ledger, since, until)
    before = left_before(ledger)
    return min(before + _MOMENT, until) if before is not None and before >= begin else begin


def _is_open(request: Request, grant: Grant | None, since: datetime) -> bool:
    """Whether anybody had it since then, or will have it."""
    if grant is None:
        return request.state in (RequestState.PENDING, RequestState.SCHEDULED)
    return grant.closed_at is None or grant.closed_at >= since


def _with(ask: Ask, told: _Told) -> Ask:
    more = told.troubles.get(ask.id, frozenset())
    return replace(ask, troubles=ask.troubles | more) if more else ask


# ---------------------------------------------------------------- the audit log


_OF_A_REQUEST: Mapping[Event, Because] = {
    Event.VOTE_UNPROVED: Because.UNPROVED,
    Event.GRANT_REAPPEARED: Because.DRIFT,
    Event.GRANT_EXTENSION_FAILED: Because.MORE_TIME,
    Event.REVIEW_FLAGGED: Because.FLAGGED,
    Event.BREAK_GLASS_USED: Because.BREAK_GLASS,
}
# Of these the record does not know what is foreign, or missing at a target: only what somebody has besides.
_DRIFT = frozenset({DriftKind.UNKNOWN.value, DriftKind.ENDED.value, DriftKind.STANDING.value})


@dataclass(slots=True)
class _Told:
    """What the log alone tells. `seen`: when each card could go out. `anew`: when the record was put back or set back."""

    until: datetime
    seen: dict[str, datetime] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    troubles: dict[str, frozenset[Because]] = field(default_factory=dict)
    noted: dict[Place, frozenset[Because]] = field(default_factory=dict)
    came: dict[Place, datetime] = field(default_factory=dict)
    anew: list[datetime] = field(default_factory=list)
    changes_known: bool = True
    lost: int = 0

    def read(self, ledger: Ledger, since: datetime) -> None:
        first = next(iter(ledger.entries(limit=1)), None)
        last = max(number_before(ledger, since), first.number - 1 if first is not None else 0)
        head = ledger.head() if first is not None else last
        while page := ledger.entries(after=last, limit=_ENTRIES_PAGE):
            for entry in page:
                self.lost += entry.number - last - 1
                last = entry.number
                self._entry(entry)
        self.lost += max(0, head - last)

    def _entry(self, entry: AuditEntry) -> None:
        if entry.event is Event.REQUEST_RESOLVED:
            self.seen.setdefault(entry.subject, entry.at)
        if entry.at > self.until:
            return
        if place := _place_in(entry.facts):
            self.places.setdefault(entry.subject, place)
        if entry.event in _OF_A_REQUEST:
            self._trouble(entry.subject, _OF_A_REQUEST[entry.event])
        elif entry.event is Event.REQUEST_REFUSED and entry.facts.get("code") not in HARMLESS:
            self._trouble(entry.subject, Because.REFUSED)
        elif entry.event is Event.DRIFT_FOUND and entry.facts.get("kind") in _DRIFT:
            self._drift(entry.facts.get("roles", ""))
        elif entry.event is Event.POLICY_ACTIVATED:
            self._activated(entry)
        elif entry.event in (Event.LEDGER_REBUILT, Event.LEDGER_ACCEPTED, Event.AUDIT_ENTRY_MISSING):
            self.anew.append(entry.at)

    def _trouble(self, id_: str, because: Because) -> None:
        self.troubles[id_] = self.troubles.get(id_, frozenset()) | {because}

    def _drift(self, roles: str) -> None:
        for line in roles.splitlines():
            environment, _, role = line.partition(" ")
            place = environment, role
            self.noted[place] = self.noted.get(place, frozenset()) | {Because.DRIFT}

    def _activated(self, entry: AuditEntry) -> None:
        """The first policy is no change. Of one without words, or with more than are kept, nobody can tell what came."""
        if not entry.facts.get("before"):
            return
        lines = entry.private.get("difference", "").splitlines()
        if not lines or len(lines) >= LINES_MAX:
            self.changes_known = False
        for line in lines:
            if place := came_in(line):
                self.came[place] = entry.at


def _place_in(facts: Mapping[str, str]) -> Place | None:
    environment, role = facts.get("environment"), facts.get("role")
    return (environment, role) if environment and role else None


def came_in(line: str) -> Place | None:
    """`role shop-prod admin added` -> its place; of an environment that came all roles did, and the role is empty."""
    words = line.split(" ")
    match words:
        case ["role", environment, role, "added"]:
            return environment, role
        case ["environment", environment, "added"]:
            return environment, ""
    return None
