"""The holder asks for more time on live access: a request of its own, under the same rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.grant import Grant
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, Request, Terms
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, MayAsk, may_ask
from workflows.core.rules.extension import not_to_extend, total_problem
from workflows.core.rules.grant_terms import terms_for
from workflows.core.rules.groups import groups_needed
from workflows.ports import Change, Snapshot
from workflows.usecases.requests.request_access import entries_of, made, new_request
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, not_in_force, run
from workflows.usecases.shared.find_grant import find_grant
from workflows.usecases.shared.limits import blocked, too_many
from workflows.usecases.shared.ticket_check import with_open_ticket
from workflows.usecases.shared.ticket_limit import counted_ticket, noted, used_ticket


def ask_for_more_time(
    ctx: Context,
    id_: str,
    duration: timedelta | None,
    reason: str,
    who: Account,
    origin: Origin,
    commit_id: str,
    ticket: str | None = None,
) -> Outcome | Refused:
    """Record an ask to prolong the grant `id_`. Without a duration the role's default is meant.

    `Outcome.outcome`: `asked`, or `have_it` with the id of the ask that waits already.
    """
    first = find_grant(ctx, id_, "extend")
    if isinstance(first, Refused):
        return first

    def groups(policy: Policy) -> tuple[str, ...]:
        environment = policy.environments.get(first.terms.environment)
        return groups_needed(policy, environment) if environment else ()

    actor = known(ctx, who, groups)
    if isinstance(actor, Refused):
        return actor
    ask = Ask(first.terms.environment, first.terms.role, duration, reason, ticket)
    return run(ctx, lambda: _once(ctx, actor, first.id, ask, origin, commit_id))


def _once(
    ctx: Context, actor: Actor, grant_id: str, ask: Ask, origin: Origin, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    person, item = actor.person, keys.grant(grant_id)
    counted = counted_ticket(actor.policy, ask)
    guard = (keys.ticket_uses(counted.ticket),) if counted else ()
    names = (keys.ACTIVE_POLICY, actor.record, keys.person(person.id), item, keys.request(grant_id), *guard)
    snapshot = ctx.ledger.read(*names, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    grant, original = snapshot.get(item, Grant), snapshot.get(keys.request(grant_id), Request)
    if grant is None or original is None:
        return Refused(Code.ID_UNKNOWN, {"id": grant_id}, audited=False)
    role = actor.policy.entitlement(ask.environment, ask.role)
    problem = not_to_extend(original, grant, role, person.id, snapshot.now)
    if problem:
        asked = problem.code is Code.ALREADY_ASKED and grant.extension
        return Outcome(grant.extension or "", "have_it") if asked else problem
    name = grant.holder_name if grant.holder != person.id else ""
    answer = may_ask(actor.policy, ask, person, grant.holder, actor.groups, snapshot.now, name)
    record = snapshot.get(keys.person(person.id), PersonRecord)
    refusal = (
        not_in_force(snapshot, actor.policy)
        or not_theirs(snapshot, actor)
        or too_many(record)
        or blocked(record, snapshot)
    )
    if isinstance(answer, Refused):
        return answer
    terms = refusal or _terms(actor.policy, answer, grant, original.holder_address)
    if isinstance(terms, Refused):
        return terms
    used = used_ticket(ctx, counted) if counted else None
    checked = used or with_open_ticket(ctx, answer)
    if isinstance(checked, Refused):
        return checked
    return _attempt(ctx, actor, checked, terms, (grant, original), origin, snapshot, commit_id)


def _terms(policy: Policy, answer: MayAsk, grant: Grant, address: Address | None) -> Terms | Refused:
    """The role as it is today, with the time that is added; refused where that is not what the grant gave."""
    entitlement = answer.entitlement
    try:
        terms = terms_for(entitlement, grant.holder, answer.duration, address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    if not terms.target.same_access(grant.terms.target):
        return Refused(Code.ROLE_CHANGED, {"id": grant.id, "role": entitlement.role}, audited=False)
    return total_problem(policy, grant, answer.duration) or terms


def _attempt(
    ctx: Context,
    actor: Actor,
    answer: MayAsk,
    terms: Terms,
    extends: tuple[Grant, Request],
    origin: Origin,
    snapshot: Snapshot,
    commit_id: str,
) -> CommitAttempt:
    (grant, original), person, now = extends, actor.person, snapshot.now
    record = snapshot.get(keys.person(person.id), PersonRecord) or PersonRecord(person.id, person.name, (person.slack,))
    plain = new_request(ctx.ledger.next_id(), actor, answer, terms, origin, snapshot)
    request = replace(
        plain,
        holder=grant.holder,
        holder_name=grant.holder_name,
        holder_slack=_holder_account(actor, grant, original),
        accounts=tuple(dict.fromkeys((*plain.accounts, *original.accounts))),
        holder_address=original.holder_address,
        # Nobody can prolong what is over.
        expires_at=min(plain.expires_at, grant.deadline),
        extends=grant.id,
    )
    tickets, done, item = noted(request, snapshot), Outcome(request.id, "asked"), keys.request(request.id)
    change = Change(
        commit_id=commit_id,
        at=now,
        reads={**snapshot.versions(), item: 0},
        puts={
            item: request,
            keys.grant(grant.id): replace(grant, extension=request.id),
            keys.person(person.id): replace(record, pending=(*record.pending, request.id)),
            **tickets.puts,
        },
        due={item: now + SOON, keys.chat(grant.id): now + SOON},
        index=(*entries_of(request), *tickets.index),
        audit=(made(ctx, request, actor, snapshot),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, keys.chat(grant.id)))


def _holder_account(actor: Actor, grant: Grant, original: Request) -> Account | None:
    """The holder's chat account, where somebody else asks for them."""
    if actor.person.id == grant.holder:
        return None
    return original.holder_slack or (original.requester_slack if original.requester == grant.holder else None)
