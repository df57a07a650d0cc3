"""At the end of a pass: what is taken away now, and what waits until people have looked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.drift.compare import SEEN_APART
from workflows.core.drift.removal import WhyHeld, due, held_by, is_wanted
from workflows.core.policy import Policy
from workflows.core.records.drift import REMOVABLE, Drift, DriftPass
from workflows.ports import Change, Fence, Snapshot
from workflows.usecases.drift.removal import GROUND, begin_removal, ground_of
from workflows.usecases.drift.standing import HOLD, called, open_of_all
from workflows.usecases.shared.context import WorkerContext, event

# What would be taken away is looked at once more so much after it was first seen.
AGAIN_AFTER = SEEN_APART + timedelta(seconds=5)
# So many are named on the card; the others are counted.
NAMED_MAX = 40


@dataclass(frozen=True, slots=True)
class Left:
    """What the pass leaves behind. `again`: when something is to be looked at once more at the latest."""

    hold: int
    held: tuple[str, ...] = ()
    why: str = ""
    again: datetime | None = None


def settle_removals(ctx: WorkerContext, policy: Policy, stands: DriftPass, fence: Fence) -> Left:
    open_ = open_of_all(ctx)
    by_name = {one.id for one in open_.values() if one.kind in REMOVABLE and _by_name(ctx, one)}
    started = stands.started_at
    wanted = due(tuple(open_.values()), policy, started, by_name) if started is not None else ()
    again = _again(ctx, policy, open_, by_name)
    if not wanted:
        return _nothing_waits(ctx, stands, open_, fence, again=again)
    snapshot = ctx.ledger.read(*GROUND)
    why = held_by(wanted, stands, ground_of(ctx, snapshot))
    if why is WhyHeld.DOUBT:
        return Left(stands.hold, stands.held, stands.why_held, again)
    if why is not None:
        return _held(ctx, stands, sorted(wanted, key=lambda one: one.id), why, fence)
    for one in wanted:
        begin_removal(ctx, one, fence)
    return _nothing_waits(ctx, stands, {}, fence, again=again)


def _again(ctx: WorkerContext, policy: Policy, open_: Mapping[str, Drift], by_name: Collection[str]) -> datetime | None:
    """What is wanted and was found a moment ago is looked at once more. What could not be looked at then waits for its turn."""
    now = ctx.ledger.now()
    wanted = (one for one in open_.values() if is_wanted(one, policy, told_by_name=one.id in by_name))
    times = [one.first_seen + AGAIN_AFTER for one in wanted if one.removing_since is None and not one.agreed_by]
    return min((at for at in times if at > now), default=None)


def _by_name(ctx: WorkerContext, one: Drift) -> bool:
    return ctx.targets.for_terms(one.resource.target).tells_ours_apart


def _nothing_waits(
    ctx: WorkerContext, stands: DriftPass, open_: dict[str, Drift], fence: Fence, *, again: datetime | None
) -> Left:
    """What waited is not there any more, or is left: its card says so. What is merely not seen in this pass goes on waiting."""
    if not stands.held:
        return Left(stands.hold, again=again)
    if any(id_ in open_ and not open_[id_].left_by for id_ in stands.held):
        return Left(stands.hold, stands.held, stands.why_held, again)
    _commit(ctx, f"drift-hold-over:{stands.hold}", stands.hold, _over(ctx, stands.hold), fence)
    return Left(stands.hold, again=again)


def _held(ctx: WorkerContext, stands: DriftPass, wanted: Sequence[Drift], why: WhyHeld, fence: Fence) -> Left:
    """People are asked once about the same, and anew about something else."""
    ids = tuple(one.id for one in wanted)
    if (ids, why) == (stands.held, stands.why_held):
        return Left(stands.hold, ids, why)
    if stands.held:
        _commit(ctx, f"drift-hold-over:{stands.hold}", stands.hold, _over(ctx, stands.hold), fence)
    number = stands.hold + 1
    snapshot = ctx.ledger.read()
    facts = {"hold": str(number), "why": why.value, "count": str(len(ids)), "holdings": " ".join(ids[:NAMED_MAX])}
    people = " ".join(dict.fromkeys(one.holder for one in wanted if one.holder))
    private = {"lines": "\n".join(map(line_of, wanted[:NAMED_MAX])), "people": people}
    entry = event(ctx, Event.DRIFT_HELD, f"{HOLD}{number}", snapshot, facts, private)
    _commit(ctx, f"drift-hold:{number}:{stands.number}", number, (snapshot, entry), fence)
    return Left(number, ids, why)


def line_of(one: Drift) -> str:
    """Whose it is, which role would give it, and what it is: for people."""
    roles = ", ".join(f"{role} in {environment}" for environment, role in one.roles)
    return " · ".join(part for part in (called(one), roles, one.resource.title) if part)


def _over(ctx: WorkerContext, hold: int) -> tuple[Snapshot, AuditEvent]:
    snapshot = ctx.ledger.read()
    facts = {"hold": str(hold), "decision": "over"}
    return snapshot, event(ctx, Event.DRIFT_DECIDED, f"{HOLD}{hold}", snapshot, facts)


def _commit(ctx: WorkerContext, step: str, hold: int, found: tuple[Snapshot, AuditEvent], fence: Fence) -> None:
    snapshot, entry = found
    chat = keys.chat(f"{HOLD}{hold}")
    change = Change(
        commit_id=step,
        at=snapshot.now,
        reads={},
        due={chat: snapshot.now},
        audit=(entry,),
        fence=fence,
        removes_access=True,
    )
    ctx.ledger.commit(change)
    ctx.wake(chat)
