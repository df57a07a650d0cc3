"""The end of a live grant begins, for whatever cause: one commit, and a worker takes it away."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.convergence.actions import State, start_end
from workflows.core.records.grant import CLOSED, End, EndCause, Grant, GrantState
from workflows.core.records.holding import Holding, grants_of
from workflows.core.refusal import Code, Refused
from workflows.ports import Change, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, run
from workflows.usecases.shared.emergencies import barred_by_taking_back, keys_of_breaker
from workflows.usecases.shared.find_grant import find_grant
from workflows.usecases.shared.rebuilt import grant_or_rebuilt, rebuilt_holding


def keys_of_grant(grant: Grant) -> tuple[str, ...]:
    """The records that its end rests on or changes; after a break-glass also of whoever broke it."""
    return keys.holding(grant.holding), keys.grant(grant.id), *keys_of_breaker(grant)


def take_back(ctx: Context, id_: str, end_: End, commit_id: str) -> Outcome | Refused:
    """Start the removal of a live grant for a cause that was decided elsewhere: nobody is asked who may do it."""
    first = find_grant(ctx, id_)
    return first if isinstance(first, Refused) else run(ctx, lambda: _taken_back(ctx, first, end_, commit_id))


def _taken_back(ctx: Context, first: Grant, end_: End, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = ctx.ledger.read(*keys_of_grant(first), commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    found = open_grant(ctx, snapshot, first)
    return found if isinstance(found, Refused) else ending(ctx, snapshot, found[1], found[0], end_, commit_id)


def open_grant(ctx: Context, snapshot: Snapshot, first: Grant) -> tuple[Grant, Holding] | Refused:
    grant, item = grant_or_rebuilt(ctx, snapshot, first.id), keys.holding(first.holding)
    holding = (
        rebuilt_holding(ctx, first.holding, first.id) if snapshot.items[item].problem else snapshot.get(item, Holding)
    )
    if grant is None or holding is None or grant.state in CLOSED | {GrantState.REVOKING}:
        state = grant.state.value if grant else "ended"
        return Refused(Code.GRANT_OVER, {"id": first.id, "state": state}, audited=False)
    return grant, holding


def ending(
    ctx: Context, snapshot: Snapshot, holding: Holding, grant: Grant, end_: End, commit_id: str
) -> CommitAttempt:
    state = start_end(State(holding, grants_of(grant)), (grant.id,), end_)
    done = Outcome(grant.id, end_.cause.value)
    private = {"actor": end_.by or "", "actor_name": end_.by_name or "", "reason": end_.reason or ""}
    facts = {"cause": end_.cause.value, **({"code": end_.code} if end_.code else {})}
    item = keys.holding(holding.id)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.grant(grant.id): state.grants[grant.id], item: state.holding},
        due={
            keys.end_due(grant.id): snapshot.now + SOON,
            item: snapshot.now + SOON,
            keys.chat(grant.id): snapshot.now + SOON,
            # An ask for more of it closes as well.
            **({keys.request(grant.extension): snapshot.now + SOON} if grant.extension else {}),
        },
        audit=(event(ctx, Event.GRANT_END_STARTED, grant.id, snapshot, facts, private),),
        removes_access=True,
        answer=done.answer,
    )
    attempt = CommitAttempt(change, done, wake=(keys.end_due(grant.id), keys.chat(grant.id)))
    # Whoever has left, say, has done nothing with it.
    by_somebody = end_.cause is EndCause.REVOKED and end_.code is None
    return barred_by_taking_back(ctx, snapshot, grant, end_.by_name, attempt) if by_somebody else attempt
