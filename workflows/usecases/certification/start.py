"""Begin a certification: it is on the record at once, and a worker makes the questions and asks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.certification.rules import DUE_WITHIN, DUE_WITHIN_MAX, WINDOW
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.certification.standing import SUBJECT, all_of, entry_of
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, done_from, event, not_in_force, run


@dataclass(frozen=True, slots=True)
class Wanted:
    """`environments`: None for all. `within`: the time to answer. `window`: over which uses are counted, backwards from now."""

    by: str
    reason: str
    environments: tuple[str, ...] | None = None
    within: timedelta = DUE_WITHIN
    window: timedelta = WINDOW


def start(ctx: Context, wanted: Wanted, commit_id: str) -> Outcome | Refused:
    """`Outcome.outcome`: `started`; its id is the certification's. Raises PolicyUnavailable."""
    policy = ctx.policy.current()
    problem = (
        text_problem(wanted.by, {"what": "certify"})
        or text_problem(wanted.reason, {"what": "certify"})
        or _unknown(policy, wanted.environments or ())
        or _too_long(wanted.within)
    )
    return problem or run(ctx, lambda: _once(ctx, policy, wanted, commit_id))


def _unknown(policy: Policy, names: Sequence[str]) -> Refused | None:
    unknown = next((name for name in names if name not in policy.environments), None)
    return Refused(Code.ENVIRONMENT_UNKNOWN, {"name": unknown}, audited=False) if unknown is not None else None


def _too_long(within: timedelta) -> Refused | None:
    if within <= timedelta(0):
        return Refused(Code.DURATION_ZERO, audited=False)
    if within <= DUE_WITHIN_MAX:
        return None
    seconds = {"asked_s": within, "max_s": DUE_WITHIN_MAX}
    params = {"what": "certify", **{name: str(int(time.total_seconds())) for name, time in seconds.items()}}
    return Refused(Code.DURATION_TOO_LONG, params, audited=False)


def _once(ctx: Context, policy: Policy, wanted: Wanted, commit_id: str) -> CommitAttempt | Outcome | Refused:
    before = all_of(ctx.ledger)
    id_ = str(max((int(one.id) for one in before), default=0) + 1)
    item = keys.certification(id_)
    snapshot = ctx.ledger.read(item, keys.ACTIVE_POLICY, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    if not snapshot.items[item].is_absent:
        # Somebody has begun one just now, or what stands there cannot be read; the number is not given twice.
        return Refused(Code.CERTIFICATION_OPEN, {"number": id_}, audited=False)
    names = wanted.environments if wanted.environments is not None else tuple(policy.environments)
    twice = next((one for one in before if one.is_open and set(one.environments) & set(names)), None)
    if twice is not None:
        both = ", ".join(name for name in names if name in twice.environments)
        return Refused(Code.CERTIFICATION_OPEN, {"number": twice.id, "environments": both}, audited=False)
    return not_in_force(snapshot, policy) or _attempt(ctx, snapshot, _begun(snapshot, wanted, id_, names), commit_id)


def _begun(snapshot: Snapshot, wanted: Wanted, id_: str, names: tuple[str, ...]) -> Certification:
    now = snapshot.now
    by, reason = clean(wanted.by), clean(wanted.reason)
    return Certification(id_, now, now - wanted.window, now + wanted.within, by, reason, names, names)


def _attempt(ctx: Context, snapshot: Snapshot, begun: Certification, commit_id: str) -> CommitAttempt:
    item, done = keys.certification(begun.id), Outcome(begun.id, "started")
    facts = {
        "run": begun.id,
        "environments": ", ".join(begun.environments),
        "since": begun.since.isoformat(),
        "due": begun.due_at.isoformat(),
    }
    private = {"actor_name": begun.by, "reason": begun.reason}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: begun},
        due={item: snapshot.now},
        index=(entry_of(begun),),
        audit=(event(ctx, Event.CERTIFICATION_STARTED, f"{SUBJECT}{begun.id}", snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))
