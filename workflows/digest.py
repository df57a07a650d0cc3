"""The scheduled summary: what is due to be posted, once a slot, and the facts that it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.activation import digest_due, digest_key
from workflows.context import Context
from workflows.core import keys
from workflows.core.model import Grant, Request
from workflows.core.policy import Digest, Policy
from workflows.ports import Change, Committed, Ledger

LatestSlot = Callable[[str, datetime, ZoneInfo], datetime]
# More than this does not fit into one message; the rest is counted.
SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Slot:
    """One occasion of one digest: posted once, whatever is restarted."""

    plan: Digest
    at: datetime

    @property
    def subject(self) -> str:
        return f"digest-{digest_key(self.plan)}-{int(self.at.timestamp())}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a digest is made of."""

    now: datetime
    grants: tuple[Grant, ...]
    pending: tuple[Request, ...]
    last_ended: Grant | None
    head: int


def due_slot(ctx: Context, key: str, latest_slot: LatestSlot) -> Slot | None:
    """The slot that is due for this digest; None where the policy no longer has it."""
    policy = ctx.policy.current()
    plan = next((plan for plan in policy.digests if digest_key(plan) == key), None)
    if plan is None:
        return None
    return Slot(plan, latest_slot(plan.schedule, ctx.ledger.now(), ZoneInfo(policy.timezone)))


def schedule_next(ctx: Context, key: str, slot: Slot | None, next_slot: LatestSlot) -> bool:
    """Put the digest's next slot on the clock, or take it off where the policy no longer has it."""
    snapshot = ctx.ledger.read(keys.ACTIVE_POLICY)
    following = next_slot(slot.plan.schedule, snapshot.now, _zone(ctx.policy.current())) if slot else None
    name = slot.subject if slot else "gone"
    commit_id = f"digest:{key}:{name}:{int(snapshot.now.timestamp() // 60)}"
    change = Change(commit_id, snapshot.now, snapshot.versions(), due={digest_due(key): following})
    return isinstance(ctx.ledger.commit(change), Committed)


def _zone(policy: Policy) -> ZoneInfo:
    return ZoneInfo(policy.timezone)


def collect(ledger: Ledger, environments: tuple[str, ...] | None) -> Facts:
    """What is active and what waits, in these environments or in all. Its cost grows with what is live, not with the past."""
    live = grants(ledger, environments)
    pending = requests(ledger, environments)
    return Facts(ledger.now(), live, pending, _last_ended(ledger), ledger.head())


def grants(ledger: Ledger, environments: tuple[str, ...] | None = None, limit: int = SHOWN_MAX) -> tuple[Grant, ...]:
    """Live grants, the first to end first."""
    ids = _ids(ledger, keys.LIVE, environments, limit)
    return tuple(record for record in _records(ledger, [keys.grant(id_) for id_ in ids]) if isinstance(record, Grant))


def requests(
    ledger: Ledger, environments: tuple[str, ...] | None = None, limit: int = SHOWN_MAX
) -> tuple[Request, ...]:
    """Pending requests, the first to expire first."""
    ids = _ids(ledger, keys.PENDING, environments, limit)
    return tuple(
        record for record in _records(ledger, [keys.request(id_) for id_ in ids]) if isinstance(record, Request)
    )


def _ids(ledger: Ledger, index: str, environments: tuple[str, ...] | None, limit: int) -> list[str]:
    if environments is None:
        return list(ledger.members(index, limit=limit))
    return [id_ for name in environments for id_ in ledger.members(keys.of_environment(index, name), limit=limit)]


def _records(ledger: Ledger, names: list[str]) -> list[object]:
    if not names:
        return []
    snapshot = ledger.read(*names)
    return [snapshot.items[name].record for name in names]


def _last_ended(ledger: Ledger) -> Grant | None:
    recent = ledger.members(keys.CLOSED, limit=1, newest=True)
    found = _records(ledger, [keys.grant(id_) for id_ in recent])
    return found[0] if found and isinstance(found[0], Grant) else None
