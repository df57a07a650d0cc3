"""Security lifts what keeps somebody from breaking the glass: a bar, and a block after everything of theirs was taken back."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.people import Account, PersonId
from workflows.core.policy import Policy
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.core.rules.groups import not_a_member, person_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.limits import kept_out
from workflows.usecases.shared.parties import alike

SUBJECT = "lift-"


def lift(ctx: Context, whom: PersonId, who: Account, reason: str, commit_id: str) -> Outcome | Refused:
    """Take bar and block off `whom`. `Outcome.outcome`: `lifted`; its id names the messages that tell of it."""
    problem = text_problem(reason, {"what": "lift"})
    if problem:
        return problem

    def groups(policy: Policy) -> tuple[str, ...]:
        return policy.security

    actor = known(ctx, who, groups)
    return actor if isinstance(actor, Refused) else run(ctx, lambda: _once(ctx, actor, whom, clean(reason), commit_id))


def may_unblock(actor: Actor, whom: PersonId, alike: frozenset[PersonId] = frozenset()) -> Refused | None:
    """Only the panic group, and nobody for themselves. `alike`: whom the actor counts as, too."""
    problem = person_problem(actor.person)
    if problem:
        return problem
    outside = not_a_member(
        actor.groups,
        actor.person.id,
        actor.policy.security,
        Refused(Code.NOT_SECURITY, {"groups": ", ".join(actor.policy.security)}),
    )
    if outside:
        return outside
    return Refused(Code.OWN_BAR) if whom in {actor.person.id, *alike} else None


def _once(ctx: Context, actor: Actor, whom: PersonId, reason: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    item = keys.person(whom)
    me = actor.person.id
    snapshot = ctx.ledger.read(item, actor.record, keys.identity(me), keys.ACTIVE_POLICY, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    mine = alike(snapshot, (me,)).get(me, frozenset())
    refusal = may_unblock(actor, whom, mine) or not_theirs(snapshot, actor) or not_in_force(snapshot, actor.policy)
    if refusal:
        return refusal
    record = snapshot.get(item, PersonRecord)
    if record is None or (record.break_glass_barred is None and record.blocked_until is None):
        return Refused(Code.NOTHING_TO_LIFT, {"name": record.name if record else whom}, audited=False)
    return _attempt(ctx, actor, record, reason, snapshot, commit_id)


def _attempt(
    ctx: Context, actor: Actor, record: PersonRecord, reason: str, snapshot: Snapshot, commit_id: str
) -> CommitAttempt:
    subject = SUBJECT + ctx.chance.hex(12)
    done = Outcome(subject, "lifted")
    facts = {"bar": str(record.break_glass_barred is not None).lower(), "policy": actor.policy.hash[:12]}
    facts["block"] = record.blocked_until.isoformat() if record.blocked_until else ""
    private = {
        "actor": actor.person.id,
        "actor_name": actor.person.name,
        "person": record.id,
        "person_name": record.name,
        "reason": reason,
    }
    lifted = replace(record, break_glass_barred=None, blocked_until=None, blocked_why=None)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.person(record.id): lifted},
        index=(kept_out(lifted, snapshot.now),),
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.PERSON_LIFTED, subject, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))
