"""Break-glass that was over when all was lost, and that nobody had looked at: it owes its review again.

One that was open is a grant at its end, which owes its review by the same commit (`rebuild_access`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.provider import TargetTerms
from workflows.core.rebuild.resources import resource_in
from workflows.core.rebuild.stories import Over, Stories, Story
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.lifecycle import Move
from workflows.core.records.request import Closing, Request, RequestState, slot_id
from workflows.core.records.target import Resource
from workflows.core.rules.break_glass import next_chase
from workflows.core.rules.grant_terms import close, grant_for
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.closing import closing_change, keys_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event
from workflows.usecases.upkeep.rebuild_access import WHY, is_of, listed, owed, request_of
from workflows.usecases.upkeep.rebuild_gates import opened_request, with_emergency

_ENDS = {
    Event.GRANT_ENDED: (GrantState.ENDED, EndCause.TIME),
    Event.GRANT_REVOKED: (GrantState.REVOKED, EndCause.REVOKED),
    Event.GRANT_ACTIVATION_FAILED: (GrantState.ACTIVATION_FAILED, EndCause.FAILED),
}


@dataclass(frozen=True, slots=True)
class Owing:
    """`resource`: None where its entries say too little, or the older copy has given its number to somebody else: for people."""

    story: Story
    over: Over
    resource: Resource | None

    # Whether this is still that request, and no other one's number.
    own: bool = True

    @property
    def can_be_owed(self) -> bool:
        """Of a gate nothing is needed that would have to be taken away."""
        return self.own and (self.resource is not None or self.story.opened_at is not None)

    @property
    def words(self) -> str:
        """`PA-1043 read-only in payments-prod`."""
        what = self.story.role or f"gate {self.story.asked.get('gate', '')}"
        return f"{self.story.id} {what} in {self.story.environment}"


def reviews(ctx: Context, stories: Stories, target: Callable[[str], TargetTerms]) -> tuple[Owing, ...]:
    """All that owe one. Nothing is written."""
    found = []
    for story, over in stories.over_without_review():
        snapshot = ctx.ledger.read(keys.request(story.id), keys.review(story.id))
        own = is_of(snapshot, story)
        if not own or snapshot.items[keys.review(story.id)].is_absent:
            resource = resource_in(story.resource, target) if own and over.event in _ENDS else None
            found.append(Owing(story, over, resource, own))
    return tuple(found)


def owe(ctx: Context, one: Owing) -> CommitAttempt | Outcome:
    """The request and the grant that is over, where they are lost, and the review that they owe."""
    story, resource = one.story, one.resource
    if one.can_be_owed and story.opened_at is not None:
        return _owe_gate(ctx, one)
    if resource is None:
        raise ValueError(f"{story.id} is for people")
    items = request, grant, review = keys.request(story.id), keys.grant(story.id), keys.review(story.id)
    snapshot = ctx.ledger.read(*items, keys.target_user(resource.user))
    if not snapshot.items[review].is_absent:
        return Outcome(story.id, "there")
    made = request_of(ctx, story.id, story, resource, snapshot)
    known = snapshot.readable(grant, Grant)
    over = known or _over(made, one.over)
    owes, done = owed(ctx, made, snapshot.now), Outcome(story.id, "owed")
    slot = slot_id(over.holder, over.terms.environment, over.terms.role)
    closed = () if known else (keys.CLOSED, keys.last_of(slot))
    change = Change(
        commit_id=f"owes:{story.id}:{snapshot.items[request].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={request: made, grant: over, review: owes},
        due={review: next_chase(owes), keys.chat(story.id): snapshot.now + SOON},
        index=(*listed(owes), *(IndexEntry(name, story.id, one.over.at.timestamp()) for name in closed)),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(story.id),))


def _owe_gate(ctx: Context, one: Owing) -> CommitAttempt | Outcome:
    """The ask, where it is lost, and the review. What the older copy has as waiting is closed: its run asks anew."""
    story, review = one.story, keys.review(one.story.id)
    item = keys.request(story.id)
    first = ctx.ledger.read(item).get(item, Request)
    snapshot = ctx.ledger.read(*dict.fromkeys((item, review, *(keys_of(first) if first else ()))))
    if not snapshot.items[review].is_absent:
        return Outcome(story.id, "there")
    known = snapshot.get(item, Request)
    made = with_emergency(ctx, known, story) if known else opened_request(ctx, story, one.over, WHY)
    commit_id = f"owes:{story.id}:{snapshot.items[item].version}:{ctx.chance.hex(8)}"
    change = Change(commit_id, snapshot.now, snapshot.versions(), puts={item: made})
    if made.state in (RequestState.PENDING, RequestState.SCHEDULED):
        over = close(made, Move.DENY, Closing(snapshot.now, reason=WHY))
        entry = event(ctx, Event.GATE_DENIED, story.id, snapshot, {"by": "prodaccess"}, {"reason": WHY})
        change = closing_change(snapshot, over, commit_id, (entry,))
    breaker = made.gate.emergency.by if made.gate is not None and made.gate.emergency is not None else None
    owes, done = owed(ctx, made, snapshot.now, breaker), Outcome(story.id, "owed")
    change = replace(
        change,
        puts={**change.puts, review: owes},
        due={**change.due, review: next_chase(owes), keys.chat(story.id): snapshot.now + SOON},
        index=(*change.index, *listed(owes)),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(story.id),))


def _over(request: Request, over: Over) -> Grant:
    if request.decision is None:
        raise ValueError(f"{request.id} was not decided")
    made, (state, cause) = grant_for(request, request.decision), _ENDS[over.event]
    return replace(
        made,
        state=state,
        activated_at=None if state is GrantState.ACTIVATION_FAILED else request.decision.at,
        deadline=min(made.deadline, over.at),
        # Who took it back stood in what was lost.
        end=End(cause, over.at, by_name="somebody" if cause is EndCause.REVOKED else None, reason=WHY),
        closed_at=over.at,
    )
