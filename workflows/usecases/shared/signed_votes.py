"""What a chat signed of votes in production: kept in the vote's own commit, and looked at again before anything is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.convergence.actions import Note, State
from workflows.core.identity import surface_of
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.request import DecisionKind, Request
from workflows.core.records.signed import SignedAct, SignedVote, SignedVotes
from workflows.core.refusal import Code, Refused
from workflows.core.rules.signed_votes import is_production, why_not_proved
from workflows.ports import IndexEntry, Snapshot
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import CommitAttempt, WorkerContext

# How long after a vote it is first looked whether what was signed of it may go.
LOOK_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """`panel`: on a card about several, the id and the terms' hash of each."""

    act: SignedAct
    panel: tuple[tuple[str, str], ...] = ()


def keys_kept(signed: Signed | None) -> Callable[[Request], tuple[str, ...]]:
    """The record that a vote writes besides, so that it is read with all others."""
    return lambda request: (keys.signed(request.id),) if signed else ()


def keeping(
    signed: Signed | None, actor: Actor, snapshot: Snapshot, request: Request, attempt: CommitAttempt | Refused
) -> CommitAttempt | Refused:
    """The same commit with what was signed of it. `request`: as it stood when it was pressed."""
    if signed is None or isinstance(attempt, Refused) or not is_production(actor.policy, request.terms):
        return attempt
    voted = attempt.change.puts.get(keys.request(request.id))
    account = actor.person.account
    if not isinstance(voted, Request) or account not in {vote.account for vote in voted.votes}:
        return attempt
    item = keys.signed(request.id)
    # What cannot be read proves nothing, and whoever voted before has to press again.
    before = snapshot.readable(item, SignedVotes) or SignedVotes(request.id, snapshot.now)
    vote = SignedVote(account, signed.act, request.terms, signed.panel)
    kept = replace(before, look_at=snapshot.now + LOOK_AFTER).joined_by(vote, (one.account for one in voted.votes))
    index = (*attempt.change.index, look_at_them(kept))
    return replace(attempt, change=replace(attempt.change, puts={**attempt.change.puts, item: kept}, index=index))


def look_at_them(kept: SignedVotes) -> IndexEntry:
    return IndexEntry(keys.SIGNED, kept.request, kept.look_at.timestamp())


def unproved(
    ctx: WorkerContext,
    policy: Policy,
    request: Request,
    people: Mapping[PersonId, PersonFacts | None],
    kept: SignedVotes | None,
    now: datetime,
) -> Refused | None:
    """The first vote that the chat has not signed as it stands there; None where all are, or nothing can be checked here."""
    check = ctx.signatures
    approved = request.decision is not None and request.decision.kind is DecisionKind.APPROVAL
    if check is None or not approved or not is_production(policy, request.terms):
        return None
    for vote in request.votes:
        if vote.account is not None and surface_of(vote.account) != check.surface:
            continue
        found = kept.of(vote.account) if kept and vote.account else None
        said = check.read(found.act) if found else None
        why = why_not_proved(policy, request, vote, people.get(vote.by), found, said, now)
        if why:
            return Refused(Code.VOTE_NOT_PROVED, {"id": request.id, "why": why, "who": vote.said_by, "what": "void"})
    return None


def with_alarm(state: State, grant_id: str, refused: Refused) -> State:
    """The entry by which people are called, where the refusal is that a vote is not proved."""
    if refused.code is not Code.VOTE_NOT_PROVED:
        return state
    return state.with_grants((), Note(Event.VOTE_UNPROVED, grant_id, alarm_facts(refused)))


def alarm_facts(refused: Refused) -> dict[str, str]:
    return {name: refused.params[name] for name in ("id", "why")}
