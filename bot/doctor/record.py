"""What the record says that somebody must see to: access past its end, what cannot be removed, what waits, what fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from redis import Redis
from redis.exceptions import NoPermissionError

from bot.chat.health import closed_places, troubles
from bot.chat.views.read_model import Reader
from bot.chat.wording.labels import Stage
from bot.doctor.context import Context, elsewhere, some_of
from bot.observability.readiness import unreadable
from bot.queues import ALL_QUEUES, SENT_AT, sent_ago_s
from bot.wiring.chats import traits_of
from bot.wiring.clock import ClockParts, build_clock
from workflows.core import keys
from workflows.core.finding import Finding, attention, broken, ok, skipped
from workflows.core.records.retained import Retained
from workflows.ledger.keys import Keys
from workflows.ledger.redis_ledger import UnfitServer
from workflows.ledger.scripts import text
from workflows.ports import LedgerUnreachable

# Taking away takes its moments; past its end for longer than this somebody has to look.
LATE = timedelta(minutes=1)
# A wake-up is taken in milliseconds where a worker runs.
WAITS_S = 60.0
NAMED_MAX = 5
COUNTED_MAX = 10_000


def look(context: Context) -> Iterator[Finding]:
    server = context.server()
    if server.redis is None:
        yield skipped("record.look", "record", server.why)
        return
    try:
        parts = build_clock(context.settings, patient=False)
    except UnfitServer as problem:
        yield skipped("record.look", "record", str(problem))
        return
    try:
        yield from _allowed(_open(context, parts))
        yield from _waiting(server.redis, parts.ledger.now())
        yield from _allowed(iter((_due(server.redis, parts.ledger.now()),)))
        yield from _allowed(_said(parts))
        yield from _retained(context, parts)
    finally:
        parts.close()


def _allowed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """As far as the Redis user may look: a clock's, say, may not count."""
    try:
        yield from findings
    except LedgerUnreachable as problem:
        if "not allow" not in str(problem):
            raise
        yield skipped("record.look", "record", "this Redis user may not look at all of it", elsewhere("worker"))


def _open(context: Context, parts: ClockParts) -> Iterator[Finding]:
    ledger, now = parts.ledger, parts.ledger.now()
    late = ledger.members(keys.LIVE, high=(now - LATE).timestamp(), limit=COUNTED_MAX)
    if late:
        words = f"{len(late)} past their end for more than a minute: {_named(late)}"
        mend = "look at the worker and its log; docs/operations.md, When a removal fails, says how by hand"
        yield broken("record.overdue", "ends", words, mend)
    else:
        yield ok("record.overdue", "ends", f"{ledger.count(keys.LIVE)} live, none past its end")
    policy = context.policy
    if policy is None:
        yield skipped("record.stuck", "removals", "which ones fail is told when the policy folder is valid")
    else:
        stuck = [view.id for view in Reader(parts.context).live(policy).views if view.stage is Stage.STUCK]
        yield _stuck(stuck)
    owed = ledger.members(keys.REVIEWS, high=now.timestamp(), limit=COUNTED_MAX)
    if owed:
        words = f"{len(owed)} reviews of emergency access are overdue: {_named(owed)}"
        yield attention("record.reviews", "reviews", words, "ask their owners; `prodaccess show ID` has each")


def _retained(context: Context, parts: ClockParts) -> Iterator[Finding]:
    """Whether what is over leaves the record, where the policy says after how long."""
    if context.policy is None or context.policy.retention is None:
        return
    found = parts.ledger.read(keys.RETAINED).readable(keys.RETAINED, Retained) or Retained()
    if found.why:
        words = f"not all that is old enough has left: {found.why}"
        yield attention("record.retention", "retention", words, "docs/retention.md says what stays, and why")
    elif found.at is None:
        words = "nothing has looked yet: a worker that has the audit log's key, and an archive, does it each hour"
        yield attention("record.retention", "retention", words, "docs/retention.md says what it needs")
    else:
        yield ok("record.retention", "retention", f"{found.requests} have left; the log begins with #{found.first}")


def _stuck(ids: list[str]) -> Finding:
    if not ids:
        return ok("record.stuck", "removals", "none has failed")
    mend = "`prodaccess show ID` has what was answered; docs/operations.md, When a removal fails"
    return broken(
        "record.stuck", "removals", f"{len(ids)} could not be removed and are tried again: {_named(ids)}", mend
    )


def _waiting(redis: Redis, now: datetime) -> Iterator[Finding]:
    try:
        oldest_s = max((_age_s(redis, name, now) for name in ALL_QUEUES), default=0.0)
        count = sum(_length(redis, name) for name in ALL_QUEUES)
    except NoPermissionError:
        yield skipped("record.queues", "queues", "this Redis user may not look at them", elsewhere("worker"))
        return
    if oldest_s > WAITS_S:
        words = f"{count} wake-ups wait, the oldest for {_span(oldest_s)}"
        yield broken("record.queues", "queues", words, "start a worker, or more of them; do not empty the queues")
    else:
        yield ok("record.queues", "queues", f"{count} wake-ups wait" if count else "nothing waits")


def _due(redis: Redis, now: datetime) -> Finding:
    due = redis.zrange(Keys().due, 0, 0, withscores=True)
    late_s = now.timestamp() - float(due[0][1]) if due else 0.0
    if late_s > WAITS_S:
        words = f"the oldest item is due for {_span(late_s)}, and nobody has woken a worker for it"
        return broken("record.due", "what is due", words, "start a clock, better two: one leads")
    return ok("record.due", "what is due", "nothing is late")


def _length(redis: Redis, queue: str) -> int:
    found = redis.llen(f"rq:queue:{queue}")
    return found if isinstance(found, int) else 0


def _age_s(redis: Redis, queue: str, now: datetime) -> float:
    """Of the next job, by RQ's own note of it; none where that cannot be read."""
    first = redis.lrange(f"rq:queue:{queue}", 0, 0)
    if not isinstance(first, list) or not first:
        return 0.0
    return sent_ago_s(now.timestamp(), redis.hget(f"rq:job:{text(first[0])}", SENT_AT))


def _said(parts: ClockParts) -> Iterator[Finding]:
    """What `/readyz` tells of the record, each with what to do."""
    failing = troubles(parts.context)
    for sentence in failing:
        yield broken(
            "record.troubles", "failures", sentence, "the log has why, under its error number where it has one"
        )
    if not failing:
        yield ok("record.troubles", "failures", "nothing fails again and again")
    for sentence in closed_places(parts.ledger, traits_of, people=False):
        yield broken("record.closed", "channels", sentence, "docs/operations.md, When Slack takes no messages")
    for sentence in closed_places(parts.ledger, traits_of, people=True):
        yield attention("record.closed", "people", sentence, "docs/operations.md, When Slack takes no messages")
    for sentence in unreadable(parts.ledger):
        yield attention("record.unreadable", "record", sentence, "docs/operations.md, What cannot be read")


def _named(ids: object) -> str:
    return some_of([str(one) for one in ids] if isinstance(ids, list | tuple) else [], NAMED_MAX)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
