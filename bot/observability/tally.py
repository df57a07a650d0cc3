"""What the audit log adds up to: counted once for all processes, behind the last entry, seldom, and never by whoever decides.

Every decision is an entry, so nothing is counted that was not committed, and no restart forgets anything. A clock reads the new
entries every few seconds and adds them to a hash together with the number of the last one: two clocks count nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis
from redis.exceptions import WatchError

from bot.observability.series import NOT_NOW, Series, added, kept_as_a_hash, numbers
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.policy import Tier
from workflows.core.records.grant import EndCause, Grant
from workflows.core.records.request import ID_PATTERN, TERMINAL, Request
from workflows.core.refusal import Code
from workflows.ports import LedgerUnreachable, Snapshot
from workflows.usecases.shared.context import Context

if TYPE_CHECKING:
    from prometheus_client.core import Metric

T = TypeVar("T")

EVERY_S = 5.0
PAGE = 200
# So many entries at a time; what is left is counted the next time.
PAGES_MAX = 25
# A ledger that is older than this version, and longer than that, is counted from now on: whoever reads a million entries for a
# counter that starts at nothing has been no help.
FROM_THE_START = 1_000
CURSOR = "cursor"

_HOURS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0)
_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LATE = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

ENTRIES = Series("prodaccess_audit_entries", "Entries of the audit log, by event.", ("event",))
REQUESTS = Series("prodaccess_requests", "Requests that were made, by environment and kind.", ("environment", "kind"))
DECISIONS = Series(
    "prodaccess_decisions", "Requests that were decided, by environment and outcome.", ("environment", "outcome")
)
REFUSALS = Series(
    "prodaccess_refusals", "Asks and presses that were refused and are on the record, by code.", ("code",)
)
CLOSED = Series("prodaccess_grants_closed", "Grants that are over, by environment and cause.", ("environment", "cause"))
REMOVALS = Series(
    "prodaccess_removal_alarms", "Alarms that access could not be taken away yet, by environment.", ("environment",)
)
FROM_TERMINALS = Series(
    "prodaccess_break_glass_from_terminal",
    "Break-glass from a terminal, while chat was down, by environment.",
    ("environment",),
)
DECIDED_IN = Series(
    "prodaccess_decision_seconds", "From the request to a person's decision, by outcome.", ("outcome",), _HOURS
)
ACTIVE_IN = Series(
    "prodaccess_activation_seconds",
    "From the decision to access that was read back, by environment's tier.",
    ("tier",),
    _SECONDS,
)
ENDED_LATE = Series(
    "prodaccess_end_late_seconds",
    "From the deadline to absence that was read back, by environment's tier.",
    ("tier",),
    _LATE,
)
ALL = (ENTRIES, REQUESTS, DECISIONS, REFUSALS, CLOSED, REMOVALS, FROM_TERMINALS, DECIDED_IN, ACTIVE_IN, ENDED_LATE)

KINDS = ("access", "extension", "break_glass", "gate")
OUTCOMES = ("approved", "rule", "break_glass", "denied", "refused", "expired", "withdrawn", "declined")
_DECIDED: Mapping[Event, str] = {
    Event.REQUEST_APPROVED: "approved",
    Event.REQUEST_AUTO_APPROVED: "rule",
    Event.BREAK_GLASS_USED: "break_glass",
    Event.REQUEST_DENIED: "denied",
    Event.REQUEST_EXPIRED: "expired",
    Event.REQUEST_WITHDRAWN: "withdrawn",
    Event.REQUEST_DECLINED: "declined",
    Event.GATE_APPROVED: "approved",
    Event.GATE_BROKEN: "break_glass",
    Event.GATE_DENIED: "denied",
    Event.GATE_EXPIRED: "expired",
    Event.GATE_WITHDRAWN: "withdrawn",
}
_AFTERWARDS = frozenset({Event.GATE_EXPIRED, Event.GATE_WITHDRAWN})
# What people took their time for.
_BY_PEOPLE = ("approved", "denied")
_OVER = frozenset({Event.GRANT_ENDED, Event.GRANT_REVOKED, Event.GRANT_ACTIVATION_FAILED})
# An entry's record may have gone on since; a time that is taken from it has to be the entry's own.
_SAME = timedelta(seconds=2)


class Tally:
    """For one thread. `prefix`: of the ledger's keys."""

    def __init__(self, ctx: Context, redis: Redis, prefix: str = "prodaccess:") -> None:
        self._ctx = ctx
        self._redis = redis
        self._key = key_of(prefix)
        # The newest entry at which everything was seen to be counted.
        self._counted: int | None = None

    def advance(self) -> None:
        """Count what is new. At rest it is one read. Never raises for a server that takes nothing just now."""
        with suppress(LedgerUnreachable, *NOT_NOW):
            self._advance()

    def _advance(self) -> None:
        head = self._ctx.ledger.head()
        if head == self._counted:
            return
        with kept_as_a_hash(self._redis, self._key):
            for _ in range(PAGES_MAX):
                cursor = self._cursor(head)
                if cursor >= head:
                    self._counted = head
                    return
                if not self._count(cursor, head):
                    return

    def _cursor(self, head: int) -> int:
        """The number of the last entry that was counted."""
        stored = self._redis.hget(self._key, CURSOR)
        at = numbers({CURSOR: stored}).get(CURSOR)
        if at is not None and at <= head:
            return int(at)
        # Never counted here; or the ledger was restored from a backup, whose numbers are given out again.
        start = 0 if at is None and head <= FROM_THE_START else head
        self._redis.hset(self._key, CURSOR, start)
        return start

    def _count(self, cursor: int, head: int) -> bool:
        entries = self._ctx.ledger.entries(after=cursor, limit=PAGE)
        # Where the rest cannot be read, it is passed over.
        last = entries[-1].number if entries else head
        increments = counted(entries, self._records(entries))
        with self._redis.pipeline() as pipe:
            try:
                return self._add(pipe, cursor, last, increments)
            except WatchError:
                # Another clock has counted them.
                return False

    def _add(self, pipe: Any, cursor: int, last: int, increments: Mapping[str, float]) -> bool:
        pipe.watch(self._key)
        if numbers({CURSOR: pipe.hget(self._key, CURSOR)}).get(CURSOR) != cursor:
            return False
        pipe.multi()
        for field, value in increments.items():
            pipe.hincrbyfloat(self._key, field, value)
        pipe.hset(self._key, CURSOR, last)
        pipe.execute()
        return True

    def _records(self, entries: Iterable[AuditEntry]) -> Snapshot:
        ids = dict.fromkeys(entry.subject for entry in entries if ID_PATTERN.fullmatch(entry.subject))
        return self._ctx.ledger.read(*map(keys.request, ids), *map(keys.grant, ids))


def key_of(prefix: str) -> str:
    return f"{prefix}tally"


def counted(entries: Iterable[AuditEntry], records: Snapshot) -> dict[str, float]:
    """What these entries add. `records`: the requests and grants that they are about, as they are by now."""
    found: dict[str, float] = {}
    for entry in entries:
        added(found, ENTRIES.one(entry.event.value))
        for more in _of(entry, records):
            added(found, more)
    return found


def _of(entry: AuditEntry, records: Snapshot) -> Iterator[Mapping[str, float]]:
    if entry.event in (Event.REQUEST_REFUSED, Event.GATE_REFUSED):
        yield REFUSALS.one(_code(entry.facts.get("code", "")))
    request = _found(records, keys.request(entry.subject), Request)
    grant = _found(records, keys.grant(entry.subject), Grant)
    if request is not None:
        yield from _of_request(entry, request)
    if grant is not None:
        yield from _of_grant(entry, grant, request)


def _found(records: Snapshot, key: str, kind: type[T]) -> T | None:
    return records.readable(key, kind) if key in records.items else None


def _code(said: str) -> str:
    return said if said in {code.value for code in Code} else "other"


def _of_request(entry: AuditEntry, request: Request) -> Iterator[Mapping[str, float]]:
    environment = request.terms.environment
    if entry.event is Event.REQUEST_MADE:
        kind = "break_glass" if request.break_glass else "extension" if request.extends is not None else "access"
        yield REQUESTS.one(environment, kind)
    if entry.event is Event.GATE_ASKED:
        yield REQUESTS.one(environment, "gate")
    if entry.event is Event.BREAK_GLASS_USED and entry.facts.get("from") == TERMINAL:
        yield FROM_TERMINALS.one(environment)
    outcome = _DECIDED.get(entry.event)
    # What was approved and not used in time is counted as approved.
    if outcome is None or (entry.event in _AFTERWARDS and request.decision is not None):
        return
    if outcome == "denied" and entry.facts.get("by") == "prodaccess":
        outcome = "refused"
    yield DECISIONS.one(environment, outcome)
    if outcome in _BY_PEOPLE:
        yield DECIDED_IN.took(outcome, value=(entry.at - request.created_at).total_seconds())


def _of_grant(entry: AuditEntry, grant: Grant, request: Request | None) -> Iterator[Mapping[str, float]]:
    environment, tier = grant.terms.environment, grant.terms.tier.value
    if entry.event is Event.GRANT_REMOVAL_FAILING:
        yield REMOVALS.one(environment)
    if entry.event is Event.GRANT_ACTIVE and grant.activated_at and abs(entry.at - grant.activated_at) < _SAME:
        begins = request.start_at if request is not None and request.start_at is not None else grant.decision.at
        yield ACTIVE_IN.took(tier, value=(entry.at - max(begins, grant.decision.at)).total_seconds())
    if entry.event in _OVER:
        cause = grant.end.cause if grant.end is not None else EndCause.TIME
        yield CLOSED.one(environment, cause.value)
        if cause is EndCause.TIME:
            yield ENDED_LATE.took(tier, value=(entry.at - grant.deadline).total_seconds())


def shown(stored: Mapping[str, float], environments: Iterable[str]) -> Iterator[Metric]:
    """All that is counted, with zeros for what the policy says there is."""
    names = tuple(environments)
    yield ENTRIES.family(stored, [(event.value,) for event in Event])
    yield REQUESTS.family(stored, product(names, KINDS))
    yield DECISIONS.family(stored, product(names, OUTCOMES))
    yield REFUSALS.family(stored, product(code.value for code in Code))
    yield CLOSED.family(stored, product(names, [cause.value for cause in EndCause]))
    yield REMOVALS.family(stored, product(names))
    yield FROM_TERMINALS.family(stored, product(names))
    yield DECIDED_IN.family(stored, product(_BY_PEOPLE))
    for series in (ACTIVE_IN, ENDED_LATE):
        yield series.family(stored, product(tier.value for tier in Tier))
