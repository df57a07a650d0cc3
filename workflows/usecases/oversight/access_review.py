"""What an access review rests on, read from the record. What it costs grows with the period, not with the past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.access_review.compile import review
from workflows.core.access_review.full_rows import FullRow, full_row
from workflows.core.access_review.model import Report, days_of
from workflows.core.access_review.rows import Opened, Row, opened, row
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import Review
from workflows.core.records.request import Request
from workflows.ports import Ledger
from workflows.usecases.shared.context import Context

# Requests in one read, each with two records beside it: small enough to keep nobody else waiting at the ledger.
PAGE = 200
_ENTRIES_PAGE = 500
# Ids are read by slices of the period; more than this in one slice is more than any chat or target lets anybody do.
_SLICE = timedelta(days=1)
_SLICE_IDS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """The report with the rows that it counts, oldest first."""

    report: Report
    rows: Sequence[Row]
    # Ids of what cannot be read, and is counted nowhere.
    unread: Sequence[str] = ()
    # Gates that somebody opened in an emergency, by id: no row stands for them.
    opened: Sequence[str] = ()


def access_report(ctx: Context, period: timedelta, environments: Sequence[str] | None = None) -> Report:
    """The last `period` up to now. Where the record is younger than that, it begins with the record."""
    now = ctx.ledger.now()
    return report_between(ctx, now - period, now, environments).report


def report_between(ctx: Context, since: datetime, until: datetime, environments: Sequence[str] | None = None) -> Found:
    """What was asked for or held from `since` to `until`, and what has become of it by now."""
    since = begin_of(ctx.ledger, since, until)
    policy = ctx.policy.current()
    seen, refused = _told(ctx.ledger, since, until)
    only = None if environments is None else frozenset(environments)
    unread: list[str] = []
    gates: list[Opened] = []
    found = _rows(ctx.ledger, ids_between(ctx.ledger, since, until), seen, unread, gates)
    rows = sorted(
        (one for one in found if one.at <= until and (only is None or one.environment in only)),
        key=lambda one: (one.at, one.id),
    )
    report = review(rows, policy, since, until, environments=environments, refused=refused, opened=gates)
    return Found(report, rows, unread, [one.id for one in report.break_glass if one.gate])


def begin_of(ledger: Ledger, since: datetime, until: datetime) -> datetime:
    """`since`, or when the record begins, if that is later."""
    first = ledger.entries(limit=1)
    begin = first[0].at if first else until
    return max(since, min(begin, until)).astimezone(since.tzinfo)


# ---------------------------------------------------------------- requests and grants


def ids_between(ledger: Ledger, since: datetime, until: datetime) -> Sequence[str]:
    """What was asked for or ended in the period, and what is open: each id once, in the order of asking."""
    found = dict.fromkeys(ledger.members(keys.LIVE, limit=_SLICE_IDS_MAX))
    # What was open at the end of a period that is over may have ended since.
    last = max(until, ledger.now())
    for index, stop in ((keys.RECENT, until), (keys.CLOSED, last)):
        for number in range(days_of(since, stop)):
            low, high = since + number * _SLICE, min(since + (number + 1) * _SLICE, stop)
            ids = ledger.members(index, low=low.timestamp(), high=high.timestamp(), limit=_SLICE_IDS_MAX)
            found.update(dict.fromkeys(ids))
    return sorted(found, key=_number)


def _number(id_: str) -> tuple[int, str]:
    digits = id_.rpartition("-")[2]
    return (int(digits) if digits.isascii() and digits.isdigit() else 0, id_)


def full_rows(ledger: Ledger, ids: Sequence[str], unread: list[str]) -> Iterator[FullRow]:
    """A page at a time, so that a long period is never held as a whole. `unread` is handed the ids that cannot be read."""
    for request, grant, owed in stored(ledger, ids, unread):
        # Nobody has anything by a gate.
        if request.gate is None:
            yield full_row(request, grant, owed)


def _rows(
    ledger: Ledger, ids: Sequence[str], seen: Mapping[str, datetime], unread: list[str], gates: list[Opened]
) -> Iterator[Row]:
    """`gates` is handed those that were opened in an emergency."""
    for request, grant, owed in stored(ledger, ids, unread):
        if (one := opened(request, owed)) is not None:
            gates.append(one)
        if request.gate is None:
            yield row(request, grant, owed, seen.get(request.id))


def stored(
    ledger: Ledger, ids: Sequence[str], unread: list[str]
) -> Iterator[tuple[Request, Grant | None, Review | None]]:
    """Requests with what belongs to them, a page at a time; `unread` is handed the ids that cannot be read."""
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        snapshot = ledger.read(*(name for id_ in page for name in _names(id_)))
        for id_ in page:
            names = _names(id_)
            if any(snapshot.items[name].problem for name in names):
                unread.append(id_)
            request = snapshot.readable(names[0], Request)
            if request is not None:
                yield request, snapshot.readable(names[1], Grant), snapshot.readable(names[2], Review)


def _names(id_: str) -> tuple[str, str, str]:
    return keys.request(id_), keys.grant(id_), keys.review(id_)


# ---------------------------------------------------------------- the audit log


def entries_between(ledger: Ledger, since: datetime, until: datetime, upto: int) -> Iterator[AuditEntry]:
    """Entries of that time that can be read, up to number `upto`, a page at a time."""
    last = number_before(ledger, since)
    while page := ledger.entries(after=last, limit=_ENTRIES_PAGE):
        yield from (entry for entry in page if since <= entry.at <= until and entry.number <= upto)
        last = page[-1].number
        if last >= upto:
            return


# What the log alone tells.
_TOLD = frozenset({Event.REQUEST_RESOLVED, Event.REQUEST_REFUSED, Event.REFUSALS_COUNTED})


def _told(ledger: Ledger, since: datetime, until: datetime) -> tuple[Mapping[str, datetime], int]:
    """When each request's card could go out, and how many refusals there were: only the log tells."""
    seen: dict[str, datetime] = {}
    refused, last = 0, number_before(ledger, since)
    while page := ledger.entries(after=last, limit=_ENTRIES_PAGE, events=_TOLD):
        for entry in page:
            if entry.event is Event.REQUEST_RESOLVED:
                seen.setdefault(entry.subject, entry.at)
            elif entry.at > until:
                continue
            elif entry.event is Event.REQUEST_REFUSED:
                refused += 1
            elif entry.event is Event.REFUSALS_COUNTED:
                refused += int(entry.facts.get("more", "0"))
        last = page[-1].number
    return seen, refused


def number_before(ledger: Ledger, since: datetime) -> int:
    """The number of the last entry before `since`, found by halving: numbers and times rise together."""
    low, high = 0, ledger.head()
    while low < high:
        middle = (low + high) // 2
        # None is there where all that follows cannot be read, or was taken away.
        entry = next(iter(ledger.entries(after=middle, limit=1)), None)
        low, high = (entry.number, high) if entry and entry.at < since else (low, middle)
    return low
