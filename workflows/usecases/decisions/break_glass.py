"""The decision of a break-glass: it is given at once, and a review is owed."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.rebuild.resources import facts_of
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.record import Record
from workflows.core.records.request import TERMINAL, Decision, DecisionKind, Request, RequestState
from workflows.core.refusal import Refused
from workflows.core.rules.break_glass import (
    ANNOUNCED_WITHIN,
    History,
    from_terminal_problem,
    may_break,
    next_chase,
    review_owed,
    used,
)
from workflows.core.rules.eligibility import Ask
from workflows.ports import IndexEntry, Snapshot
from workflows.usecases.decisions.approve import granting
from workflows.usecases.shared.closing import keys_of
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, WorkerContext, event, not_in_force
from workflows.usecases.shared.parties import party_on_hold
from workflows.usecases.shared.target_users import claimed, read_with_user


def give_at_once(
    ctx: WorkerContext, policy: Policy, seen: Request, groups: GroupFacts, facts: PersonFacts
) -> CommitAttempt | Outcome | Refused:
    """The decision, on the record and the people as they are now. `seen` has its resource; a Refused closes the request."""
    if seen.resource is None:
        raise ValueError(f"{seen.id} has no resource yet")
    item, terms = keys.request(seen.id), seen.terms
    uses = keys.break_glass_uses(terms.environment, seen.holder)
    more = (keys.grant(seen.id), keys.holding(seen.resource.holding), keys.review(seen.id), uses)
    snapshot = read_with_user(ctx, policy, seen, (*keys_of(seen), *more))
    request, record = snapshot.get(item, Request), snapshot.get(keys.person(seen.requester), PersonRecord)
    if request is None or request.state is not RequestState.PENDING or request.resource is not None:
        return Outcome(seen.id, "overtaken")
    ask = Ask(terms.environment, terms.role, terms.duration, request.reason, request.ticket)
    history = History(record, snapshot.get(uses, Uses))
    answer = may_break(policy, ask, facts, groups, history, snapshot.now)
    # Whether there is a chat was for the ask; that the policy lets it is for now, too.
    from_terminal = request.origin.surface == TERMINAL
    refusal = (
        not_in_force(snapshot, policy)
        or party_on_hold(snapshot, request)
        or (from_terminal_problem(policy, terms.environment, terms.role, chat_down=True) if from_terminal else None)
        or (answer if isinstance(answer, Refused) else None)
    )
    if refusal:
        return refusal
    request = replace(request, resource=seen.resource, origin=seen.origin)
    claim = claimed(ctx, policy, request, snapshot)
    if isinstance(claim, Refused):
        return claim
    decision = Decision(DecisionKind.BREAK_GLASS, snapshot.now, policy.hash)
    commit_id = f"glass:{request.id}:{snapshot.items[item].version}"
    entry = _used(ctx, policy, request, history, snapshot)
    given = granting(request, decision, claim.in_force(snapshot), commit_id, entry)
    if isinstance(given, Refused):
        return given
    return claim.added(with_review(policy, request, request.holder, given, history, snapshot))


def _used(ctx: Context, policy: Policy, request: Request, history: History, snapshot: Snapshot) -> AuditEvent:
    facts = {
        **(facts_of(request.resource) if request.resource else {}),
        "policy": policy.hash[:12],
        "terms": request.terms.hash,
        "duration_s": str(request.terms.duration_s),
        "uses_before": str(len(used(history.uses, snapshot.now))),
        **({"from": TERMINAL, "chat": "down"} if request.origin.surface == TERMINAL else {}),
    }
    private = {"actor": request.holder, "actor_name": request.holder_name, "holder": request.holder}
    return event(ctx, Event.BREAK_GLASS_USED, request.id, snapshot, facts, private)


def with_review(
    policy: Policy, request: Request, who: PersonId, attempt: CommitAttempt, history: History, snapshot: Snapshot
) -> CommitAttempt:
    """The same commit owes the review, counts the use, and arranges that somebody looks whether it was announced. `who`: broke
    the glass.
    """
    now, change = snapshot.now, attempt.change
    place = policy.environments[request.terms.environment]
    review = review_owed(request.id, place.name, place.break_glass, who, now)
    item = keys.break_glass_uses(request.terms.environment, who)
    puts: dict[str, Record] = {
        keys.review(request.id): review,
        item: Uses(item.removeprefix(keys.uses("")), (*used(history.uses, now), now)),
    }
    places = keys.places(keys.REVIEWS, environment=review.environment, person_id=review.holder)
    due = {keys.review(request.id): next_chase(review), keys.announced_due(request.id): now + ANNOUNCED_WITHIN}
    owed = (IndexEntry(name, request.id, review.due_at.timestamp()) for name in places)
    change = replace(change, puts={**change.puts, **puts}, due={**change.due, **due}, index=(*change.index, *owed))
    return replace(attempt, change=change)
