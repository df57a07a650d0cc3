"""Since when a request is over, with all that belongs to it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from workflows.core.records.grant import CLOSED, Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Request, RequestState

_OPEN = frozenset({RequestState.PENDING, RequestState.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Story:
    """A request and what belongs to it. `prolonged`: the grant that it asked more time for; None where that has left already.

    `due`: what of all that the clock still has to look at. `drift`: whether something is found that its grant gave.
    `on_hold`: whether an account of somebody in it waits for people; `owed`: whether a channel takes no messages that it is owed.
    """

    request: Request
    grant: Grant | None = None
    review: Review | None = None
    holding: Holding | None = None
    prolonged: Grant | None = None
    due: Collection[str] = ()
    drift: bool = False
    on_hold: bool = False
    owed: bool = False


def owes(story: Story) -> str:
    """What is still to be done about it, in a few words; empty: nothing."""
    return next((words for words, is_so in _checks(story) if is_so), "")


def _checks(story: Story) -> Iterator[tuple[str, bool]]:
    request, grant, review = story.request, story.grant, story.review
    access = [one for one in (grant, story.prolonged) if one is not None]
    yield "it waits", request.state in _OPEN
    # Nothing follows from a pipeline's ask.
    followed = request.extends is None and request.gate is None
    lost = grant is None and request.state is RequestState.APPROVED and followed
    yield "the grant that followed is not there", lost
    yield "its access is open", any(one.state not in CLOSED for one in access)
    yield "more time is asked for", grant is not None and grant.extension is not None
    yield "its review is owed", review is not None and review.state is ReviewState.OWED
    yield "its access is looked at again", _is_held(story)
    yield "something of it was found at the target", story.drift
    yield "an account of it is on hold", story.on_hold
    yield "a channel has not been told of it", story.owed
    yield f"{min(story.due, default='')} is due", bool(story.due)


def _is_held(story: Story) -> bool:
    holding = story.holding
    return holding is not None and story.request.id in (
        *holding.grants,
        *holding.given,
        *holding.operation_for,
        holding.last_grant,
    )


def over_at(story: Story) -> datetime:
    """When the last thing happened to it. Of one that owes nothing."""
    request, grant, review = story.request, story.grant, story.review
    times = [
        request.created_at,
        request.closing.at if request.closing else None,
        request.decision.at if request.decision else None,
        request.gate.redeemed_at if request.gate else None,
        (grant.closed_at or grant.deadline) if grant else None,
        (review.at or review.since) if review else None,
        (story.prolonged.closed_at or story.prolonged.deadline) if story.prolonged else None,
    ]
    return max(at for at in times if at is not None)
