"""Before anything is given, the decision is derived again from the record, on people as they are now."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.convergence.actions import latest_end
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request, RequestState
from workflows.core.records.signed import SignedVotes
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import still_decided
from workflows.core.rules.groups import groups_needed
from workflows.ports import DirectoryUnreachable, OnHold, PolicyUnavailable
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.context import WorkerContext, not_in_force
from workflows.usecases.shared.delegations import votes_on_behalf, with_delegations
from workflows.usecases.shared.gate_asks import other_by_now
from workflows.usecases.shared.parties import party_on_hold, read_with_parties, with_parties
from workflows.usecases.shared.signed_votes import unproved
from workflows.usecases.shared.target_users import still_theirs, user_keys
from workflows.usecases.shared.ticket_check import ticket_no_longer_open
from workflows.usecases.shared.vouched import fresh_or_vouched


def approval_no_longer_valid(ctx: WorkerContext, id_: str, now: datetime) -> Refused | None:
    """Why the recorded decision does not stand any more; None where it does.

    Raises DirectoryUnreachable (OnHold and TicketUnverified, too) or PolicyUnavailable where that cannot be told now: nothing is
    given, and nothing is ended.
    """
    snapshot = ctx.ledger.read(keys.request(id_), keys.ACTIVE_POLICY, keys.signed(id_))
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.decision is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_})
    policy = ctx.policy.current()
    other_copy = not_in_force(snapshot, policy)
    if other_copy is not None:
        raise PolicyUnavailable(other_copy.params["why"])
    spoken = votes_on_behalf(request)
    holder = (request.holder,) if request.gate is None else ()
    concerned = (*holder, *request.decision.by, *spoken)
    people = {who: facts_now(ctx, policy, request, who, now) for who in concerned}
    environment = policy.environments.get(request.terms.environment)
    names = groups_needed(policy, environment) if environment else ()
    groups = ctx.directory.groups(policy, names)
    old = groups.to_look_up(names, now)
    if old:
        ctx.refresher.refresh_groups(policy, old)
        groups = ctx.directory.groups(policy, names)
    sides = read_with_parties(ctx, user_keys(request), request)
    waits = party_on_hold(sides, request)
    if waits is not None:
        raise OnHold(f"the account of {waits.params['name']} is on hold")
    elses = still_theirs(ctx, sides, request) if request.gate is None else None
    if elses is not None:
        return elses
    groups = with_parties(with_delegations(ctx, groups, spoken), sides, request)
    answer = still_decided(policy, request, groups, people, _total(ctx, request))
    if answer is not None and answer.code is Code.COUNTS_AS_VOTER:
        raise OnHold("two of those who agreed count as one person while an account is on hold")
    if answer is not None and answer.code is Code.NOT_KNOWN_YET:
        raise DirectoryUnreachable(f"{answer.params['groups']}: {answer.params['why']}")
    kept = snapshot.readable(keys.signed(id_), SignedVotes)
    # What a gate gives is given while its run goes on: the gate, and the pipeline, may be others by now.
    gives = request.gate is not None and request.state is RequestState.APPROVED
    answer = answer or (other_by_now(ctx, policy, request) if gives else None)
    return answer or unproved(ctx, policy, request, people, kept, now) or ticket_no_longer_open(ctx, policy, request)


def _total(ctx: WorkerContext, request: Request) -> timedelta:
    """What a rule's limit counts: with an extension all of the grant's time, from its beginning on."""
    if request.extends is None:
        return request.terms.duration
    item = keys.grant(request.extends)
    grant = ctx.ledger.read(item).get(item, Grant)
    return latest_end(grant) - grant.decision.at if grant else timedelta.max


def facts_now(ctx: WorkerContext, policy: Policy, request: Request, who: PersonId, now: datetime) -> PersonFacts | None:
    """What the chat says of somebody's account, asked anew where it is not fresh; of who agreed, of the account that did. None
    where that account is theirs no more. Raises DirectoryUnreachable, and OnHold while nobody knows whose it is.
    """
    pressed = {vote.account for vote in request.votes if vote.by == who and vote.account is not None}
    emergency = request.gate.emergency if request.gate is not None else None
    pressed |= {emergency.account} if emergency is not None and emergency.by == who else set()
    found = [fresh_or_vouched(ctx, policy, who, account, now) for account in bound_to(ctx, who)]
    theirs = [facts for facts in found if facts.id == who and (not pressed or not pressed.isdisjoint(facts.accounts))]
    if not theirs:
        return None
    best = min(theirs, key=lambda facts: (facts.standing_problem is not None, facts.suspended is not None))
    if best.suspended is not None and not best.standing_problem:
        raise OnHold(f"the account of {best.name} is on hold")
    return best
