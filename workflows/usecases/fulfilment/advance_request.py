"""A worker looks at a new request: names to immutable ids, is it standing already, does a rule approve it; and its expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.gates.events import as_told
from workflows.core.identity import Address, Identity, listed_as, spellings
from workflows.core.people import GroupFacts, Member
from workflows.core.policy import Policy
from workflows.core.rebuild.resources import facts_of
from workflows.core.records.grant import Grant
from workflows.core.records.lifecycle import Move
from workflows.core.records.request import Closing, Origin, Request, RequestState
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import rule_groups
from workflows.core.rules.eligibility import next_change, not_now
from workflows.core.rules.grant_terms import close
from workflows.core.rules.groups import groups_needed
from workflows.core.rules.reminders import escalation_of, next_chase
from workflows.ports import (
    Change,
    Committed,
    DirectoryUnreachable,
    PolicyUnavailable,
    Snapshot,
    Target,
    TargetInDoubt,
    TargetRefused,
    TargetThrottled,
)
from workflows.usecases.decisions.auto_approve import by_rule, by_votes, counted, rules, uses_of
from workflows.usecases.decisions.break_glass import give_at_once
from workflows.usecases.fulfilment.start_scheduled import begin
from workflows.usecases.gates.look import first_look, is_new, second_look
from workflows.usecases.shared.closing import closing_change, keys_of, refusing
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome, WorkerContext, event, not_in_force, run
from workflows.usecases.shared.delegations import votes_on_behalf, with_delegations
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.extension import nothing_to_extend
from workflows.usecases.shared.parties import party_on_hold, with_parties
from workflows.usecases.shared.revalidation import facts_now
from workflows.usecases.shared.target_users import claimed, read_users, read_with_user, users_of
from workflows.usecases.shared.troubles import Failure, note

# How long to wait before a target that did not answer is asked again, in seconds.
ASK_AGAIN_S = 3.0
# A rule approves in seconds. Where nobody can tell so long whether it is for this person, people are asked.
RULES_WAIT = timedelta(seconds=30)
# What is wrong with us and not with the ask: it passes.
_PASSING = frozenset(
    {
        Code.POLICY_NOT_IN_FORCE,
        Code.LEDGER_NOT_DURABLE,
        Code.NOT_KNOWN_YET,
        Code.CLOCK_IN_DOUBT,
        Code.OLDER_VERSION_RUNS,
        Code.LEDGER_IN_DOUBT,
        Code.PARTY_ON_HOLD,
    }
)


def advance_request(ctx: WorkerContext, id_: str) -> None:
    """Bring one request forward: expire it, or resolve it and see whether a rule approves it. May run any number of times."""
    item = keys.request(id_)
    snapshot = ctx.ledger.read(item)
    request = snapshot.get(item, Request)
    if request is not None and request.state is RequestState.SCHEDULED:
        (begin if request.gate is None else second_look)(ctx, request)
        return
    if request is None or request.state is not RequestState.PENDING:
        take_off(ctx, item, item)
        return
    if request.extends is not None and _closed_with_its_grant(ctx, request):
        return
    if snapshot.now >= request.expires_at:
        run(ctx, lambda: _expire(ctx, id_))
        return
    if is_new(request):
        first_look(ctx, request)
    elif not request.is_resolved:
        _resolve(ctx, request)
    else:
        _look_again(ctx, request, snapshot)


def _look_again(ctx: WorkerContext, request: Request, snapshot: Snapshot) -> None:
    """It waits, and something may have changed that its card tells: a freeze has begun or is over, the policy is another one."""
    item = keys.request(request.id)
    try:
        policy: Policy | None = ctx.policy.current()
    except PolicyUnavailable:
        policy = None
    change = Change(
        commit_id=f"again:{item}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        due={item: _next_look(policy, request, snapshot.now), keys.chat(request.id): snapshot.now + SOON},
    )
    if isinstance(ctx.ledger.commit(change), Committed):
        ctx.wake(keys.chat(request.id))


def _next_look(policy: Policy | None, request: Request, now: datetime) -> datetime:
    change = next_change(policy, request, now) if policy else None
    return min(filter(None, (request.expires_at, change)))


# ---------------------------------------------------------------- resolving


def _resolve(ctx: WorkerContext, request: Request) -> None:
    item = keys.request(request.id)
    try:
        policy = ctx.policy.current()
        found = _look_up(ctx, request)
    except TargetThrottled as wait:
        # Names that were found are remembered, so the next try gets further.
        note(
            ctx,
            item,
            Failure(
                f"{request.terms.target.provider} asks me to wait",
                again_at=ctx.ledger.now() + timedelta(seconds=wait.after_s),
            ),
        )
        ctx.ledger.remind(item, wait.after_s)
        return
    except (TargetInDoubt, PolicyUnavailable) as problem:
        # The request is safe on the ledger. Nobody has been asked yet, so whoever asked must hear of it.
        note(ctx, item, Failure(str(problem) or f"{request.terms.target.provider} did not answer"))
        return
    except TargetRefused as problem:
        found = Refused(Code.TARGET_REFUSED, {"why": problem.words})
    if isinstance(found, Refused):
        refusal = found
        run(ctx, lambda: _close_unresolved(ctx, request, refusal))
        return
    resource = found
    groups = _groups(ctx, policy, request)
    origin = _origin(ctx, policy, request)
    if origin is None:
        ctx.ledger.remind(keys.request(request.id), ASK_AGAIN_S)
        return
    proved = replace(request, resource=resource, origin=origin)
    if request.break_glass:
        _at_once(ctx, policy, proved, groups)
        return
    run(ctx, lambda: _resolved(ctx, policy, proved, resource, groups))


def _origin(ctx: WorkerContext, policy: Policy, request: Request) -> Origin | None:
    """What the channel really is; None where that is worth waiting for. An emergency waits for nothing."""
    try:
        return ctx.prove_origin(policy, request.origin)
    except DirectoryUnreachable:
        waits = not request.break_glass and ctx.ledger.now() - request.created_at < RULES_WAIT
        return None if waits else request.origin


def _at_once(ctx: WorkerContext, policy: Policy, request: Request, groups: GroupFacts) -> None:
    """Nobody is asked; whether the person still may is looked at again. What only we lack is waited for."""
    try:
        facts = facts_now(ctx, policy, request, request.holder, ctx.ledger.now())
    except DirectoryUnreachable as problem:
        note(ctx, keys.request(request.id), Failure(str(problem)))
        return
    answer: Outcome | Refused = Refused(Code.PERSON_UNKNOWN)
    if facts is not None:
        known = facts
        answer = run(ctx, lambda: give_at_once(ctx, policy, request, groups, known))
    if isinstance(answer, Outcome):
        return
    refusal = answer
    if refusal.code in _PASSING:
        why = refusal.params.get("problem") or refusal.params.get("why") or "I cannot tell yet whether you may"
        note(ctx, keys.request(request.id), Failure(why))
    else:
        run(ctx, lambda: _close_unresolved(ctx, request, refusal))


def _look_up(ctx: WorkerContext, request: Request) -> Resource | Refused:
    """Ids, or why not; and whether the holder has this access anyway, where that cannot be told from ours."""
    if request.extends is not None:
        return _held(ctx, request)
    target = ctx.targets.for_terms(request.terms.target)
    found = _found_in(ctx, target, request)
    if isinstance(found, Refused):
        return found
    if target.tells_ours_apart or _held_by_us(ctx, found):
        return found
    seen = target.observe(found)
    if seen.stands:
        return Refused(Code.STANDING_ACCESS, {"how": seen.through or "", "what": found.title})
    return found


def _found_in(ctx: WorkerContext, target: Target, request: Request) -> Resource | Refused:
    """The holder in a target: the user that is theirs already, else by the address that the terms were made from, else by
    another one of theirs.
    """
    first: Refused | None = None
    snapshot = read_users(ctx, request.holder)
    for address in _addresses(ctx, request, snapshot):
        found = target.resolve(request.terms.target, address, request.id, users_of(snapshot, request.holder))
        if not isinstance(found, Refused) or found.code not in _NOT_UNDER_THAT_ADDRESS:
            return found
        first = first or found
    return first or Refused(Code.TARGET_PERSON_MISSING, {"address": "", "where": request.terms.target.connection})


_NOT_UNDER_THAT_ADDRESS = frozenset({Code.TARGET_PERSON_MISSING, Code.TARGET_PERSON_NOT_TAGGED})


def _addresses(ctx: WorkerContext, request: Request, snapshot: Snapshot) -> tuple[Address, ...]:
    known = snapshot.get(keys.identity(request.holder), Identity)
    own = request.holder_address or listed_as(request.holder)
    found = (*((own,) if own is not None else ()), *(known.current if known is not None else ()))
    former = ctx.policy.current().former_domains
    return tuple(dict.fromkeys(form for address in found for form in (address, *spellings(address, former))))


def _held(ctx: WorkerContext, request: Request) -> Resource | Refused:
    """More time is for what the grant holds already; nothing is to be looked up."""
    item = keys.grant(request.extends or "")
    grant = ctx.ledger.read(item).get(item, Grant)
    if grant is None or not request.terms.target.same_access(grant.terms.target):
        return Refused(Code.ROLE_CHANGED, {"id": request.extends or "", "role": request.terms.role})
    return grant.resource


def _held_by_us(ctx: WorkerContext, resource: Resource) -> bool:
    item = keys.holding(resource.holding)
    return ctx.ledger.read(item).items[item].record is not None


def _groups(ctx: WorkerContext, policy: Policy, request: Request) -> GroupFacts:
    environment = policy.environments.get(request.terms.environment)
    names = groups_needed(policy, environment) if environment else ()
    groups = ctx.directory.groups(policy, names)
    old = groups.to_look_up(names, ctx.ledger.now())
    if old:
        ctx.refresher.refresh_groups(policy, old)
        groups = ctx.directory.groups(policy, names)
    return with_delegations(ctx, groups, votes_on_behalf(request))


def _resolved(
    ctx: WorkerContext, policy: Policy, seen: Request, resource: Resource, groups: GroupFacts
) -> CommitAttempt | Outcome | Refused:
    extra = () if seen.extends else (keys.grant(seen.id), keys.holding(resource.holding))
    uses = (uses_of(seen, rule) for rule in counted(policy, seen))
    names = (*keys_of(seen), *extra, *uses)
    snapshot = read_with_user(ctx, policy, replace(seen, resource=resource), names)
    request = snapshot.get(keys.request(seen.id), Request)
    if request is None or not _waits_for(request, seen):
        return Outcome(seen.id, "overtaken")
    if nothing_to_extend(snapshot, request):
        ctx.ledger.remind(keys.request(seen.id), 0.0)
        return Outcome(seen.id, "overtaken")
    if request.votes and not_in_force(snapshot, policy):
        # Nobody would press again: this process catches up with the policy, or another worker comes.
        ctx.ledger.remind(keys.request(seen.id), ASK_AGAIN_S)
        return Outcome(seen.id, "waits")
    request = replace(request, resource=resource, origin=seen.origin)
    claim = claimed(ctx, policy, request, snapshot)
    if isinstance(claim, Refused):
        return refusing(ctx, snapshot, request, claim)
    attempt = _decided_or_asked(ctx, policy, request, groups, claim.in_force(snapshot))
    return claim.added(attempt) if isinstance(attempt, CommitAttempt) else attempt


def _decided_or_asked(
    ctx: WorkerContext, policy: Policy, request: Request, groups: GroupFacts, snapshot: Snapshot
) -> CommitAttempt | Outcome | Refused:
    """What becomes of an ask whose names are known."""
    environment = policy.environments.get(request.terms.environment)
    names = groups_needed(policy, environment) if environment else ()
    request = replace(request, group_problems=groups.problems(names))
    in_force = not not_in_force(snapshot, policy)
    commit_id = f"resolve:{request.id}:{snapshot.items[keys.request(request.id)].version}"
    groups = with_parties(groups, snapshot, request)
    if in_force and not not_now(policy, request, snapshot.now) and not party_on_hold(snapshot, request):
        decided = by_votes(ctx, policy, request, groups, snapshot, commit_id)
        if isinstance(decided, Refused):
            # Who must agree has: nobody would press again.
            ctx.ledger.remind(keys.request(request.id), ASK_AGAIN_S)
            return Outcome(request.id, "waits")
        if decided is not None:
            return decided
        if _rules_wait(policy, request, groups, snapshot.now):
            ctx.ledger.remind(keys.request(request.id), ASK_AGAIN_S)
            return Outcome(request.id, "waits")
        found = rules(policy, request, groups, snapshot)
        if found.rule is not None:
            return by_rule(ctx, policy, request, found, snapshot, commit_id)
        request = replace(request, used_up=found.used_up)
    return _asked_of_people(ctx, policy, request, snapshot, commit_id)


def _asked_of_people(
    ctx: WorkerContext, policy: Policy, request: Request, snapshot: Snapshot, commit_id: str
) -> CommitAttempt:
    """No rule decides it: what would be given is on the record, and whoever may agree is called."""
    facts = facts_of(request.resource) if request.resource is not None else {}
    done = Outcome(request.id, "resolved")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): request},
        due={
            keys.request(request.id): _next_look(policy, request, snapshot.now),
            keys.chase_due(request.id): next_chase(request, escalation_of(policy, request)),
            keys.chat(request.id): snapshot.now + SOON,
        },
        audit=(event(ctx, Event.REQUEST_RESOLVED, request.id, snapshot, facts),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(request.id),))


def _rules_wait(policy: Policy, request: Request, groups: GroupFacts, now: datetime) -> bool:
    """Whether a rule may be for this holder, and nobody knows yet: people are called out when that lasts."""
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    names = rule_groups(policy, entitlement) if entitlement else ()
    unknown = names and groups.member(request.holder, names) is Member.UNKNOWN
    return bool(unknown) and request.holder == request.requester and now - request.created_at < RULES_WAIT


def _waits_for(request: Request, seen: Request) -> bool:
    """Whether `request` still lacks what was looked up for `seen`: no worker was quicker, and it means the same."""
    return request.state is RequestState.PENDING and request.resource is None and request.terms == seen.terms


# ---------------------------------------------------------------- closing without access


def _closed_with_its_grant(ctx: WorkerContext, request: Request) -> bool:
    """An ask for more of what is over, or ends, is over as well."""
    snapshot = ctx.ledger.read(*keys_of(request))
    refusal = nothing_to_extend(snapshot, request)
    if refusal is not None:
        run(ctx, lambda: _close_by_itself(ctx, request.id, refusal))
    return refusal is not None


def _close_by_itself(ctx: WorkerContext, id_: str, refusal: Refused) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    snapshot = ctx.ledger.read(*keys_of(first)) if first else None
    request = snapshot.get(keys.request(id_), Request) if snapshot else None
    if snapshot is None or request is None or request.state is not RequestState.PENDING:
        return Outcome(id_, "overtaken")
    return refusing(ctx, snapshot, request, refusal)


def _close_unresolved(ctx: WorkerContext, seen: Request, refusal: Refused) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(*keys_of(seen))
    request = snapshot.get(keys.request(seen.id), Request)
    if request is None or not _waits_for(request, seen):
        return Outcome(seen.id, "overtaken")
    return refusing(ctx, snapshot, request, refusal)


def _expire(ctx: WorkerContext, id_: str) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None:
        return Outcome(id_, "overtaken")
    snapshot = ctx.ledger.read(*keys_of(first))
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.state is not RequestState.PENDING or snapshot.now < request.expires_at:
        return Outcome(id_, "overtaken")
    over = close(request, Move.EXPIRE, Closing(snapshot.now))
    kind = as_told(Event.REQUEST_EXPIRED, request.gate)
    entry = event(ctx, kind, request.id, snapshot, {"terms": request.terms.hash})
    done = Outcome(request.id, "expired")
    return CommitAttempt(
        closing_change(snapshot, over, f"expire:{id_}", (entry,), done.answer), done, wake=(keys.chat(id_),)
    )


# ---------------------------------------------------------------- warning


def warn(ctx: WorkerContext, id_: str) -> None:
    """The end is near: mark the grant so that chat tells its holder, once."""
    run(ctx, lambda: _warn(ctx, id_))


def _warn(ctx: WorkerContext, id_: str) -> CommitAttempt | Outcome:
    item = keys.grant(id_)
    snapshot = ctx.ledger.read(item)
    grant = snapshot.get(item, Grant)
    due: dict[str, datetime | None] = {keys.warn_due(id_): None}
    puts: dict[str, Grant] = {}
    if grant is not None and grant.activated_at is not None and grant.end is None and not grant.warned:
        puts = {item: replace(grant, warned=True)}
    done = Outcome(id_, "warned" if puts else "overtaken")
    commit_id = f"warn:{id_}:{snapshot.items[item].version}"
    change = Change(commit_id, snapshot.now, snapshot.versions(), puts=puts, due=due, answer=done.answer)
    return CommitAttempt(change, done, wake=(keys.chat(id_),) if puts else ())
