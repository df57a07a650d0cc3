"""Takes one holding away as every other one: the record first, then intent, call, and absence read back by the convergence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.clockwork import LedgerClock
from workflows.core.drift.removal import Ground, WhyHeld, held_by, is_wanted
from workflows.core.records.drift import Drift, DriftPass
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.installation import Installation
from workflows.core.records.target import Presence
from workflows.ports import (
    Change,
    Committed,
    Fence,
    Snapshot,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)
from workflows.usecases.drift.look import facts_of, private_of
from workflows.usecases.drift.standing import SUBJECT, entries_of
from workflows.usecases.shared.context import SOON, Context, WorkerContext, event, not_in_force
from workflows.usecases.shared.due_items import take_off

# How long until it is looked whether it is gone; until then the convergence is at work.
LOOK_AFTER = timedelta(seconds=2)
# What does not come off is told as every removal that fails is.
STILL_THERE = timedelta(seconds=15)
# What a removal rests on, beside the finding and the holding.
GROUND = (keys.INSTALLATION, keys.LEDGER_DOUBT, keys.CLOCK, keys.ACTIVE_POLICY, keys.DRIFT_PROGRESS)


def ground_of(ctx: Context, snapshot: Snapshot) -> Ground:
    """On a snapshot with `GROUND`. What cannot be read is not trusted."""
    installed = snapshot.readable(keys.INSTALLATION, Installation)
    clock = snapshot.readable(keys.CLOCK, LedgerClock)
    trusted = not snapshot.items[keys.CLOCK].problem and (clock is None or clock.trusted)
    # Without a look at the world, as whatever gives does: this process may have seen what the ledger has no more.
    doubted = not snapshot.items[keys.LEDGER_DOUBT].is_absent or ctx.ledger.lost() is not None
    return Ground(
        installed.epoch if installed else 0,
        clock.jumps if clock else 0,
        ctx.ledger.raise_ids(0),
        clock_trusted=trusted,
        ledger_doubted=doubted,
    )


def see_to_removal(ctx: WorkerContext, id_: str, fence: Fence) -> None:
    """Begin it where it was decided, and say that it is gone once it is."""
    key = keys.drift(id_)
    snapshot = ctx.ledger.read(key, keys.holding(id_), *GROUND)
    one = snapshot.get(key, Drift)
    if one is None or (one.removing_since is None and not one.agreed_by):
        take_off(ctx, key, key)
    elif one.removing_since is None:
        _begin(ctx, one, snapshot, fence)
    else:
        _follow(ctx, one, snapshot, fence)


def begin_removal(ctx: WorkerContext, one: Drift, fence: Fence) -> None:
    """Of what nobody has to be asked about."""
    _begin(ctx, one, ctx.ledger.read(keys.drift(one.id), keys.holding(one.id), *GROUND), fence)


def _begin(ctx: WorkerContext, one: Drift, snapshot: Snapshot, fence: Fence) -> None:
    """Looked at once more first, by this very access: what was seen some time ago is no ground to take anything away."""
    if snapshot.readable(keys.drift(one.id), Drift) != one or not _may(ctx, one, snapshot):
        _off(ctx, one, snapshot, fence)
        return
    problem = _not_as_seen(ctx, one)
    if problem is None:
        _off(ctx, one, snapshot, fence)
        return
    if problem:
        ctx.ledger.remind(keys.drift(one.id), 30.0)
        return
    # The look took its time: what it was decided on has to be what stands there now.
    fresh = ctx.ledger.read(*snapshot.items)
    if fresh.versions() != snapshot.versions():
        ctx.ledger.remind(keys.drift(one.id), 1.0)
        return
    now, key = fresh.now, keys.drift(one.id)
    subject = _subject(fresh)
    holding = Holding(one.id, one.resource, baseline=Baseline.ABSENT, ours=True, last_grant=one.grant or None)
    change = Change(
        commit_id=f"drift-removal:{one.id}:{snapshot.items[key].version}",
        at=now,
        reads=fresh.versions(),
        puts={key: replace(one, removing_since=now), keys.holding(one.id): holding},
        due={keys.holding(one.id): now, key: now + LOOK_AFTER},
        audit=(event(ctx, Event.DRIFT_REMOVAL_STARTED, subject, fresh, facts_of(one), private_of(one)),),
        fence=fence,
        removes_access=True,
    )
    if isinstance(ctx.ledger.commit(change), Committed):
        ctx.wake(keys.holding(one.id))


def _may(ctx: WorkerContext, one: Drift, snapshot: Snapshot) -> bool:
    """At this moment: the policy in force wants it, nothing of the ledger's stands there, and nothing has come into doubt."""
    policy = ctx.policy.current()
    stands = snapshot.readable(keys.DRIFT_PROGRESS, DriftPass)
    if not_in_force(snapshot, policy) is not None or stands is None:
        return False
    by_name = ctx.targets.for_terms(one.resource.target).tells_ours_apart
    held = held_by((one,), stands, ground_of(ctx, snapshot))
    return (
        is_wanted(one, policy, told_by_name=by_name)
        and snapshot.items[keys.holding(one.id)].is_absent
        # Whoever agreed has looked at the names that this ledger has not got to yet.
        and (held is None or (bool(one.agreed_by) and held is WhyHeld.AHEAD))
    )


def _not_as_seen(ctx: WorkerContext, one: Drift) -> str | None:
    """Empty where it is there as it was seen. None where it is another thing by now, or nothing; else why that is not known."""
    try:
        seen = ctx.targets.for_terms(one.resource.target).observe(one.resource)
    except (TargetInDoubt, TargetRefused, TargetThrottled) as problem:
        return str(problem) or "the target did not say"
    if seen.presence is Presence.UNKNOWN:
        return seen.detail or "the target did not say"
    same = seen.presence is Presence.PRESENT and (seen.mark, seen.request) == (one.mark, one.request)
    return "" if same else None


def _off(ctx: WorkerContext, one: Drift, snapshot: Snapshot, fence: Fence) -> None:
    """It is not taken away now: the next pass sees it, and asks anew where that is to be asked."""
    key = keys.drift(one.id)
    stands = snapshot.readable(key, Drift)
    puts = {key: replace(stands, agreed_by="")} if stands is not None and stands.agreed_by else {}
    change = Change(
        commit_id=f"drift-off:{one.id}:{snapshot.items[key].version}:{ctx.chance.hex(8)}",
        at=ctx.ledger.now(),
        reads={key: snapshot.items[key].version},
        puts=puts,
        due={key: None},
        fence=fence,
        removes_access=True,
    )
    ctx.ledger.commit(change)


def _follow(ctx: WorkerContext, one: Drift, snapshot: Snapshot, fence: Fence) -> None:
    """The convergence takes `ours` off the holding once absence was read back, and forgets it later."""
    key, held = keys.drift(one.id), keys.holding(one.id)
    holding = snapshot.readable(held, Holding)
    if snapshot.items[held].problem or (holding is not None and holding.ours):
        ctx.ledger.commit(
            Change(
                commit_id=f"drift-wait:{one.id}:{ctx.chance.hex(12)}",
                at=snapshot.now,
                reads={},
                due={key: snapshot.now + STILL_THERE},
                fence=fence,
                removes_access=True,
            )
        )
        return
    subject = _subject(snapshot)
    facts = {**facts_of(one), "proof": "absence_read_back"}
    change = Change(
        commit_id=f"drift-removed:{one.id}:{snapshot.items[key].version}",
        at=snapshot.now,
        reads={key: snapshot.items[key].version},
        deletes=frozenset({key}),
        due={key: None, keys.chat(subject): snapshot.now + SOON},
        index=entries_of(one, there=False),
        audit=(event(ctx, Event.DRIFT_REMOVED, subject, snapshot, facts, private_of(one)),),
        fence=fence,
        removes_access=True,
    )
    if isinstance(ctx.ledger.commit(change), Committed):
        ctx.wake(keys.chat(subject))


def _subject(snapshot: Snapshot) -> str:
    stands = snapshot.readable(keys.DRIFT_PROGRESS, DriftPass)
    return f"{SUBJECT}{stands.number if stands else 0}"
