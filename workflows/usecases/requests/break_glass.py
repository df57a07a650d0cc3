"""Break-glass: `/prodaccess break-glass ENV ROLE ...` or the form. Recorded at once; given as soon as names are ids.

Nobody is asked. The decision, the grant, the review and the use stand in one commit, decided again at that moment.
"""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.lifecycle import Move, can
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import (
    Closing,
    Origin,
    Request,
    RequestState,
    Slot,
    Terms,
    slot_id,
)
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import History, may_break
from workflows.core.rules.eligibility import Ask, MayAsk, find_entitlement
from workflows.core.rules.grant_terms import close, terms_for
from workflows.core.rules.groups import groups_needed
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.closing import closing_change, keys_of, no_longer_pending
from workflows.usecases.shared.context import (
    SOON,
    CommitAttempt,
    Context,
    Outcome,
    clock_in_doubt,
    done_from,
    event,
    ledger_in_doubt,
    not_in_force,
    older_runs,
    run,
)


def break_glass(ctx: Context, ask: Ask, who: Account, origin: Origin, commit_id: str) -> Outcome | Refused:
    """Record a break-glass. `Outcome.outcome`: `broken`, or `have_it` with the id of the access that is there already."""

    def groups(policy: Policy) -> tuple[str, ...]:
        found = find_entitlement(policy, ask.environment, ask.role)
        return () if isinstance(found, Refused) else groups_needed(policy, policy.environments[found.environment])

    actor = known(ctx, who, groups)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, ask, origin, commit_id))


def _names(ask: Ask) -> tuple[str, str]:
    return ask.environment.strip().lower(), ask.role.strip().lower()


_OWN = (keys.ACTIVE_POLICY, keys.CLOCK, keys.OLDER, keys.LEDGER_DOUBT)


def _once(ctx: Context, actor: Actor, ask: Ask, origin: Origin, commit_id: str) -> CommitAttempt | Outcome | Refused:
    person, (environment, role) = actor.person, _names(ask)
    place, uses = keys.slot(slot_id(person.id, environment, role)), keys.break_glass_uses(environment, person.id)
    snapshot, old = _read(ctx, place, (*_OWN, actor.record, keys.person(person.id), uses), commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    record = snapshot.get(keys.person(person.id), PersonRecord)
    history = History(record, snapshot.get(uses, Uses))
    answer = may_break(actor.policy, ask, person, actor.groups, history, snapshot.now)
    if isinstance(answer, Refused):
        return answer
    # Told at once: in an emergency nobody waits ten minutes for what could be accepted in one.
    refusal = (
        not_in_force(snapshot, actor.policy)
        or not_theirs(snapshot, actor)
        or clock_in_doubt(snapshot)
        or older_runs(snapshot)
        or ledger_in_doubt(snapshot)
    )
    if refusal:
        return refusal
    waiting = snapshot.get(keys.request(old), Request) if old else None
    if old and not _only_waits(waiting):
        return Outcome(old, "have_it")
    try:
        terms = terms_for(answer.entitlement, person.id, answer.duration, person.address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    return _attempt(ctx, actor, _request(ctx, actor, answer, terms, origin, snapshot), waiting, snapshot, commit_id)


def _read(ctx: Context, place: str, own: tuple[str, ...], commit_id: str) -> tuple[Snapshot, str | None]:
    """One snapshot with all that the ask which stands in this place already is made of, and that one's id."""
    old: str | None = None
    while True:
        first = ctx.ledger.read(keys.request(old)).get(keys.request(old), Request) if old else None
        also = (keys.request(old), *(keys_of(first) if first else ())) if old else ()
        snapshot = ctx.ledger.read(*dict.fromkeys((place, *own, *also)), commit_id=commit_id)
        slot = snapshot.get(place, Slot)
        there = slot.request if slot else None
        if there == old or snapshot.replay is not None:
            return snapshot, old
        old = there


def _only_waits(request: Request | None) -> bool:
    """An ask that nothing was given for yet: whoever breaks the glass need not wait for it, nor take it back first."""
    return request is not None and can(request.state, Move.WITHDRAW) and not request.break_glass


def _request(ctx: Context, actor: Actor, answer: MayAsk, terms: Terms, origin: Origin, snapshot: Snapshot) -> Request:
    person, now = actor.person, snapshot.now
    return Request(
        id=ctx.ledger.next_id(),
        requester=person.id,
        requester_name=person.name,
        requester_slack=person.slack,
        holder=person.id,
        holder_name=person.name,
        terms=terms,
        reason=answer.reason,
        state=RequestState.PENDING,
        created_at=now,
        expires_at=now + answer.entitlement.expires_after,
        policy_hash=actor.policy.hash,
        origin=origin,
        ticket=answer.ticket,
        break_glass=True,
        accounts=(person.account,),
        holder_address=person.address,
    )


def _attempt(
    ctx: Context, actor: Actor, request: Request, waiting: Request | None, snapshot: Snapshot, commit_id: str
) -> CommitAttempt:
    now, item, mine = snapshot.now, keys.request(request.id), keys.person(request.requester)
    before = _in_its_place(ctx, actor, waiting, request, snapshot)
    record = before.puts.get(mine) or snapshot.get(mine, PersonRecord)
    if not isinstance(record, PersonRecord):
        record = PersonRecord(request.requester, request.requester_name, (request.requester_slack,))
    done = Outcome(request.id, "broken")
    scores = ((keys.PENDING, request.expires_at.timestamp()), (keys.RECENT, now.timestamp()))
    change = Change(
        commit_id=commit_id,
        at=now,
        reads={**snapshot.versions(), item: 0},
        puts={
            **before.puts,
            item: request,
            mine: replace(record, pending=(*record.pending, request.id)),
            keys.slot(request.slot): Slot(request.slot, request.id),
        },
        due={**before.due, item: now + SOON},
        index=(
            *before.index,
            *(
                IndexEntry(name, request.id, score)
                for index, score in scores
                for name in keys.places(index, environment=request.terms.environment, person_id=request.requester)
            ),
        ),
        audit=(*before.audit, _made(ctx, request, actor, snapshot)),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, *before.due))


def _in_its_place(ctx: Context, actor: Actor, waiting: Request | None, by: Request, snapshot: Snapshot) -> Change:
    """The part of the commit that takes back the ask which waited in this place; empty where none did."""
    if waiting is None:
        return Change("", snapshot.now, {})
    reason = f"break-glass {by.id} instead"
    over = close(waiting, Move.WITHDRAW, Closing(snapshot.now, actor.person.id, actor.person.name, reason))
    private = {"actor": actor.person.id, "actor_name": actor.person.name, "reason": reason}
    entry = event(ctx, Event.REQUEST_WITHDRAWN, waiting.id, snapshot, {"terms": waiting.terms.hash}, private)
    change = closing_change(snapshot, over, "", (entry,))
    return replace(change, puts={**change.puts, **no_longer_pending(snapshot, waiting)})


def _made(ctx: Context, request: Request, actor: Actor, snapshot: Snapshot) -> AuditEvent:
    facts = {
        "environment": request.terms.environment,
        "role": request.terms.role,
        "duration_s": str(request.terms.duration_s),
        "terms": request.terms.hash,
        "policy": actor.policy.hash[:12],
        "break_glass": "true",
        "person_age_s": str(int((snapshot.now - actor.person.as_of).total_seconds())),
        **actor.person.from_where,
    }
    private = {"actor": request.requester, "actor_name": request.requester_name, "reason": request.reason}
    return event(ctx, Event.REQUEST_MADE, request.id, snapshot, facts, private)


# ---------------------------------------------------------------- the worker gives it
