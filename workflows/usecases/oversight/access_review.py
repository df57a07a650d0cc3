"""What an access review rests on, read from the record. What it costs grows with the period, not with the past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.access_review.compile import review
from workflows.core.access_review.model import Report, days_of
from workflows.core.access_review.rows import Row, row
from workflows.core.audit import Event
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


def access_report(ctx: Context, period: timedelta, environments: Sequence[str] | None = None) -> Report:
    """The last `period` up to now. Where the record is younger than that, it begins with the record."""
    now = ctx.ledger.now()
    since = max(now - period, _begin(ctx.ledger) or now)
    policy = ctx.policy.current()
    seen, refused = _told(ctx.ledger, since)
    rows = _rows(ctx.ledger, _ids(ctx.ledger, since, now), seen)
    return review(rows, policy, since, now, environments=environments, refused=refused)


def _begin(ledger: Ledger) -> datetime | None:
    first = ledger.entries(limit=1)
    return first[0].at if first else None


# ---------------------------------------------------------------- requests and grants


def _ids(ledger: Ledger, since: datetime, now: datetime) -> Sequence[str]:
    """What was asked for or ended in the period, and what is open: each id once."""
    found = dict.fromkeys(ledger.members(keys.LIVE, limit=_SLICE_IDS_MAX))
    for number in range(days_of(since, now)):
        low, high = since + number * _SLICE, since + (number + 1) * _SLICE
        for index in (keys.RECENT, keys.CLOSED):
            ids = ledger.members(index, low=low.timestamp(), high=high.timestamp(), limit=_SLICE_IDS_MAX)
            found.update(dict.fromkeys(ids))
    return tuple(found)


def _rows(ledger: Ledger, ids: Sequence[str], seen: Mapping[str, datetime]) -> Iterator[Row]:
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        names = [name for id_ in page for name in (keys.request(id_), keys.grant(id_), keys.review(id_))]
        snapshot = ledger.read(*names)
        for id_ in page:
            request = snapshot.readable(keys.request(id_), Request)
            if request is not None:
                grant = snapshot.readable(keys.grant(id_), Grant)
                yield row(request, grant, snapshot.readable(keys.review(id_), Review), seen.get(id_))


# ---------------------------------------------------------------- the audit log


def _told(ledger: Ledger, since: datetime) -> tuple[Mapping[str, datetime], int]:
    """When each request's card could go out, and how many refusals there were: only the log tells."""
    seen: dict[str, datetime] = {}
    refused, last = 0, _before(ledger, since)
    while page := ledger.entries(after=last, limit=_ENTRIES_PAGE):
        for entry in page:
            if entry.event is Event.REQUEST_RESOLVED:
                seen.setdefault(entry.subject, entry.at)
            elif entry.event is Event.REQUEST_REFUSED:
                refused += 1
            elif entry.event is Event.REFUSALS_COUNTED:
                refused += int(entry.facts.get("more", "0"))
        last = page[-1].number
    return seen, refused


def _before(ledger: Ledger, since: datetime) -> int:
    """The number of the last entry before `since`, found by halving: numbers and times rise together."""
    low, high = 0, ledger.head()
    while low < high:
        middle = (low + high) // 2
        # None is there where all that follows cannot be read, or was taken away.
        entry = next(iter(ledger.entries(after=middle, limit=1)), None)
        low, high = (entry.number, high) if entry and entry.at < since else (low, middle)
    return low
