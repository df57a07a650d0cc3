"""Access that the archive has as open, and the ledger does not know: it becomes a grant at its end, for workers to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.gates.events import as_told
from workflows.core.identity import SLACK, TargetUser
from workflows.core.people import Account, PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.provider import TargetTerms
from workflows.core.rebuild.resources import resource_in
from workflows.core.rebuild.stories import Over, Stories, Story
from workflows.core.records.grant import CLOSED, End, EndCause, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.oversight import Review
from workflows.core.records.request import Closing, Decision, DecisionKind, Request, RequestState, Terms
from workflows.core.records.target import Resource
from workflows.core.rules.break_glass import next_chase, review_owed
from workflows.core.rules.grant_terms import close, grant_for, held
from workflows.ports import Change, IndexEntry, PolicyUnavailable, Snapshot
from workflows.usecases.shared.closing import closing_change, keys_of, no_longer_pending, out_of_pending
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run
from workflows.usecases.shared.take_back import take_back

WHY = "the record was made again from the archive, and did not know of it"
_SAID = {"actor_name": "prodaccess", "reason": WHY}
# Whom nobody knows any more: who they were stood in what was lost.
NOBODY = PersonId("unknown")
_DECIDED_BY = {
    Event.REQUEST_AUTO_APPROVED: DecisionKind.AUTO,
    Event.BREAK_GLASS_USED: DecisionKind.BREAK_GLASS,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """`id`: of the grant; another one than the story's, where an older copy has given that number to somebody else. `resource`:
    None where the entries say too little to take it away by.
    """

    id: str
    story: Story
    resource: Resource | None
    owes_review: bool = False

    @property
    def words(self) -> str:
        """`PA-1043 read-only in payments-prod: ReadOnlyAccess in account 111122223333`."""
        facts = self.story.resource
        what = facts.get("title") or " ".join(
            f"{name} {facts[name]}" for name in sorted(facts) if name.startswith("id.")
        )
        was = f" (was {self.story.id})" if self.id != self.story.id else ""
        return f"{self.id}{was} {self.story.role} in {self.story.environment}: {what or 'its names are not known'}"


def endings(ctx: Context, stories: Stories, target: Callable[[str], TargetTerms]) -> tuple[Ending, ...]:
    """All that has to end. Nothing is written."""
    found = []
    for story in stories.open():
        snapshot = ctx.ledger.read(keys.request(story.id), keys.grant(story.id))
        if snapshot.items[keys.grant(story.id)].is_absent or not is_of(snapshot, story):
            resource = resource_in(story.resource, target)
            reached = _reached(ctx, resource) if resource else None
            found.append(Ending(story.id, story, reached, stories.owes_review(story.id)))
    return tuple(found)


def is_of(snapshot: Snapshot, story: Story) -> bool:
    """Whether what the ledger has under this id is the same request, and not one of an older copy that went on."""
    request = snapshot.readable(keys.request(story.id), Request)
    return request is None or request.created_at == story.made_at


def _reached(ctx: Context, resource: Resource) -> Resource:
    """As the policy reaches it now; where it does not any more, as it was."""
    try:
        connection = ctx.policy.current().connections.get(resource.target.connection)
    except PolicyUnavailable:
        return resource
    return replace(resource, target=resource.target.through(connection)) if connection is not None else resource


def overtaken(ctx: Context, stories: Stories) -> tuple[str, ...]:
    """Requests that the ledger has as waiting, or grants that it has as live, and that were over when it was lost."""
    return tuple(id_ for id_, over in stories.over.items() if _is_overtaken(ctx, id_, over))


def _is_overtaken(ctx: Context, id_: str, over: Over) -> bool:
    snapshot = ctx.ledger.read(keys.request(id_), keys.grant(id_))
    request, grant = snapshot.readable(keys.request(id_), Request), snapshot.readable(keys.grant(id_), Grant)
    if request is not None and request.created_at != over.made_at:
        return False  # of an older copy that went on
    waits = request is not None and request.state in (RequestState.PENDING, RequestState.SCHEDULED)
    return waits or (grant is not None and grant.state in (GrantState.ACTIVATING, GrantState.ACTIVE))


# ---------------------------------------------------------------- what is written


def end_unknown(ctx: Context, one: Ending) -> CommitAttempt | Outcome:
    """The grant, at its end, and the request that it follows from."""
    story, resource = one.story, one.resource
    if resource is None or story.decided_at is None:
        raise ValueError(f"{one.id} cannot be ended")
    id_ = _id_for(ctx, story)
    items = keys.request(id_), keys.grant(id_), keys.review(id_)
    names = (*items, keys.holding(resource.holding), keys.target_user(resource.user))
    first = ctx.ledger.read(*names)
    known = first.get(keys.request(id_), Request)
    snapshot = ctx.ledger.read(*names, *(keys_of(known) if known else ()))
    if not snapshot.items[keys.grant(id_)].is_absent:
        return Outcome(id_, "there")
    request = request_of(ctx, id_, story, resource, snapshot)
    grant = _at_its_end(request, snapshot.now)
    done = Outcome(id_, "ending")
    item, live = (
        keys.holding(grant.holding),
        keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder),
    )
    review = owed(ctx, request, snapshot.now) if one.owes_review else None
    entry = event(ctx, Event.GRANT_END_STARTED, id_, snapshot, {"cause": EndCause.REVOKED.value}, _SAID)
    change = Change(
        commit_id=f"rebuilt:{id_}:{snapshot.items[keys.request(id_)].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={
            keys.request(id_): request,
            keys.grant(id_): grant,
            item: _held(snapshot.get(item, Holding), grant),
            **(no_longer_pending(snapshot, request) if known else {}),
            **({keys.review(id_): review} if review else {}),
        },
        due={
            keys.request(id_): None,
            keys.chase_due(id_): None,
            keys.end_due(id_): snapshot.now,
            item: snapshot.now,
            keys.chat(id_): snapshot.now + SOON,
            **({keys.review(id_): next_chase(review)} if review else {}),
        },
        index=(
            *out_of_pending(request),
            *(IndexEntry(name, id_, snapshot.now.timestamp()) for name in live),
            *(listed(review) if review else ()),
        ),
        audit=(entry,),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))


def owed(ctx: Context, request: Request, now: datetime, who: PersonId | None = None) -> Review:
    """The review of a break-glass whose own is lost. Its time begins anew: nobody could have done it meanwhile. `who`: broke the
    glass, where that was not the holder.
    """
    name = request.terms.environment
    try:
        place = ctx.policy.current().environments.get(name)
    except PolicyUnavailable:
        place = None
    return review_owed(request.id, name, place.break_glass if place else None, who or request.holder, now)


def listed(review: Review) -> Iterator[IndexEntry]:
    places = keys.places(keys.REVIEWS, environment=review.environment, person_id=review.holder)
    return (IndexEntry(name, review.id, review.due_at.timestamp()) for name in places)


def _id_for(ctx: Context, story: Story) -> str:
    snapshot = ctx.ledger.read(keys.request(story.id))
    return story.id if is_of(snapshot, story) else ctx.ledger.next_id()


def request_of(ctx: Context, id_: str, story: Story, resource: Resource, snapshot: Snapshot) -> Request:
    known = snapshot.get(keys.request(id_), Request)
    policy_hash = story.asked.get("policy", "")
    kind = _DECIDED_BY.get(story.decided_by, DecisionKind.APPROVAL) if story.decided_by else DecisionKind.APPROVAL
    decision = Decision(kind, story.decided_at or story.made_at, policy_hash)
    if known is not None:
        return replace(known, state=RequestState.APPROVED, decision=known.decision or decision, resource=resource)
    user = snapshot.readable(keys.target_user(resource.user), TargetUser)
    holder = PersonId(story.words.get("holder") or story.words.get("actor") or (user.person if user else NOBODY))
    name = story.words.get("holder_name") or story.words.get("actor_name") or (user.name if user else "somebody")
    facts = ctx.directory.of_person(holder) if ctx.directory is not None else None
    return Request(
        id=id_,
        requester=holder,
        requester_name=name,
        requester_slack=facts.slack if facts is not None else Account(SLACK, "", ""),
        holder=holder,
        holder_name=name,
        terms=_terms(ctx, story, holder, resource),
        reason=story.words.get("reason") or "not known any more",
        state=RequestState.APPROVED,
        created_at=story.made_at,
        expires_at=story.made_at,
        policy_hash=policy_hash,
        resource=resource,
        decision=decision,
        break_glass=kind is DecisionKind.BREAK_GLASS,
    )


def _terms(ctx: Context, story: Story, holder: PersonId, resource: Resource) -> Terms:
    """What of them is not known is taken for the worst."""
    try:
        entitlement = ctx.policy.current().entitlement(story.environment, story.role)
    except PolicyUnavailable:
        entitlement = None
    return Terms(
        environment=story.environment,
        role=story.role,
        tier=entitlement.tier if entitlement else Tier.PRODUCTION,
        risk=entitlement.risk if entitlement else Risk.ADMIN,
        holder=holder,
        duration_s=int(story.asked.get("duration_s", "0")),
        target=resource.target,
        allows=entitlement.allows if entitlement else "",
    )


def _at_its_end(request: Request, now: datetime) -> Grant:
    if request.decision is None:
        raise ValueError(f"{request.id} was not decided")
    made = grant_for(request, request.decision)
    end = End(EndCause.REVOKED, now, by_name="prodaccess", reason=WHY)
    state = step(GrantState.ACTIVE, Move.END)
    return replace(made, state=state, activated_at=request.decision.at, deadline=min(made.deadline, now), end=end)


def _held(known: Holding | None, grant: Grant) -> Holding:
    """That what is there is ours is assumed: looking for it, and taking it away, does no harm where nothing is. What stood before
    us stays.
    """
    holding = held(known, grant)
    if holding.baseline is Baseline.STANDING:
        return holding
    if holding.operation is None:
        holding = replace(holding, next_try=None, failures=0)
    return replace(holding, baseline=Baseline.ABSENT, ours=True, taken=False)


def end_what_is_over(ctx: Context, id_: str) -> None:
    """What is over by the archive is over in the ledger: an ask waits no more, a live grant is at its end."""
    grant = ctx.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant)
    if grant is not None and grant.state not in CLOSED:
        now = ctx.ledger.now()
        take_back(ctx, id_, End(EndCause.TIME, now, reason=WHY), f"rebuilt:{id_}:{ctx.chance.hex(12)}")
    else:
        run(ctx, lambda: _close_decided(ctx, id_))


def _close_decided(ctx: Context, id_: str) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None:
        return Outcome(id_, "gone")
    snapshot = ctx.ledger.read(*keys_of(first))
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.state not in (RequestState.PENDING, RequestState.SCHEDULED):
        return Outcome(id_, "over")
    waits = request.state is RequestState.PENDING
    over = close(request, Move.EXPIRE if waits else Move.DENY, Closing(snapshot.now, reason=WHY))
    kind = Event.REQUEST_EXPIRED if waits else Event.REQUEST_DENIED
    entry = event(ctx, as_told(kind, request.gate), id_, snapshot, {"by": "prodaccess"}, {"reason": WHY})
    done = Outcome(id_, "over")
    commit_id = f"rebuilt:{id_}:{snapshot.items[keys.request(id_)].version}"
    return CommitAttempt(closing_change(snapshot, over, commit_id, (entry,), done.answer), done, wake=(keys.chat(id_),))
