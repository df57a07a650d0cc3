"""Remove, or Leave it: the panic group says what becomes of what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.drift import Drift, DriftPass
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import not_a_member, person_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.drift.removal import GROUND, ground_of
from workflows.usecases.drift.standing import HOLD
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.parties import alike


def decide(ctx: Context, hold: int, who: Account, commit_id: str, *, goes: bool) -> Outcome | Refused:
    """`hold`: its number, as the card has it. `Outcome.outcome`: `removing`, or `left`. Whatever goes is looked at once more
    before it is taken away."""
    actor = known(ctx, who, _security)
    return actor if isinstance(actor, Refused) else run(ctx, lambda: _once(ctx, actor, hold, commit_id, goes=goes))


def _security(policy: Policy) -> tuple[str, ...]:
    return policy.security


def _once(ctx: Context, actor: Actor, hold: int, commit_id: str, *, goes: bool) -> CommitAttempt | Outcome | Refused:
    me = actor.person.id
    first = ctx.ledger.read(keys.DRIFT_PROGRESS).readable(keys.DRIFT_PROGRESS, DriftPass)
    held = first.held if first is not None and first.hold == hold else ()
    names = (*GROUND, actor.record, keys.identity(me), *map(keys.drift, held))
    snapshot = ctx.ledger.read(*names, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    stands = snapshot.readable(keys.DRIFT_PROGRESS, DriftPass)
    found = {id_: one for id_ in held if (one := snapshot.readable(keys.drift(id_), Drift)) is not None}
    mine = alike(snapshot, (me,)).get(me, frozenset()) | {me}
    problem = (
        person_problem(actor.person)
        or not_a_member(actor.groups, me, actor.policy.security, _outside(actor.policy))
        or not_theirs(snapshot, actor)
        or not_in_force(snapshot, actor.policy)
    )
    if problem:
        return problem
    if stands is None or stands.hold != hold or not found:
        return Refused(Code.DRIFT_OVER, audited=False)
    if not goes and any(one.holder in mine for one in found.values()):
        return Refused(Code.OWN_DRIFT)
    return _attempt(ctx, actor, snapshot, stands, found, commit_id, goes=goes)


def _outside(policy: Policy) -> Refused:
    return Refused(Code.NOT_SECURITY, {"groups": ", ".join(policy.security)})


def _attempt(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    stands: DriftPass,
    found: Mapping[str, Drift],
    commit_id: str,
    *,
    goes: bool,
) -> CommitAttempt | Refused:
    ground = ground_of(ctx, snapshot)
    if goes and (ground.ledger_doubted or not ground.clock_trusted):
        return Refused(Code.DRIFT_NOT_NOW, audited=False)
    decided = replace(stands, held=(), why_held="")
    if goes:
        # Whoever says that it goes has looked at the ledger and the clock by which it is taken away.
        decided = replace(decided, epoch=ground.epoch, jumps=ground.jumps)
    by = {"agreed_by" if goes else "left_by": actor.person.name}
    subject = f"{HOLD}{stands.hold}"
    done = Outcome(subject, "removing" if goes else "left")
    facts = {"hold": str(stands.hold), "decision": "remove" if goes else "leave", "count": str(len(found))}
    private = {"actor": actor.person.id, "actor_name": actor.person.name}
    due = {keys.drift(id_): snapshot.now for id_ in found} if goes else {}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.DRIFT_PROGRESS: decided, **{keys.drift(id_): replace(one, **by) for id_, one in found.items()}},  # type: ignore[arg-type]  # names of its fields
        due={**due, keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.DRIFT_DECIDED, subject, snapshot, facts, private),),
        answer=done.answer,
        removes_access=goes,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject), *due))
