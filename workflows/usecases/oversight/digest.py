"""The scheduled summary: what is due to be posted, once a slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.policy import Digest, Policy
from workflows.ports import Change, Committed
from workflows.usecases.oversight.policy_activation import digest_due, digest_key
from workflows.usecases.shared.context import Context, event

# Chat subjects: `digest-KEY-TIME`.
SUBJECT = "digest-"

LatestSlot = Callable[[str, datetime, ZoneInfo], datetime]


@dataclass(frozen=True, slots=True)
class Slot:
    """One occasion of one digest: posted once in each of its channels, whatever is restarted."""

    plan: Digest
    at: datetime

    @property
    def subject(self) -> str:
        return f"{SUBJECT}{digest_key(self.plan)}-{int(self.at.timestamp())}"


def posted(ctx: Context, slot: Slot, channel: str) -> AuditEvent:
    """For the commit that says that the slot was posted in this channel."""
    facts = {"channel": channel, "slot": slot.at.isoformat()}
    return event(ctx, Event.DIGEST_POSTED, slot.subject, ctx.ledger.read(), facts)


def owed_slot(ctx: Context, subject: str, latest_slot: LatestSlot) -> Slot | None:
    """The slot with that subject where it is still the newest of its digest; the next one tells all that an older one would."""
    key = subject.removeprefix(SUBJECT).rpartition("-")[0]
    slot = due_slot(ctx, key, latest_slot)
    return slot if slot is not None and slot.subject == subject else None


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
    # A job that runs twice in a moment moves it twice: what is due again must not stay so.
    commit_id = f"digest:{key}:{name}:{ctx.chance.hex(12)}"
    change = Change(commit_id, snapshot.now, snapshot.versions(), due={digest_due(key): following})
    return isinstance(ctx.ledger.commit(change), Committed)


def _zone(policy: Policy) -> ZoneInfo:
    return ZoneInfo(policy.timezone)
