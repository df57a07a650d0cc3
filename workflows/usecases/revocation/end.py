"""A person ends access: the holder gives it back early, an owner (or the panic group) takes it back."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.grant import End, EndCause, Grant
from workflows.core.refusal import Refused
from workflows.core.rules.approval import may_end
from workflows.core.rules.eligibility import clean
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, done_from, not_in_force, run
from workflows.usecases.shared.find_grant import find_grant
from workflows.usecases.shared.take_back import ending, keys_of_grant, open_grant


def end(ctx: Context, id_: str, who: Account, reason: str, commit_id: str) -> Outcome | Refused:
    """Start the removal of a live grant. `Outcome.outcome`: `returned` or `revoked`."""
    first = find_grant(ctx, id_)
    if isinstance(first, Refused):
        return first
    ctx.ahead.expect_records(*keys_of_grant(first), commit_id=commit_id)

    def groups(policy: Policy) -> tuple[str, ...]:
        environment = policy.environments.get(first.terms.environment)
        return (environment.owners if environment else ()) + policy.security

    actor = known(ctx, who, groups, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, first, clean(reason), commit_id))


def _once(ctx: Context, actor: Actor, first: Grant, reason: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = ctx.ledger.read(*keys_of_grant(first), actor.record, keys.ACTIVE_POLICY, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    found = open_grant(ctx, snapshot, first)
    if isinstance(found, Refused):
        return found
    grant, holding = found
    answer = may_end(actor.policy, grant.terms.environment, grant.holder, actor.person, actor.groups)
    # Taking away is safe under any copy of the policy; who may do it is not.
    refusal = (
        answer
        if isinstance(answer, Refused)
        else not_theirs(snapshot, actor, on_hold=True)
        or (not_in_force(snapshot, actor.policy) if answer == "revoked" else None)
    )
    if refusal is not None:
        return refusal
    cause = EndCause.RETURNED if answer == "returned" else EndCause.REVOKED
    end_ = End(cause, snapshot.now, actor.person.id, actor.person.name, reason or None)
    return ending(ctx, snapshot, holding, grant, end_, commit_id)
