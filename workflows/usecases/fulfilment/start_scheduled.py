"""The start of access that was agreed to begin later: given now, if all that it rests on holds; else it says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import not_now
from workflows.core.rules.grant_terms import terms_for
from workflows.ports import DirectoryUnreachable, PolicyUnavailable, Snapshot
from workflows.usecases.decisions.approve import granting
from workflows.usecases.shared.closing import keys_of, refusing
from workflows.usecases.shared.context import CommitAttempt, Outcome, WorkerContext, event, not_in_force, run
from workflows.usecases.shared.limits import blocked
from workflows.usecases.shared.parties import party_on_hold, read_with_parties
from workflows.usecases.shared.revalidation import approval_no_longer_valid
from workflows.usecases.shared.signed_votes import alarm_facts
from workflows.usecases.shared.target_users import user_keys
from workflows.usecases.shared.troubles import Failure, note

# How long to wait before asking again who somebody is, in seconds.
ASK_AGAIN_S = 2.0


def begin(ctx: WorkerContext, request: Request) -> None:
    """Its time has come: give it, or say why not. Where that cannot be told now, a little later."""
    now = ctx.ledger.now()
    start = request.start_at
    if start is None or start > now:
        return
    if now - start >= request.terms.duration:
        # Nobody asked for this hour.
        run(ctx, lambda: _refuse(ctx, request, Refused(Code.START_MISSED, {"id": request.id})))
        return
    try:
        policy = ctx.policy.current()
        problem = approval_no_longer_valid(ctx, request.id, now) or _not_as_agreed(policy, request, now)
    except (DirectoryUnreachable, PolicyUnavailable) as unknown:
        note(ctx, keys.request(request.id), Failure(str(unknown)))
        return
    if problem is not None:
        refusal = problem
        run(ctx, lambda: _refuse(ctx, request, refusal))
    else:
        run(ctx, lambda: _start(ctx, policy, request))


def _not_as_agreed(policy: Policy, request: Request, now: datetime) -> Refused | None:
    """Whether the role still means what was agreed to, and may be given at this hour."""
    terms = request.terms
    entitlement = policy.entitlement(terms.environment, terms.role)
    if entitlement is None:
        return Refused(Code.ROLE_UNKNOWN, {"name": terms.role, "environment": terms.environment})
    try:
        same = terms_for(entitlement, request.holder, terms.duration, request.holder_address).hash == terms.hash
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    if not same:
        return Refused(Code.ROLE_CHANGED, {"id": request.id, "role": terms.role, "what": "start"})
    shut = not_now(policy, request, now)
    # It does not wait: it is over.
    return shut and replace(shut, params={name: value for name, value in shut.params.items() if name != "id"})


def _start(ctx: WorkerContext, policy: Policy, seen: Request) -> CommitAttempt | Outcome:
    snapshot, request = _read(ctx, seen)
    if request is None or request.decision is None:
        return Outcome(seen.id, "overtaken")
    if not_in_force(snapshot, policy):
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    if party_on_hold(snapshot, request):
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    problem = blocked(snapshot.get(keys.person(request.holder), PersonRecord), snapshot)
    if problem:
        return refusing(ctx, snapshot, request, problem)
    facts = {"terms": request.terms.hash, "policy": policy.hash[:12]}
    entry = event(ctx, Event.REQUEST_STARTED, request.id, snapshot, facts)
    # The grant's time counts from here; the request keeps when and how it was decided.
    decision = replace(request.decision, at=snapshot.now)
    given = granting(request, decision, snapshot, f"start:{request.id}", entry)
    return refusing(ctx, snapshot, request, given) if isinstance(given, Refused) else given


def _refuse(ctx: WorkerContext, seen: Request, refusal: Refused) -> CommitAttempt | Outcome:
    snapshot, request = _read(ctx, seen)
    if request is None:
        return Outcome(seen.id, "overtaken")
    attempt = refusing(ctx, snapshot, request, refusal)
    if refusal.code is not Code.VOTE_NOT_PROVED:
        return attempt
    alarm = event(ctx, Event.VOTE_UNPROVED, request.id, snapshot, alarm_facts(refusal))
    return replace(attempt, change=replace(attempt.change, audit=(alarm, *attempt.change.audit)))


def _read(ctx: WorkerContext, seen: Request) -> tuple[Snapshot, Request | None]:
    """The request with all that its start writes; None where it does not wait for its start any more."""
    given = (keys.grant(seen.id), keys.holding(seen.resource.holding)) if seen.resource else ()
    names = (*keys_of(seen), keys.person(seen.holder), *given, *user_keys(seen))
    snapshot = read_with_parties(ctx, names, seen)
    request = snapshot.get(keys.request(seen.id), Request)
    waits = request is not None and request.state is RequestState.SCHEDULED and request.resource == seen.resource
    return snapshot, request if waits else None
