"""An approver agrees to less than was asked for: a shorter time, or a role of less risk in the same environment.

Only the time is cut: earlier votes stay valid, because who agreed to more of it agreed to less; they are rewritten to the
new terms, so that the worker's recheck holds them to what is given. Another role: nobody but the approver who cut has seen it,
so earlier votes are void, its names are resolved anew by a worker, and the votes are counted when that is done. Either way
the next approver's button carries the lesser terms.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import Account
from workflows.core.provider import TemplateRefused
from workflows.core.records.request import Request, Slot, Terms, slot_id
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import not_now
from workflows.core.rules.grant_terms import terms_for
from workflows.core.rules.reduced_approval import ReducedApproval, may_reduce, votes_for_reduced
from workflows.ports import Change, Snapshot
from workflows.usecases.decisions.approve import (
    changed_terms,
    count,
    decide_on,
    decided_already,
    not_open,
    vote_by,
    vote_facts,
)
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event
from workflows.usecases.shared.extension import too_long_now
from workflows.usecases.shared.parties import party_on_hold
from workflows.usecases.shared.signed_votes import Signed, keeping, keys_kept


def approve_reduced(
    ctx: Context,
    id_: str,
    who: Account,
    role: str | None,
    duration: timedelta | None,
    commit_id: str,
    terms_hash: str | None = None,
    signed: Signed | None = None,
) -> Outcome | Refused:
    """Agree to less. `Outcome.outcome`: `approved`, `agreed`, or `lessened` while a worker looks up another role's names."""
    folded = role.strip().lower() if role else None

    def reduce(actor: Actor, snapshot: Snapshot, request: Request) -> CommitAttempt | Refused:
        attempt = _reduce(ctx, actor, snapshot, request, folded, duration, commit_id, terms_hash)
        return keeping(signed, actor, snapshot, request, attempt)

    kept = keys_kept(signed)
    return decide_on(ctx, id_, who, reduce, commit_id, lambda request: (*_other_slot(request, folded), *kept(request)))


def _other_slot(request: Request, role: str | None) -> tuple[str, ...]:
    """The place that the lesser role takes."""
    if role is None or role == request.terms.role:
        return ()
    return (keys.slot(slot_id(request.holder, request.terms.environment, role)),)


def _reduce(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    request: Request,
    role: str | None,
    duration: timedelta | None,
    commit_id: str,
    terms_hash: str | None,
) -> CommitAttempt | Refused:
    answer = may_reduce(actor.policy, request, role, duration, actor.person, actor.groups, snapshot.now)
    closed = not_open(request, snapshot)
    if isinstance(answer, Refused):
        # Who may not is told so; to everybody else that it is decided says more than what was wrong with the words.
        decided = decided_already(actor.policy, request, closed)
        return decided or (answer if answer.audited or closed is None else closed)
    closed = closed or party_on_hold(snapshot, request)
    if closed:
        return closed
    changed = changed_terms(ctx, actor, snapshot, request, commit_id)
    if changed:
        return changed
    if terms_hash is not None and terms_hash != request.terms.hash:
        return Refused(Code.TERMS_CHANGED, {"id": request.id})
    # Another role's own hours were looked at already.
    shut = not_now(actor.policy, request, snapshot.now, actor.person.id, actor.groups) if answer.same_role else None
    if shut:
        return shut
    try:
        terms = terms_for(answer.entitlement, request.holder, answer.duration, request.holder_address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    if answer.same_role:
        return _shorter(ctx, actor, snapshot, request, terms, answer, commit_id)
    return _other_role(ctx, actor, snapshot, request, terms, answer, commit_id)


def _shorter(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    request: Request,
    terms: Terms,
    answer: ReducedApproval,
    commit_id: str,
) -> CommitAttempt | Refused:
    cut = replace(_cut(actor, request, terms), votes=votes_for_reduced(request.votes, request.terms, terms))
    too_long = too_long_now(actor.policy, snapshot, cut)
    if too_long:
        return too_long
    attempt = count(ctx, actor, snapshot, cut, answer.groups, commit_id)
    if isinstance(attempt, Refused):
        return attempt
    audit = (_entry(ctx, actor, snapshot, request, cut, answer), *attempt.change.audit)
    return replace(attempt, change=replace(attempt.change, audit=audit))


def _other_role(
    ctx: Context,
    actor: Actor,
    snapshot: Snapshot,
    request: Request,
    terms: Terms,
    answer: ReducedApproval,
    commit_id: str,
) -> CommitAttempt | Refused:
    cut = replace(_cut(actor, request, terms), resource=None)
    cut = replace(cut, votes=(vote_by(actor, snapshot, cut, answer.groups),))
    place = keys.slot(cut.slot)
    taken = snapshot.get(place, Slot)
    if taken is not None and taken.request:
        params = {"id": taken.request, "role": terms.role, "holder": request.holder_name}
        return Refused(Code.LESS_TAKEN, params, audited=False)
    own = snapshot.get(keys.slot(request.slot), Slot)
    item = keys.request(request.id)
    done = Outcome(request.id, "lessened")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: cut, place: Slot(cut.slot, request.id)},
        deletes=frozenset({keys.slot(request.slot)}) if own and own.request == request.id else frozenset(),
        due={item: snapshot.now + SOON, keys.chat(request.id): snapshot.now + SOON},
        audit=(_entry(ctx, actor, snapshot, request, cut, answer),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))


def _cut(actor: Actor, request: Request, terms: Terms) -> Request:
    return replace(
        request,
        terms=terms,
        asked_terms=request.asked_terms or request.terms,
        lessened_by=actor.person.name,
        policy_hash=actor.policy.hash,
        used_up=(),
    )


def _entry(
    ctx: Context, actor: Actor, snapshot: Snapshot, request: Request, cut: Request, answer: ReducedApproval
) -> AuditEvent:
    facts = {
        **vote_facts(actor, snapshot, cut, answer.groups),
        "before": request.terms.hash,
        "asked_role": request.terms.role,
        "asked_duration_s": str(request.terms.duration_s),
        "role": cut.terms.role,
        "duration_s": str(cut.terms.duration_s),
    }
    private = {"actor": actor.person.id, "actor_name": actor.person.name}
    return event(ctx, Event.REQUEST_LESSENED, request.id, snapshot, facts, private)
