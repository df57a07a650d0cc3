"""An owner decides: approve, deny; and the requester takes back the ask. One press, decided on the ledger's own word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.gates.events import as_told
from workflows.core.people import Account, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Policy, Visibility
from workflows.core.provider import NAME, TemplateRefused
from workflows.core.records.holding import Holding
from workflows.core.records.lifecycle import Move
from workflows.core.records.request import Closing, Decision, DecisionKind, Request, RequestState, Vote
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import MayDecide, decision_by_votes, may_decide, missing, recount, spoken_as, waits
from workflows.core.rules.eligibility import clean, no_longer, not_now, text_problem
from workflows.core.rules.grant_terms import approve as approved_request
from workflows.core.rules.grant_terms import close, grant_for, held, terms_for, warning_at
from workflows.core.rules.groups import groups_needed
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.actor import Actor, known, nobody, not_theirs
from workflows.usecases.shared.closing import closing_change, keys_of, no_longer_pending, out_of_pending
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.delegations import as_recorded, delegators, votes_on_behalf, with_delegations
from workflows.usecases.shared.emergencies import barred_by_taking_back
from workflows.usecases.shared.extension import extend_grant, nothing_to_extend, too_long_now
from workflows.usecases.shared.gate_asks import as_known_now, to_be_looked_at
from workflows.usecases.shared.gate_release import calling_off, can_be_called_off, releasing
from workflows.usecases.shared.parties import party_keys, party_on_hold, read_with_parties, with_parties
from workflows.usecases.shared.scheduling import begins_later, scheduling
from workflows.usecases.shared.signed_votes import Signed, keeping, keys_kept
from workflows.usecases.shared.target_users import taken_into_use, user_keys

# What is done with a request that was found, by somebody who is known, on one snapshot.
Decide = Callable[[Actor, Snapshot, Request], CommitAttempt | Refused]
Also = Callable[[Request], tuple[str, ...]]


def approve(
    ctx: Context,
    id_: str,
    who: Account,
    commit_id: str,
    terms_hash: str | None = None,
    signed: Signed | None = None,
) -> Outcome | Refused:
    """Agree to a request. `terms_hash` is the button's; None where it was typed, which means the terms as they stand.
    `signed`: what the chat signed of the press, which is kept where it is about production.

    `Outcome.outcome`: `approved`, or `agreed` while somebody else must agree, too.
    """

    def vote(actor: Actor, snapshot: Snapshot, request: Request) -> CommitAttempt | Refused:
        return keeping(signed, actor, snapshot, request, _vote(ctx, actor, snapshot, request, commit_id, terms_hash))

    return decide_on(ctx, id_, who, vote, commit_id, keys_kept(signed))


def deny(ctx: Context, id_: str, who: Account, reason: str, commit_id: str) -> Outcome | Refused:
    """Refuse a request, with a reason. `Outcome.outcome`: `denied`."""
    problem = text_problem(reason, {"what": "deny", "id": id_})
    if problem:
        return problem

    def refuse(actor: Actor, snapshot: Snapshot, request: Request) -> CommitAttempt | Refused:
        return _deny(ctx, actor, snapshot, request, clean(reason), commit_id)

    return decide_on(ctx, id_, who, refuse, commit_id, on_hold=True)


def withdraw(ctx: Context, id_: str, who: Account, commit_id: str) -> Outcome | Refused:
    """The requester takes back the ask. `Outcome.outcome`: `withdrawn`."""
    actor = known(ctx, who, nobody, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _withdraw(ctx, actor, id_, commit_id))


def decline(ctx: Context, id_: str, who: Account, commit_id: str) -> Outcome | Refused:
    """The person for whom somebody else asked does not want it. `Outcome.outcome`: `withdrawn`."""
    actor = known(ctx, who, nobody, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _decline(ctx, actor, id_, commit_id))


# ---------------------------------------------------------------- the common part


def decide_on(
    ctx: Context,
    id_: str,
    who: Account,
    then: Decide,
    commit_id: str,
    also: Also = lambda _: (),
    *,
    on_hold: bool = False,
) -> Outcome | Refused:
    """Find the request and who acts, and do `then` with them until it is on the ledger. `also`: more records to read.

    `on_hold`: whether an account that is on hold may do it.
    """
    first = find_request(ctx, id_)
    if isinstance(first, Refused):
        return first
    ctx.ahead.expect_records(
        *keys_of(first), *_grant_keys(first), *party_keys(first), *also(first), commit_id=commit_id
    )

    def groups(policy: Policy) -> tuple[str, ...]:
        environment = policy.environments.get(first.terms.environment)
        return groups_needed(policy, environment) if environment else ()

    actor = known(ctx, who, groups, on_hold=on_hold)
    if isinstance(actor, Refused):
        return actor
    knows = actor
    if away := votes_on_behalf(first):
        knows = replace(actor, groups=with_delegations(ctx, actor.groups, away))
    return run(ctx, lambda: _decide_once(ctx, knows, id_, then, commit_id, also, on_hold=on_hold))


def find_request(ctx: Context, id_: str) -> Request | Refused:
    request = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    return request if request is not None else Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)


def _decide_once(
    ctx: Context, actor: Actor, id_: str, then: Decide, commit_id: str, also: Also, *, on_hold: bool
) -> CommitAttempt | Outcome | Refused:
    found = find_request(ctx, id_)
    if isinstance(found, Refused):
        return found
    extra = (*_grant_keys(found), *party_keys(found), *also(found))
    own = (actor.record, keys.identity(actor.person.id))
    names = (*keys_of(found), *own, *extra, *delegators(actor.groups))
    snapshot = read_with_parties(ctx, names, found, commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    if (
        request is None
        or (*_grant_keys(request), *party_keys(request), *also(request)) != extra
        or request.slot != found.slot
    ):
        return _decide_once(ctx, actor, id_, then, commit_id, also, on_hold=on_hold)
    problem = not_theirs(snapshot, actor, on_hold=on_hold) or not_in_force(snapshot, actor.policy)
    groups = with_parties(as_recorded(actor.groups, snapshot), snapshot, request, actor.person.id)
    return problem or then(replace(actor, groups=groups), snapshot, request)


def _grant_keys(request: Request) -> tuple[str, ...]:
    if request.resource is None or request.extends is not None:
        return ()
    return keys.grant(request.id), keys.holding(request.resource.holding), *user_keys(request)


def not_open(request: Request, snapshot: Snapshot) -> Refused | None:
    """A press on a decided request changes nothing and says what was decided."""
    if request.state is not RequestState.PENDING:
        return Refused(Code.DECIDED, {"id": request.id, "state": how_decided(request), "by": decided_by(request)})
    ended = nothing_to_extend(snapshot, request)
    if ended:
        return ended
    if snapshot.now >= request.expires_at:
        return Refused(Code.DECIDED, {"id": request.id, "state": RequestState.EXPIRED.value, "by": ""})
    if not request.is_resolved:
        return Refused(Code.NOT_RESOLVED_YET, {"id": request.id, NAME: request.terms.target.provider}, audited=False)
    return None


def decided_already(policy: Policy, request: Request, closed: Refused | None) -> Refused | None:
    """Who may not decide what is decided is told that it is, where that is no secret: nothing is missing from anybody."""
    place = policy.environments.get(request.terms.environment)
    told = place is not None and place.visibility is Visibility.OPEN
    return closed if closed is not None and closed.code is Code.DECIDED and told else None


def decided_by(request: Request) -> str:
    """Those who decided, for a sentence; empty where nobody did. What the bot closed after an approval, nobody denied."""
    if request.closing is not None:
        return request.closing.by_name or ""
    if request.decision is not None:
        rule = f"the rule '{request.decision.rule}'" if request.decision.rule else ""
        return ", ".join(request.decision.by_names) or rule
    return ""


def how_decided(request: Request) -> str:
    """The word for what became of it, in a refusal."""
    if request.closing is not None and request.closing.code is not None:
        return "not_given"
    if request.gate is not None and request.closing is None and request.decision is not None:
        if request.break_glass:
            return "opened_and_went_on" if request.state is RequestState.APPROVED else "opened"
        return "went_on" if request.state is RequestState.APPROVED else "let_on"
    if request.called_off is not None:
        return RequestState.DENIED.value
    if request.declined:
        return "declined"
    return "broken" if request.break_glass and request.decision else request.state.value


# ---------------------------------------------------------------- approve


def _vote(
    ctx: Context, actor: Actor, snapshot: Snapshot, request: Request, commit_id: str, terms_hash: str | None
) -> CommitAttempt | Refused:
    answer = may_decide(actor.policy, request, actor.person, actor.groups)
    closed = not_open(request, snapshot)
    if isinstance(answer, Refused):
        return decided_already(actor.policy, request, closed) or answer
    if closed:
        return closed
    changed = changed_terms(ctx, actor, snapshot, request, commit_id)
    if changed:
        return changed
    if terms_hash is not None and terms_hash != request.terms.hash:
        return Refused(Code.TERMS_CHANGED, {"id": request.id, **({"gate": "yes"} if request.gate else {})})
    shut = (
        party_on_hold(snapshot, request)
        or no_longer(actor.policy, request, actor.groups)
        or too_long_now(actor.policy, snapshot, request)
        or not_now(actor.policy, request, snapshot.now, actor.person.id, actor.groups)
    )
    if shut:
        return shut
    if any(vote.by == actor.person.id for vote in request.votes):
        enough = _enough(actor, request)
        if isinstance(enough, Refused) or not enough:
            return enough or Refused(Code.ALREADY_VOTED, {"id": request.id}, audited=False)
    return count(ctx, actor, snapshot, request, answer.groups, commit_id)


def _enough(actor: Actor, request: Request) -> bool | Refused:
    """Whether all who must agree have: a freeze came between the last of them and the names, and now it is over."""
    entitlement = _entitlement(actor, request)
    votes = recount(actor.policy, request, actor.groups)
    if isinstance(votes, Refused):
        return votes
    return bool(entitlement.approve) and not missing(entitlement, votes, actor.groups.alike)


def _entitlement(actor: Actor, request: Request) -> Entitlement:
    """After `may_decide`, which has found it. Raises LookupError."""
    found = actor.policy.entitlement(request.terms.environment, request.terms.role)
    if found is None:
        raise LookupError(f"the policy has no {request.terms.role} in {request.terms.environment}")
    return found


def changed_terms(
    ctx: Context, actor: Actor, snapshot: Snapshot, request: Request, commit_id: str
) -> CommitAttempt | Refused | None:
    """Where the role means something else by now: votes are void, names are resolved again, the card is shown anew."""
    meant = _meant_now(ctx, actor.policy, request)
    if isinstance(meant, Refused):
        return meant
    if meant.terms.hash == request.terms.hash and meant.parties == request.parties:
        return None
    terms = meant.terms
    anew = replace(meant, votes=(), resource=None, policy_hash=actor.policy.hash)
    item = keys.request(request.id)
    done = Outcome(request.id, "terms_changed" if request.gate is None else "gate_changed")
    facts = {"before": request.terms.hash, "after": terms.hash, "policy": actor.policy.hash[:12]}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: anew},
        due={item: snapshot.now + SOON, keys.chat(request.id): snapshot.now + SOON},
        audit=(event(ctx, as_told(Event.REQUEST_TERMS_CHANGED, request.gate), request.id, snapshot, facts),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))


def _meant_now(ctx: Context, policy: Policy, request: Request) -> Request | Refused:
    """The ask under the policy in force; of a pipeline's, with who is known to have begun the run, and to be looked at anew."""
    if request.gate is not None:
        known = as_known_now(ctx, policy, request)
        return known if isinstance(known, Refused) else to_be_looked_at(known)
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    if entitlement is None:
        return Refused(Code.ROLE_UNKNOWN, {"name": request.terms.role, "environment": request.terms.environment})
    try:
        terms = terms_for(entitlement, request.holder, request.terms.duration, request.holder_address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    return replace(request, terms=terms)


def count(
    ctx: Context, actor: Actor, snapshot: Snapshot, request: Request, groups: tuple[str, ...], commit_id: str
) -> CommitAttempt | Refused:
    """One more vote for the request as it is, by somebody who may: the approval where it is the last one needed."""
    person = actor.person
    entitlement = _entitlement(actor, request)
    earlier = tuple(vote for vote in request.votes if vote.by != person.id)
    # Counted together: whoever speaks for themselves now needs nobody any more who spoke in their place.
    together = replace(request, votes=(*earlier, vote_by(actor, snapshot, request, groups)))
    votes = recount(actor.policy, together, actor.groups)
    if isinstance(votes, Refused):
        return votes
    same = spoken_as(entitlement, votes, person.id, actor.groups.alike)
    if same is not None:
        return Refused(Code.COUNTS_AS_VOTER, {"id": request.id, "name": same.by_name})
    decision = decision_by_votes(entitlement, votes, actor.policy.hash, snapshot.now, actor.groups.alike)
    # Whose account is on hold has not agreed for as long as that lasts, and nobody in their place; what is decided without them
    # goes on without them.
    waiting = () if decision is not None else tuple(one for one in earlier if waits(one, actor.groups))
    counted = (one for one in votes if one.by not in {other.by for other in waiting})
    voted = replace(request, votes=(*counted, *waiting))
    facts = vote_facts(actor, snapshot, request, groups)
    rights = next((vote.for_ for vote in voted.votes if vote.by == person.id), ())
    facts |= {"delegated": "yes"} if rights else {}
    private = {"actor": person.id, "actor_name": person.name, **in_place_of(actor, rights)}
    if decision is not None:
        kind = as_told(Event.REQUEST_APPROVED, request.gate)
        entry = event(ctx, kind, request.id, snapshot, facts, private)
        return deciding(voted, decision, snapshot, commit_id, entry)
    done = Outcome(request.id, "agreed")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): voted},
        due={keys.chat(request.id): snapshot.now + SOON},
        audit=(event(ctx, as_told(Event.REQUEST_AGREED, request.gate), request.id, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(request.id),))


def in_place_of(actor: Actor, rights: tuple[PersonId, ...]) -> dict[str, str]:
    """Whose right it was, where it was not the actor's own."""
    if not rights:
        return {}
    return {"for": ", ".join(rights), "for_name": " and ".join(actor.groups.names(rights))}


def vote_by(actor: Actor, snapshot: Snapshot, request: Request, groups: tuple[str, ...]) -> Vote:
    """The vote of who acts, on the terms as they stand."""
    answer = may_decide(actor.policy, request, actor.person, actor.groups)
    rights = answer.for_ if isinstance(answer, MayDecide) else ()
    names = actor.groups.names(rights)
    person = actor.person
    return Vote(person.id, person.name, snapshot.now, groups, request.terms.hash, rights, names, person.account)


def vote_facts(actor: Actor, snapshot: Snapshot, request: Request, groups: tuple[str, ...]) -> dict[str, str]:
    """What a vote rested on, and its age."""
    ages = [snapshot.now - facts.as_of for name in groups if (facts := actor.groups.by_name.get(name)) and facts.as_of]
    return {
        "terms": request.terms.hash,
        "policy": actor.policy.hash[:12],
        "groups": ",".join(groups),
        "person_age_s": str(int((snapshot.now - actor.person.as_of).total_seconds())),
        "groups_age_s": str(int(max((age.total_seconds() for age in ages), default=0))),
        **actor.person.from_where,
    }


def deciding(
    request: Request, decision: Decision, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt | Refused:
    """What an approval commits: a grant, more time on one, a start that is agreed on, or that a pipeline's run may go on."""
    if request.gate is not None:
        return releasing(request, decision, snapshot, commit_id, entry)
    if request.extends is not None:
        return extend_grant(request, decision, snapshot, commit_id, entry)
    if begins_later(request, snapshot):
        return scheduling(request, decision, snapshot, commit_id, entry)
    return granting(request, decision, snapshot, commit_id, entry)


def granting(
    request: Request, decision: Decision, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt | Refused:
    """The commit from which access may follow: decision, deadline and holding in one atomic step. Refused where the user in
    the target is another person's; it is written, too, so that nobody makes it another's at the same time.
    """
    theirs = taken_into_use(snapshot, request)
    if isinstance(theirs, Refused):
        return theirs
    approved = approved_request(request, decision)
    grant = grant_for(approved, decision)
    holding = held(snapshot.get(keys.holding(grant.holding), Holding), grant)
    item = keys.holding(grant.holding)
    outcome = "approved" if decision.kind is DecisionKind.APPROVAL else decision.kind.value
    done = Outcome(request.id, outcome)
    live = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={
            keys.request(request.id): approved,
            keys.grant(grant.id): grant,
            item: holding,
            **theirs,
            **no_longer_pending(snapshot, request),
        },
        due={
            keys.request(request.id): None,
            keys.end_due(grant.id): grant.deadline,
            keys.warn_due(grant.id): warning_at(grant),
            keys.chase_due(grant.id): None,
            item: snapshot.now + SOON,
            keys.chat(request.id): snapshot.now + SOON,
        },
        index=(*out_of_pending(request), *(IndexEntry(name, grant.id, grant.deadline.timestamp()) for name in live)),
        audit=(entry,),
        gives_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, keys.chat(request.id)))


# ---------------------------------------------------------------- deny, withdraw


def _deny(
    ctx: Context, actor: Actor, snapshot: Snapshot, request: Request, reason: str, commit_id: str
) -> CommitAttempt | Refused:
    answer = may_decide(actor.policy, request, actor.person, actor.groups)
    closed = None if can_be_called_off(request) else _over(request, snapshot)
    if isinstance(answer, Refused):
        return decided_already(actor.policy, request, closed) or answer
    if closed:
        return closed
    more = in_place_of(actor, answer.for_)
    attempt = _closed(ctx, actor.person, snapshot, request, Move.DENY, Event.REQUEST_DENIED, reason, commit_id, more)
    return barred_by_taking_back(ctx, snapshot, request, actor.person.name, attempt)


def _over(request: Request, snapshot: Snapshot) -> Refused | None:
    """Whether it is too late for a no: what waits for its names, or for its start, can still be called off."""
    closed = None if request.state is RequestState.SCHEDULED else not_open(request, snapshot)
    return closed if closed and closed.code is not Code.NOT_RESOLVED_YET else None


def _withdraw(ctx: Context, actor: Actor, id_: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    def refused(request: Request | None) -> Refused | None:
        of_pipeline = {"gate": request.gate.gate} if request and request.gate else {}
        own = request is not None and actor.person.id == request.requester
        return None if own else Refused(Code.NOT_YOURS, {"groups": "", **of_pipeline})

    return _called_off(ctx, actor, id_, commit_id, refused, Event.REQUEST_WITHDRAWN)


def _decline(ctx: Context, actor: Actor, id_: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    def refused(request: Request | None) -> Refused | None:
        own = request is not None and actor.person.id == request.holder != request.requester
        return None if own else Refused(Code.NOT_THE_HOLDER, {"id": id_}, audited=False)

    return _called_off(ctx, actor, id_, commit_id, refused, Event.REQUEST_DECLINED)


def _called_off(
    ctx: Context,
    actor: Actor,
    id_: str,
    commit_id: str,
    refused: Callable[[Request | None], Refused | None],
    kind: Event,
) -> CommitAttempt | Outcome | Refused:
    found = find_request(ctx, id_)
    if isinstance(found, Refused):
        return found
    snapshot = ctx.ledger.read(*keys_of(found), actor.record, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    refusal = refused(request) or not_theirs(snapshot, actor, on_hold=True)
    if refusal or request is None:
        return refusal or Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    closed = _over(request, snapshot)
    if closed:
        return closed
    return _closed(ctx, actor.person, snapshot, request, Move.WITHDRAW, kind, None, commit_id)


def _closed(
    ctx: Context,
    person: PersonFacts,
    snapshot: Snapshot,
    request: Request,
    move: Move,
    kind: Event,
    reason: str | None,
    commit_id: str,
    more: Mapping[str, str] = MappingProxyType({}),
) -> CommitAttempt:
    closing = Closing(snapshot.now, person.id, person.name, reason)
    private: dict[str, str] = {"actor": person.id, "actor_name": person.name, **more}
    private |= {"reason": reason} if reason else {}
    told = as_told(kind, request.gate)
    entry = event(ctx, told, request.id, snapshot, {"terms": request.terms.hash}, private)
    if can_be_called_off(request):
        return calling_off(request, closing, snapshot, commit_id, entry)
    over = close(request, move, closing)
    done = Outcome(request.id, over.state.value)
    change = closing_change(snapshot, over, commit_id, (entry,), done.answer)
    return CommitAttempt(change, done, wake=(keys.chat(request.id),))
