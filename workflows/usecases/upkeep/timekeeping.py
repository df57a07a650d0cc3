"""Watches the ledger's own clock: whether it was set, and what that does to access that is open.

Each host is a witness (see `core.clockwork`). What one finds is on record at once, and nothing is given from then on; where no
other witness objects it is a jump. Set back, everything that was stored before it comes sooner by as much, so that access ends
when it should have; set forward, it ends early. Giving begins again after ten minutes of agreement, or by an operator's word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.clockwork import (
    LOOKS,
    STEADY_FOR,
    Catchup,
    Doubt,
    LedgerClock,
    Suspicion,
    WitnessRecord,
    agrees,
    drifted,
    is_jump,
    jumped,
    off_us,
)
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding, Intent
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import WALKED_AT_ONCE, Change, Committed, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run
from workflows.usecases.shared.extension import deadlines_moved
from workflows.usecases.shared.rebuilt import grant_where_known

SUBJECT = "clock-"
# How often a process looks, in seconds: a jump is on record, and giving stops, at most so much later.
LOOK_EVERY_S = 3.0
# An answer that took longer says too little about when it was given.
ANSWER_S_MAX = 1.0
# What a host has learnt is kept for those who start there later.
KEEP_EVERY = timedelta(minutes=10)
# Holdings that are brought forward in one commit.
AT_ONCE = 50
FOUND_MAX = 200_000
# A holding is looked at for the last time some minutes after its end, where an operation was in doubt.
STILL_LOOKED_AT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Sight:
    """One look: the record, and by how much the clock is away from where it is expected."""

    clock: LedgerClock
    snapshot: Snapshot
    off: int
    boot_s: float


class Timekeeper:
    """One witness, looking every few seconds. `host`: names this host's run; `boot_s`: seconds that nobody can set.

    Several processes of one host are one witness, and share what it knows.
    """

    def __init__(self, ctx: Context, host: str, boot_s: Callable[[], float]) -> None:
        self._ctx = ctx
        self._host = host
        self._boot_s = boot_s
        self._anchor: int | None = None
        self._anchored_s = boot_s()
        self._kept_s = self._anchored_s
        self._raised = 0
        self._jumps_when_raised = 0
        self._steady_since_s: float | None = None

    def look(self) -> None:
        """Raises LedgerUnreachable."""
        seen = self._see()
        if seen is None:
            return
        if seen.clock.catchup is not None:
            bring_forward(self._ctx)
        elif is_jump(seen.off, seen.boot_s - self._anchored_s):
            self._steady_since_s = None
            self._away(seen)
        else:
            self._in_step(seen)

    def _see(self) -> _Sight | None:
        before = self._boot_s()
        snapshot = self._ctx.ledger.read(keys.CLOCK, keys.witness(self._host))
        boot_s = (before + self._boot_s()) / 2
        if 2 * (boot_s - before) > ANSWER_S_MAX:
            return None
        clock = _read(snapshot)
        if self._anchor is None:
            self._anchor = self._known(clock, snapshot, boot_s)
        return _Sight(clock, snapshot, off_us(clock, self._anchor, _now_us(snapshot), _us(boot_s)), boot_s)

    def _known(self, clock: LedgerClock, snapshot: Snapshot, boot_s: float) -> int:
        """What this host has known before, or what it sees now for the first time."""
        record = snapshot.readable(keys.witness(self._host), WitnessRecord)
        if record is not None:
            # How long ago that was, on a clock that may be the one that was set.
            self._anchored_s = boot_s - max(0.0, (snapshot.now - record.at).total_seconds())
            return record.anchor_us
        anchor = _now_us(snapshot) - _us(boot_s) - clock.jumped_us
        # A clock that is behind the record's last entry was set back before anybody here looked at it.
        anchor += _us(_behind_s(self._ctx, snapshot))
        self._keep(anchor, snapshot)
        return anchor

    def _in_step(self, seen: _Sight) -> None:
        self._raised = 0
        self._follow(seen)
        suspicion = seen.clock.suspicion
        if suspicion is not None:
            # Whoever raised it has a clock of their own that jumped, or ours has come back.
            self._write(seen, replace(seen.clock, suspicion=None), "calm")
        elif seen.clock.doubt is not None:
            self._steady_since_s = self._steady_since_s or seen.boot_s
            if seen.boot_s - self._steady_since_s >= STEADY_FOR.total_seconds():
                steady(self._ctx)
        else:
            self._steady_since_s = None

    def _away(self, seen: _Sight) -> None:
        suspicion = seen.clock.suspicion
        if suspicion is None:
            if self._raised and seen.clock.jumps == self._jumps_when_raised:
                self._own_clock_jumped(seen)
            else:
                self._raised, self._jumps_when_raised = 1, seen.clock.jumps
                self._write(seen, replace(seen.clock, suspicion=Suspicion(self._host, seen.off)), "suspect")
        elif suspicion.by == self._host:
            self._raised, self._jumps_when_raised = self._raised + 1, seen.clock.jumps
            if self._raised >= LOOKS:
                self._judge(seen)
        elif agrees(seen.off, suspicion.off_us):
            self._judge(seen)

    def _own_clock_jumped(self, seen: _Sight) -> None:
        """Another witness has objected: it is this host that went another way, and begins anew."""
        self._raised = 0
        self._anchor = (self._anchor or 0) + seen.off
        self._anchored_s = seen.boot_s
        self._keep(self._anchor, seen.snapshot)

    def _judge(self, seen: _Sight) -> None:
        self._raised = 0
        clock, now = jumped(seen.clock, seen.off, seen.snapshot.now), seen.snapshot.now
        back = timedelta(microseconds=max(0, -seen.off))
        subject = f"{SUBJECT}{clock.jumps}"
        facts = {"off_s": f"{seen.off / 1e6:.1f}", "witness": self._host[:12]}
        entry = event(self._ctx, Event.CLOCK_JUMPED, subject, seen.snapshot, facts)
        due = {keys.chat(subject): now + SOON}
        if self._write(seen, clock, "jump", (entry,), due, back):
            self._ctx.wake(keys.chat(subject))
            bring_forward(self._ctx)

    def _write(
        self,
        seen: _Sight,
        clock: LedgerClock,
        why: str,
        audit: tuple[AuditEvent, ...] = (),
        due: Mapping[str, datetime] | None = None,
        sooner: timedelta = timedelta(0),
    ) -> bool:
        version = seen.snapshot.items[keys.CLOCK].version
        change = Change(
            commit_id=f"clock:{why}:{version}:{self._host}",
            at=seen.snapshot.now,
            reads={keys.CLOCK: version},
            puts={keys.CLOCK: clock},
            due=due or {},
            audit=audit,
            removes_access=True,
            sooner=sooner,
        )
        return isinstance(self._ctx.ledger.commit(change), Committed)

    def _follow(self, seen: _Sight) -> None:
        since_s = seen.boot_s - self._anchored_s
        self._anchor = drifted(self._anchor or 0, seen.off, since_s)
        self._anchored_s = seen.boot_s
        if seen.boot_s - self._kept_s >= KEEP_EVERY.total_seconds():
            self._keep(self._anchor, seen.snapshot)
            self._kept_s = seen.boot_s

    def _keep(self, anchor: int, snapshot: Snapshot) -> None:
        item = keys.witness(self._host)
        version = snapshot.items[item].version
        record = WitnessRecord(self._host, anchor, snapshot.now)
        # Where another process of this host was first, it knows as much.
        self._ctx.ledger.commit(
            Change(f"witness:{item}:{version}", snapshot.now, {item: version}, puts={item: record}, removes_access=True)
        )


def _behind_s(ctx: Context, snapshot: Snapshot) -> float:
    head = ctx.ledger.head()
    newest = ctx.ledger.entries(after=head - 1, limit=1) if head else ()
    behind_s = (newest[0].at - snapshot.now).total_seconds() if newest else 0.0
    return behind_s if is_jump(_us(behind_s), 0.0) and behind_s > 0 else 0.0


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


def _now_us(snapshot: Snapshot) -> int:
    return round(snapshot.now.timestamp() * 1e6)


# ---------------------------------------------------------------- what is open comes sooner


def bring_forward(ctx: Context) -> None:
    """Let what was stored before a jump backwards end as much sooner. Goes on where an earlier run was interrupted."""
    clock = _clock(ctx)
    if clock.catchup is None:
        return
    holdings = [id_ for id_ in _holdings(ctx) if id_ > clock.catchup.after]
    for start in range(0, len(holdings), AT_ONCE):
        part = holdings[start : start + AT_ONCE]
        run(ctx, lambda part=part: _forward(ctx, part))  # type: ignore[misc]  # bound at once, called at once
    run(ctx, lambda: _caught_up(ctx))


def _clock(ctx: Context) -> LedgerClock:
    return _read(ctx.ledger.read(keys.CLOCK))


def _read(snapshot: Snapshot) -> LedgerClock:
    """The record. One that cannot be read may have had a doubt on it, so it has: ten minutes, or an operator's word."""
    if snapshot.items[keys.CLOCK].problem:
        return LedgerClock(doubt=Doubt(snapshot.now, 0))
    return snapshot.get(keys.CLOCK, LedgerClock) or LedgerClock()


def _holdings(ctx: Context) -> list[str]:
    """Of all that is live, and of what is over and still looked at; in one order, so that a run can go on."""
    now = ctx.ledger.now()
    over = ctx.ledger.members(keys.CLOSED, low=(now - STILL_LOOKED_AT).timestamp(), limit=FOUND_MAX, newest=True)
    lately = (over[first : first + WALKED_AT_ONCE] for first in range(0, len(over), WALKED_AT_ONCE))
    found: set[str] = set()
    for part in chain(ctx.ledger.walk(keys.LIVE), lately):
        snapshot = ctx.ledger.read(*map(keys.grant, part))
        found |= {grant.holding for id_ in part if (grant := grant_where_known(ctx, snapshot, id_)) is not None}
    return sorted(found)


def _forward(ctx: Context, part: Sequence[str]) -> CommitAttempt | Outcome:
    names = [keys.holding(id_) for id_ in part]
    first = ctx.ledger.read(*names)
    grants = [keys.grant(id_) for name in names if (held := first.readable(name, Holding)) for id_ in held.grants]
    snapshot = ctx.ledger.read(keys.CLOCK, *names, *grants)
    clock = snapshot.get(keys.CLOCK, LedgerClock)
    catchup = clock.catchup if clock else None
    done = Outcome(part[-1], "forward")
    if clock is None or catchup is None or catchup.after >= part[-1]:
        return done
    by = timedelta(microseconds=catchup.by_us)
    holdings = {name: sooner(held, by) for name in names if (held := snapshot.readable(name, Holding)) is not None}
    live = {name: grant_sooner(grant, by) for name in grants if (grant := snapshot.readable(name, Grant)) is not None}
    moved = deadlines_moved(live.values())
    change = Change(
        commit_id=f"forward:{clock.jumps}:{part[-1]}:{snapshot.items[keys.CLOCK].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.CLOCK: replace(clock, catchup=replace(catchup, after=part[-1])), **holdings, **live},
        due={**dict.fromkeys(holdings, snapshot.now), **moved.due},
        index=moved.index,
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done)


def _caught_up(ctx: Context) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.CLOCK)
    clock = snapshot.get(keys.CLOCK, LedgerClock)
    done = Outcome("clock", "caught_up")
    if clock is None or clock.catchup is None:
        return done
    change = Change(
        commit_id=f"caught-up:{snapshot.items[keys.CLOCK].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.CLOCK: replace(clock, catchup=None)},
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done)


def grant_sooner(grant: Grant, by: timedelta) -> Grant:
    """The same on a clock that was set back by `by`: when it ends, and since when it has been used."""
    return replace(
        grant,
        deadline=grant.deadline - by,
        extended_to=grant.extended_to - by if grant.extended_to else None,
        activated_at=grant.activated_at - by if grant.activated_at else None,
    )


def sooner(holding: Holding, by: timedelta) -> Holding:
    """The same on a clock that was set back by `by`. `enforced_until` stays: the target goes by a clock of its own."""
    intent = holding.intent
    return replace(
        holding,
        next_try=holding.next_try - by if holding.next_try else None,
        operation_at=holding.operation_at - by if holding.operation_at else None,
        ask_abandoned_at=holding.ask_abandoned_at - by if holding.ask_abandoned_at else None,
        doubt_until=holding.doubt_until - by if holding.doubt_until else None,
        looks=tuple(look - by for look in holding.looks),
        intent=_intent_sooner(intent, by) if intent else None,
    )


def _intent_sooner(intent: Intent, by: timedelta) -> Intent:
    deadline = intent.deadline - by if intent.deadline else None
    return replace(intent, at=intent.at - by, until=intent.until - by, deadline=deadline)


# ---------------------------------------------------------------- giving begins again


def steady(ctx: Context) -> Outcome | Refused:
    """Ten minutes of agreement: what the clock says is believed again. `Outcome.outcome`: `steady`, or `trusted` already."""
    return run(ctx, lambda: _trust(ctx, Event.CLOCK_STEADY, {}, "steady"))


def accept(ctx: Context, by: str, reason: str) -> Outcome | Refused:
    """An operator says that Redis's clock is right. `Outcome.outcome`: `accepted`, or `trusted` where nobody doubts it."""
    problem = text_problem(reason, {"what": "clock accept"})
    if problem:
        return problem
    bring_forward(ctx)
    private = {"actor_name": clean(by), "reason": clean(reason)}
    return run(ctx, lambda: _trust(ctx, Event.CLOCK_ACCEPTED, private, "accepted"))


def _trust(ctx: Context, kind: Event, private: dict[str, str], outcome: str) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.CLOCK)
    clock = _read(snapshot)
    if clock.trusted or isinstance(clock.catchup, Catchup):
        return Outcome("clock", "trusted" if clock.trusted else "catching_up")
    subject = f"{SUBJECT}{clock.jumps}"
    facts = {"off_s": f"{clock.doubt.off_us / 1e6:.1f}" if clock.doubt else "0"}
    done = Outcome("clock", outcome)
    change = Change(
        commit_id=f"clock:{outcome}:{snapshot.items[keys.CLOCK].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.CLOCK: replace(clock, doubt=None, suspicion=None)},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, kind, subject, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))
