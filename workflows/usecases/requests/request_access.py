"""A developer asks: `/prodaccess ENV ROLE ...` or the form. Records the ask and lets a worker resolve its names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.identity import AccountRecord
from workflows.core.people import Account, PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.records.request import Origin, Request, RequestState, Slot, Terms, slot_id
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, MayAsk, find_entitlement, may_ask, slip, unfit_holder
from workflows.core.rules.grant_terms import terms_for
from workflows.core.rules.groups import groups_named, groups_needed
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.actor import Actor, in_doubt, known, not_theirs
from workflows.usecases.shared.closing import places_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.limits import blocked, too_many
from workflows.usecases.shared.ticket_check import with_open_ticket
from workflows.usecases.shared.ticket_limit import counted_ticket, noted, used_ticket


def ask_for_access(ctx: Context, ask: Ask, who: Account, origin: Origin, commit_id: str) -> Outcome | Refused:
    """Record a request. `Outcome.outcome`: `asked`, or `have_it` with the id of the ask or grant that is there already."""
    actor = asker(ctx, ask, who)
    return actor if isinstance(actor, Refused) else ask_as(ctx, actor, ask, origin, commit_id)


def asker(ctx: Context, ask: Ask, who: Account) -> Actor | Refused:
    """Who asks, and the groups on which it is decided."""

    def groups(policy: Policy) -> tuple[str, ...]:
        found = find_entitlement(policy, ask.environment, ask.role)
        return () if isinstance(found, Refused) else groups_needed(policy, policy.environments[found.environment])

    actor = known(ctx, who, groups)
    if isinstance(actor, Refused):
        # What a worker decides later closes the form: a slip that needs no facts is told while what was typed is there.
        stale = actor.code is Code.FACTS_STALE
        return (slip(ctx.policy.current(), ask, ctx.ledger.now()) if stale else None) or actor
    return actor


def ask_as(ctx: Context, actor: Actor, ask: Ask, origin: Origin, commit_id: str) -> Outcome | Refused:
    """As `ask_for_access`, by somebody who is known."""
    return run(ctx, lambda: _once(ctx, actor, ask, origin, commit_id))


def _once(ctx: Context, actor: Actor, ask: Ask, origin: Origin, commit_id: str) -> CommitAttempt | Outcome | Refused:
    person = actor.person
    holder = _holder(ctx, actor, ask)
    if isinstance(holder, Refused):
        return holder
    place = slot_id(holder.id, ask.environment.strip().lower(), ask.role.strip().lower())
    counted = counted_ticket(actor.policy, ask)
    guard = (keys.ticket_uses(counted.ticket),) if counted else ()
    snapshot = ctx.ledger.read(
        keys.ACTIVE_POLICY,
        *dict.fromkeys((actor.record, keys.account(holder.account), keys.person(person.id), keys.person(holder.id))),
        keys.slot(place),
        *guard,
        commit_id=commit_id,
    )
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    name = holder.name if holder.id != person.id else ""
    answer = may_ask(actor.policy, ask, person, holder.id, actor.groups, snapshot.now, name)
    record = snapshot.get(keys.person(person.id), PersonRecord)
    refusal = (
        not_in_force(snapshot, actor.policy)
        or not_theirs(snapshot, actor)
        or too_many(record)
        or blocked(record, snapshot)
        or (_kept_out(holder, snapshot) if holder.id != person.id else None)
    )
    if isinstance(answer, Refused):
        return looked_up_first(ctx, actor, ask, answer)
    if refusal:
        return refusal
    slot = snapshot.get(keys.slot(place), Slot)
    if slot is not None and slot.request:
        return Outcome(slot.request, "have_it")
    try:
        terms = terms_for(answer.entitlement, holder.id, answer.duration, holder.address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    checked = (used_ticket(ctx, counted) if counted else None) or with_open_ticket(ctx, answer)
    if isinstance(checked, Refused):
        return checked
    request = new_request(ctx.ledger.next_id(), actor, checked, terms, origin, snapshot, holder)
    return recorded(ctx, actor, (request,), snapshot, commit_id)


def looked_up_first(ctx: Context, actor: Actor, ask: Ask, refused: Refused) -> Refused:
    """That nobody can approve rests on who has left: where that was learnt long ago, a worker looks first."""
    if refused.code is not Code.NOBODY_CAN_APPROVE:
        return refused
    found = find_entitlement(actor.policy, ask.environment, ask.role)
    names = () if isinstance(found, Refused) else groups_named(found, tuple(found.approve))
    return Refused(Code.FACTS_STALE, audited=False) if in_doubt(ctx, actor.groups, names) else refused


def _holder(ctx: Context, actor: Actor, ask: Ask) -> PersonFacts | Refused:
    """Whoever shall have it: the actor, or somebody whom one can ask for. FACTS_STALE where a worker has to look first."""
    if ask.holder is None or ask.holder == actor.person.id:
        return actor.person
    found = ctx.directory.of_person(ask.holder)
    if found is None or not is_fresh(found.as_of, ctx.ledger.now()):
        return Refused(Code.FACTS_STALE, audited=False)
    return unfit_holder(found) or found


def _kept_out(holder: PersonFacts, snapshot: Snapshot) -> Refused | None:
    """Who may not ask for themselves gets nothing through somebody else either."""
    record = snapshot.get(keys.person(holder.id), PersonRecord)
    account = snapshot.get(keys.account(holder.account), AccountRecord)
    if account is None or account.person != holder.id or account.suspended or blocked(record, snapshot):
        return Refused(Code.HOLDER_BLOCKED, {"name": holder.name})
    return None


def new_request(
    id_: str,
    actor: Actor,
    answer: MayAsk,
    terms: Terms,
    origin: Origin,
    snapshot: Snapshot,
    holder: PersonFacts | None = None,
) -> Request:
    """`holder`: who shall have it, where somebody else asks for them."""
    person, now = actor.person, snapshot.now
    whom = holder or person
    return Request(
        id=id_,
        requester=person.id,
        requester_name=person.name,
        requester_slack=person.slack,
        holder=whom.id,
        holder_name=whom.name,
        holder_slack=whom.slack if whom.id != person.id else None,
        terms=terms,
        reason=answer.reason,
        state=RequestState.PENDING,
        created_at=now,
        expires_at=min(now + answer.entitlement.expires_after, answer.start_at or datetime.max.replace(tzinfo=UTC)),
        start_at=answer.start_at,
        policy_hash=actor.policy.hash,
        origin=origin,
        ticket=answer.ticket,
        ticket_note=answer.ticket_note,
        accounts=tuple(dict.fromkeys((person.account, whom.account))),
        holder_address=whom.address,
    )


def recorded(
    ctx: Context, actor: Actor, requests: tuple[Request, ...], snapshot: Snapshot, commit_id: str
) -> CommitAttempt:
    """One commit for all of them: each with its own place, and counted among the person's open asks."""
    person, now = actor.person, snapshot.now
    record = snapshot.get(keys.person(person.id), PersonRecord) or PersonRecord(person.id, person.name, (person.slack,))
    ids = tuple(request.id for request in requests)
    tickets = tuple(noted(request, snapshot) for request in requests)
    items = tuple(keys.request(id_) for id_ in ids)
    done = Outcome(ids[0], "asked")
    puts: dict[str, Record] = {keys.person(person.id): replace(record, pending=(*record.pending, *ids))}
    for request, ticket in zip(requests, tickets, strict=True):
        slot = Slot(request.slot, request.id)
        puts |= {keys.request(request.id): request, keys.slot(request.slot): slot, **ticket.puts}
    change = Change(
        commit_id=commit_id,
        at=now,
        reads={**snapshot.versions(), **dict.fromkeys(items, 0)},
        puts=puts,
        # A little later than now: the wake-up below comes first, and the clock finds it if that was lost.
        due=dict.fromkeys(items, now + SOON),
        index=tuple(entry for request in requests for entry in entries_of(request))
        + tuple(entry for ticket in tickets for entry in ticket.index),
        audit=tuple(made(ctx, request, actor, snapshot) for request in requests),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=items)


def entries_of(request: Request) -> list[IndexEntry]:
    """Where a new request stands in the indexes."""
    scores = ((keys.PENDING, request.expires_at.timestamp()), (keys.RECENT, request.created_at.timestamp()))
    return [IndexEntry(name, request.id, score) for index, score in scores for name in places_of(index, request)]


def made(ctx: Context, request: Request, actor: Actor, snapshot: Snapshot) -> AuditEvent:
    """The entry that says so."""
    facts = {
        **({"batch": request.batch[0]} if request.batch else {}),
        **({"extends": request.extends} if request.extends else {}),
        "environment": request.terms.environment,
        "role": request.terms.role,
        "duration_s": str(request.terms.duration_s),
        "terms": request.terms.hash,
        **({"start_at": request.start_at.isoformat()} if request.start_at else {}),
        **({"ticket_not_verified": request.ticket_note} if request.ticket_note else {}),
        "policy": actor.policy.hash[:12],
        "person_age_s": str(int((snapshot.now - actor.person.as_of).total_seconds())),
        **actor.person.from_where,
    }
    private = {"actor": request.requester, "actor_name": request.requester_name, "reason": request.reason}
    if request.holder != request.requester:
        facts["on_behalf"] = "true"
        private |= {"holder": request.holder, "holder_name": request.holder_name}
    return event(ctx, Event.REQUEST_MADE, request.id, snapshot, facts, private)
