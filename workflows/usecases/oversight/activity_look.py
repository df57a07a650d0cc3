"""A worker looks at what was done with a grant: page after page of the target's own log, and what was read is kept.

It gives and takes nothing. What cannot be looked up is not known, which is never nothing; and it says how far it has looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.activity import LogPage, Trail, Window
from workflows.core.audit import AuditEvent, Event
from workflows.core.policy import Policy
from workflows.core.records.activity import KEPT_MAX, Activity, ActivityLook, PlaceSeen
from workflows.core.records.grant import Grant
from workflows.core.rules.activity import first_look, last_look, sought, trail_of, window_of
from workflows.ports import (
    LEASE_S,
    Change,
    Committed,
    Fence,
    Lease,
    Snapshot,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)
from workflows.usecases.shared.activity_due import is_wanted
from workflows.usecases.shared.context import SOON, WorkerContext, event, not_in_force
from workflows.usecases.shared.due_items import take_off

# So many pages of a place are read, 5,000 events where they are full; and so many before others get a turn.
PAGES_MAX, PAGES_AT_ONCE = 100, 5
# For so long a log may ask to wait without a page; and so often in a row a page may not come at all.
PATIENCE, TRIES_MAX = timedelta(minutes=5), 3
_THROTTLED_S_MIN, _THROTTLED_S_MAX = 0.2, 60.0
# While this process has another policy than the one in force.
NO_POLICY = timedelta(minutes=1)


def look_at_activity(ctx: WorkerContext, id_: str) -> None:
    """The job."""
    item = keys.activity(id_)
    lease = ctx.ledger.acquire(item)
    if lease is None:
        ctx.ledger.remind(item, LEASE_S / 2)
        return
    try:
        with ctx.lease_renewer.keep(lease) as current:
            _carry_on(ctx, id_, current)
    finally:
        ctx.ledger.release(lease)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What stood there when the step began."""

    ctx: WorkerContext
    grant: Grant
    trail: Trail
    policy: Policy
    activity: Activity
    snapshot: Snapshot
    fence: Fence

    @property
    def item(self) -> str:
        return keys.activity(self.grant.id)


def _carry_on(ctx: WorkerContext, id_: str, current: Callable[[], Lease | None]) -> None:
    lease, item = current(), keys.activity(id_)
    if lease is None:
        return
    snapshot = ctx.ledger.read(item, keys.grant(id_), keys.ACTIVE_POLICY)
    activity, grant = snapshot.get(item, Activity), snapshot.get(keys.grant(id_), Grant)
    policy = ctx.policy.current()
    if activity is None and grant is not None and is_wanted(policy, grant):
        # Nobody has asked: the policy has.
        activity = Activity(id_, asked=1)
    if activity is None or grant is None or activity.done >= activity.asked:
        take_off(ctx, item, item)
        return
    trail, window = trail_of(grant, policy), window_of(grant)
    ready = first_look(window, trail) if trail is not None else None
    if trail is None or ready is None:
        take_off(ctx, item, item)
        return
    turn = _Turn(ctx, grant, trail, policy, activity, snapshot, Fence(lease.name, lease.number))
    if not_in_force(snapshot, policy) is not None:
        _save(turn, activity, snapshot.now + NO_POLICY)
    elif snapshot.now < ready:
        _save(turn, activity, ready)
    else:
        _step(turn, activity.under_way or _begun(turn, window))


def _begun(turn: _Turn, window: Window) -> ActivityLook:
    now, trail = turn.snapshot.now, turn.trail
    places = () if trail.unknown else tuple(PlaceSeen(place) for place in trail.places)
    span = replace(window, until=min(window.until, now))
    return ActivityLook(span, now, now, trail.log, trail.things, trail.lacks, places, problem=trail.unknown)


def _step(turn: _Turn, look: ActivityLook) -> None:
    again_s = 0.0
    for _ in range(PAGES_AT_ONCE):
        place = next((one for one in look.places if not one.done), None)
        if place is None:
            _finish(turn, look)
            return
        after, again_s = _read_on(turn, look, place)
        moved = look.moved_at if after.pages == place.pages and not after.done else turn.ctx.ledger.now()
        places = tuple(after if one is place else one for one in look.places)
        look = replace(look, places=places, moved_at=moved)
        if again_s:
            break
    if all(one.done for one in look.places):
        _finish(turn, look)
        return
    _save(turn, replace(turn.activity, under_way=look), turn.ctx.ledger.now() + timedelta(seconds=again_s))


def _read_on(turn: _Turn, look: ActivityLook, place: PlaceSeen) -> tuple[PlaceSeen, float]:
    """One page more, and after how many seconds the next one can be asked for."""
    target = turn.ctx.targets.for_terms(turn.grant.resource.target)
    try:
        page = target.activity(sought(turn.grant, turn.policy), place.place, look.window, place.more)
    except TargetThrottled as wait:
        if turn.ctx.ledger.now() - look.moved_at > PATIENCE:
            minutes = int(PATIENCE / timedelta(minutes=1))
            return replace(place, done=True, problem=f"{look.log} has been asking to wait for {minutes} minutes."), 0.0
        return place, min(max(wait.after_s, _THROTTLED_S_MIN), _THROTTLED_S_MAX)
    except TargetRefused as refused:
        return replace(place, done=True, problem=refused.words), 0.0
    except TargetInDoubt as doubt:
        tries = place.tries + 1
        if tries < TRIES_MAX:
            return replace(place, tries=tries), 2.0**tries
        return replace(place, done=True, tries=tries, problem=str(doubt) or f"{look.log} did not answer."), 0.0
    return _added(place, page), 0.0


def _added(place: PlaceSeen, page: LogPage) -> PlaceSeen:
    changing = [one for one in page.deeds if one.changes]
    pages = place.pages + 1
    stopped = bool(page.more) and pages >= PAGES_MAX
    return replace(
        place,
        deeds=place.deeds + len(page.deeds),
        changing=place.changing + len(changing),
        refused=place.refused + sum(one.refused for one in page.deeds),
        unsaid=place.unsaid + sum(one.changes is None for one in page.deeds),
        changes=(*place.changes, *changing)[:KEPT_MAX],
        pages=pages,
        oldest=min(filter(None, (place.oldest, page.oldest)), default=None),
        more=page.more,
        done=stopped or not page.more,
        stopped=stopped,
        tries=0,
    )


# ---------------------------------------------------------------- onto the record


def _save(turn: _Turn, after: Activity, again_at: datetime) -> None:
    _commit(turn, after, {turn.item: again_at}, turn.ctx.ledger.now())


def _finish(turn: _Turn, look: ActivityLook) -> None:
    """What was seen is on the audit log, too: once for each look. Its pages took their time, so that the entry has one of its
    own.
    """
    fresh = turn.ctx.ledger.read(turn.item)
    ended = replace(look, ended_at=fresh.now)
    after = replace(turn.activity, done=turn.activity.asked, found=ended, under_way=None)
    last, again = last_look(window_of(turn.grant), turn.trail), is_wanted(turn.policy, turn.grant) and ended.places
    if again and fresh.now < last:
        # A session may be open: the last look is by itself, as the first one was.
        after = replace(after, asked=after.asked + 1)
    chat = keys.chat(turn.grant.id)
    due = {turn.item: last if after.asked > after.done else None, chat: fresh.now + SOON}
    if _commit(turn, after, due, fresh.now, _entry(turn, ended, fresh)):
        turn.ctx.wake(chat)


def _commit(turn: _Turn, after: Activity, due: dict[str, datetime | None], at: datetime, *audit: AuditEvent) -> bool:
    version = turn.snapshot.items[turn.item].version
    change = Change(
        commit_id=f"activity:{turn.grant.id}:{version}:{turn.fence.number}",
        at=at,
        reads={turn.item: version},
        puts={turn.item: after},
        due=due,
        audit=audit,
        fence=turn.fence,
    )
    return isinstance(turn.ctx.ledger.commit(change), Committed)


def _entry(turn: _Turn, look: ActivityLook, snapshot: Snapshot) -> AuditEvent:
    """Figures alone; why something is not known may name accounts and roles, and stands beside it."""
    figures = {name: str(look.count(name)) for name in ("deeds", "changing", "refused", "unsaid")}
    facts = {
        **(figures if look.known else {}),
        "log": look.log,
        "things": look.things,
        "lacks": look.lacks,
        "places": "\n".join(one.place for one in look.known),
        "not_known": "\n".join(one.place for one in look.unknown),
        "stopped": "\n".join(one.place for one in look.places if one.stopped),
        "since": look.window.since.isoformat(),
        "until": look.window.until.isoformat(),
    }
    open_until = window_of(turn.grant).until
    if look.known and look.window.until < open_until:
        facts["open_until"] = open_until.isoformat()
    why = look.problem or " ".join(dict.fromkeys(one.problem for one in look.unknown))
    return event(
        turn.ctx,
        Event.GRANT_ACTIVITY_SEEN,
        turn.grant.id,
        snapshot,
        facts,
        {"why": why, "holder": turn.grant.holder} if why else {},
    )
