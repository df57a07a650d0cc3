"""A worker looks at a pipeline's ask: before people are called, and again before an approval is given out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import Address
from workflows.core.people import GroupFacts
from workflows.core.policy import Policy
from workflows.core.records.lifecycle import Move
from workflows.core.records.request import Closing, Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approvers import speakers
from workflows.core.rules.eligibility import next_change, not_now
from workflows.core.rules.gate_emergency import opened_by
from workflows.core.rules.grant_terms import close
from workflows.core.rules.groups import groups_named, groups_needed
from workflows.core.rules.reminders import escalation_of, next_chase
from workflows.core.rules.seat_matching import enough_people
from workflows.core.rules.ticket_check import verified
from workflows.ports import (
    Change,
    DirectoryUnreachable,
    PolicyUnavailable,
    Snapshot,
    TargetInDoubt,
    TargetThrottled,
)
from workflows.usecases.shared.closing import closing_change, forge_hears, keys_of, refusing
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome, WorkerContext, event, not_in_force, run
from workflows.usecases.shared.delegations import votes_on_behalf, with_delegations
from workflows.usecases.shared.gate_asks import as_known_now, gate_of, other_by_now
from workflows.usecases.shared.parties import party_on_hold, read_with_parties, with_parties
from workflows.usecases.shared.revalidation import approval_no_longer_valid
from workflows.usecases.shared.signed_votes import alarm_facts
from workflows.usecases.shared.troubles import Failure, note

# A pipeline is in no directory.
NO_PERSON = Address("")
# How long to wait before asking again what nobody can tell now, in seconds.
ASK_AGAIN_S = 2.0


def is_new(request: Request) -> bool:
    """Whether nobody has been asked yet."""
    return request.gate is not None and request.gate.looked_at is None


def first_look(ctx: WorkerContext, request: Request) -> None:
    """Whether somebody can decide it, with a ticket that is open; then people are called. May run any number of times."""
    try:
        policy = ctx.policy.current()
        groups = _groups(ctx, policy, request)
    except (DirectoryUnreachable, PolicyUnavailable) as unknown:
        note(ctx, keys.request(request.id), Failure(str(unknown)))
        return
    known = as_known_now(ctx, policy, request)
    ticket = _ticket(ctx, policy, request)
    if isinstance(known, Request) and isinstance(ticket, str):
        try:
            known = _looked_up(ctx, known)
        except (TargetThrottled, TargetInDoubt) as waits:
            _postponed(ctx, request, waits)
            return
    problem = next((one for one in (known, ticket) if isinstance(one, Refused)), None)
    if isinstance(known, Refused) or isinstance(ticket, Refused):
        refusal = problem or Refused(Code.GATE_UNKNOWN)
        run(ctx, lambda: _refuse(ctx, policy, request, refusal))
        return
    seen = replace(known, ticket_note=ticket)
    run(ctx, lambda: _asked_of_people(ctx, policy, seen, groups))


def second_look(ctx: WorkerContext, request: Request) -> None:
    """It was agreed to: derive that again, so that its run can take it; or close it, with why. At its end it is over."""
    now, gate = ctx.ledger.now(), request.gate
    if now >= request.expires_at:
        run(ctx, lambda: _over(ctx, request))
        return
    if gate is None or gate.checked_at is not None:
        # Its run takes it, or its end comes.
        run(ctx, lambda: _put_off(ctx, request))
        return
    try:
        policy = ctx.policy.current()
        problem = no_longer(ctx, policy, request, now)
    except (DirectoryUnreachable, PolicyUnavailable) as unknown:
        note(ctx, keys.request(request.id), Failure(str(unknown)))
        return
    if problem is not None:
        refusal = problem
        run(ctx, lambda: _refuse(ctx, policy, request, refusal))
    else:
        run(ctx, lambda: _given_out(ctx, policy, request))


# ---------------------------------------------------------------- before people are called


def _looked_up(ctx: WorkerContext, request: Request) -> Request | Refused:
    """With the ids of what the pipeline's role would be given, where its gate gives something. Raises as `Target.resolve`."""
    gives = request.gives
    if gives is None:
        return request
    found = ctx.targets.for_terms(gives.target).resolve(gives.target, NO_PERSON, request.id)
    if isinstance(found, Refused):
        return found
    return replace(request, gives=replace(gives, resource=found))


def _postponed(ctx: WorkerContext, request: Request, waits: TargetThrottled | TargetInDoubt) -> None:
    """The ask is on the record, and nobody has been asked yet."""
    item, after_s = keys.request(request.id), getattr(waits, "after_s", ASK_AGAIN_S)
    again_at = ctx.ledger.now() + timedelta(seconds=after_s)
    note(ctx, item, Failure(str(waits) or "the target did not answer", again_at=again_at))
    ctx.ledger.remind(item, after_s)


def _groups(ctx: WorkerContext, policy: Policy, request: Request) -> GroupFacts:
    environment = policy.environments.get(request.terms.environment)
    names = groups_needed(policy, environment) if environment else ()
    groups = ctx.directory.groups(policy, names)
    old = groups.to_look_up(names, ctx.ledger.now())
    if old:
        ctx.refresher.refresh_groups(policy, old)
        groups = ctx.directory.groups(policy, names)
    return with_delegations(ctx, groups, votes_on_behalf(request))


def _ticket(ctx: WorkerContext, policy: Policy, request: Request) -> str | Refused:
    """Why its ticket is taken without being verified, or why it is not taken."""
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    check = entitlement.ticket.verify if entitlement and entitlement.ticket else None
    if check is None or not request.ticket or ctx.tickets is None:
        return ""
    return verified(check, request.ticket, ctx.tickets.look(check, request.ticket))


def _asked_of_people(
    ctx: WorkerContext, policy: Policy, seen: Request, groups: GroupFacts
) -> CommitAttempt | Outcome | Refused:
    snapshot = read_with_parties(ctx, keys_of(seen), seen)
    request = snapshot.get(keys.request(seen.id), Request)
    if request is None or request.gate is None or request.state is not RequestState.PENDING or not is_new(request):
        return Outcome(seen.id, "overtaken")
    if not_in_force(snapshot, policy):
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    facts = with_parties(groups, snapshot, seen)
    # Where it can be opened in an emergency it waits for that, too.
    gate = gate_of(policy, seen)
    opens = opened_by(policy.environments.get(seen.terms.environment), gate)
    nobody = _nobody_can(policy, seen, facts) if opens is None else None
    if nobody:
        return refusing(ctx, snapshot, request, nobody)
    environment = policy.environments[seen.terms.environment]
    looked = seen.gate and replace(seen.gate, wait_ticket=request.gate.wait_ticket, looked_at=snapshot.now)
    problems = groups.problems(groups_needed(policy, environment))
    asked = replace(seen, gate=looked, group_problems=problems)
    item = keys.request(seen.id)
    done = Outcome(seen.id, "resolved")
    change = Change(
        commit_id=f"look:{seen.id}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: asked},
        due={
            item: next_look(policy, asked, snapshot.now),
            keys.chase_due(seen.id): next_chase(asked, escalation_of(policy, asked)),
            keys.chat(seen.id): snapshot.now + SOON,
        },
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(seen.id),))


def next_look(policy: Policy | None, request: Request, now: datetime) -> datetime:
    change = next_change(policy, request, now) if policy else None
    return min(filter(None, (request.expires_at, change)))


def _nobody_can(policy: Policy, request: Request, groups: GroupFacts) -> Refused | None:
    """Whether there are never enough people; where that is not known, people are called and the card says so."""
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    if entitlement is None:
        return Refused(Code.GATE_UNKNOWN, {"name": request.terms.role, "environment": request.terms.environment})
    offered = {word: frozenset(who) for word, who in speakers(policy, entitlement, request, groups).items()}
    named = groups_named(entitlement, tuple(entitlement.approve))
    enough = enough_people(entitlement.approve, offered)
    if enough or groups.unknown(named) or groups.unresolved(named):
        return None
    params = {"environment": request.terms.environment, "groups": ", ".join(named)}
    return Refused(Code.GATE_NOBODY, params)


# ---------------------------------------------------------------- before it is given out


def no_longer(ctx: WorkerContext, policy: Policy, request: Request, now: datetime) -> Refused | None:
    """Why what was agreed to does not stand any more. Raises DirectoryUnreachable or PolicyUnavailable where nobody can tell."""
    problem = approval_no_longer_valid(ctx, request.id, now) or other_by_now(ctx, policy, request)
    if problem is not None:
        return problem
    emergency = request.gate is not None and request.gate.emergency is not None
    shut = not_now(policy, request, now) if not emergency else None
    # It does not wait: it is over.
    return shut and replace(shut, params={name: value for name, value in shut.params.items() if name != "id"})


def _given_out(ctx: WorkerContext, policy: Policy, seen: Request) -> CommitAttempt | Outcome:
    snapshot, request = _read(ctx, seen)
    if request is None or request.gate is None:
        return Outcome(seen.id, "overtaken")
    if not_in_force(snapshot, policy) or party_on_hold(snapshot, request) or request.votes != seen.votes:
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    item = keys.request(seen.id)
    done = Outcome(seen.id, "given_out")
    change = Change(
        commit_id=f"given-out:{seen.id}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(request, gate=replace(request.gate, checked_at=snapshot.now))},
        due={item: request.expires_at, **forge_hears(request, snapshot.now)},
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=tuple(forge_hears(request, snapshot.now)))


def _put_off(ctx: WorkerContext, seen: Request) -> CommitAttempt | Outcome:
    snapshot, request = _read(ctx, seen)
    if request is None or request.gate is None or request.gate.checked_at is None:
        return Outcome(seen.id, "overtaken")
    item = keys.request(seen.id)
    commit_id = f"put-off:{seen.id}:{snapshot.items[item].version}:{ctx.chance.hex(8)}"
    done = Outcome(seen.id, "waits")
    change = Change(commit_id, snapshot.now, snapshot.versions(), due={item: request.expires_at}, answer=done.answer)
    return CommitAttempt(change, done)


def _over(ctx: WorkerContext, seen: Request) -> CommitAttempt | Outcome:
    """Nobody took it in time."""
    snapshot, request = _read(ctx, seen)
    if request is None or snapshot.now < request.expires_at:
        return Outcome(seen.id, "overtaken")
    over = close(request, Move.EXPIRE, Closing(snapshot.now))
    entry = event(ctx, Event.GATE_EXPIRED, seen.id, snapshot, {"terms": request.terms.hash, "approved": "yes"})
    done = Outcome(seen.id, "expired")
    change = closing_change(snapshot, over, f"expire:{seen.id}", (entry,), done.answer)
    return CommitAttempt(change, done, wake=(keys.chat(seen.id),))


def _refuse(ctx: WorkerContext, policy: Policy, seen: Request, refusal: Refused) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(*keys_of(seen))
    request = snapshot.get(keys.request(seen.id), Request)
    open_ = (RequestState.PENDING, RequestState.SCHEDULED)
    if request is None or request.state not in open_ or request.state is not seen.state or request.gate is None:
        return Outcome(seen.id, "overtaken")
    if request.gate.checked_at is not None:
        return Outcome(seen.id, "overtaken")
    if not_in_force(snapshot, policy):
        # By another copy of the policy nobody is turned away.
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    attempt = refusing(ctx, snapshot, request, refusal)
    if refusal.code is not Code.VOTE_NOT_PROVED:
        return attempt
    alarm = event(ctx, Event.VOTE_UNPROVED, request.id, snapshot, alarm_facts(refusal))
    return replace(attempt, change=replace(attempt.change, audit=(alarm, *attempt.change.audit)))


def _read(ctx: WorkerContext, seen: Request) -> tuple[Snapshot, Request | None]:
    snapshot = read_with_parties(ctx, keys_of(seen), seen)
    request = snapshot.get(keys.request(seen.id), Request)
    waits = request is not None and request.gate is not None and request.state is RequestState.SCHEDULED
    return snapshot, request if waits else None
