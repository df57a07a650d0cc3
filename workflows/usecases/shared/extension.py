"""What follows from the approval of an extension: a worker looks at it again and moves the deadline, the target's
own end first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import AuditEvent
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.records.request import Decision, DecisionKind, Request
from workflows.core.refusal import Refused
from workflows.core.rules.extension import extended_grant, new_end, over, total_problem
from workflows.core.rules.grant_terms import approve as approved_request
from workflows.core.rules.grant_terms import warning_at
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.closing import no_longer_pending, out_of_pending
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands beside a grant's record at its deadline."""

    due: Mapping[str, datetime | None] = field(default_factory=dict)
    index: tuple[IndexEntry, ...] = ()


def deadlines_moved(grants: Iterable[Grant]) -> Moved:
    """The clock and the indexes for grants whose deadline has just moved; all in the commit that moves it."""
    due: dict[str, datetime | None] = {}
    index: list[IndexEntry] = []
    for grant in grants:
        due |= {keys.end_due(grant.id): grant.deadline, keys.warn_due(grant.id): warning_at(grant)}
        names = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
        index += [IndexEntry(name, grant.id, grant.deadline.timestamp()) for name in names]
    return Moved(due, tuple(index))


def nothing_to_extend(snapshot: Snapshot, request: Request) -> Refused | None:
    """For an ask for more time: whether its grant is over, or ending. `snapshot` has the grant."""
    if request.extends is None:
        return None
    return over(snapshot.get(keys.grant(request.extends), Grant), snapshot.now, request.extends)


def too_long_now(policy: Policy, snapshot: Snapshot, request: Request) -> Refused | None:
    """For an ask for more time: whether all of it is longer than the policy of the decision allows."""
    grant = snapshot.get(keys.grant(request.extends), Grant) if request.extends else None
    return total_problem(policy, grant, request.terms.duration) if grant else None


def extend_grant(
    request: Request, decision: Decision, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt:
    """The commit that decides an extension. Convergence looks at the approval again and moves the deadline, or the target's own
    end before it."""
    item = keys.grant(request.extends or "")
    before = snapshot.get(item, Grant)
    if before is None:
        raise ValueError(f"{request.id} extends {request.extends}, which there is not")
    told = {**decision.facts, "until": new_end(before, request).isoformat()}
    approved = approved_request(request, replace(decision, facts=told))
    grant = extended_grant(before, request, decision)
    holding = keys.holding(grant.holding)
    done = Outcome(request.id, "extended" if decision.kind is DecisionKind.APPROVAL else decision.kind.value)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): approved, item: grant, **no_longer_pending(snapshot, request)},
        due={
            keys.request(request.id): None,
            keys.chase_due(request.id): None,
            holding: snapshot.now + SOON,
            keys.chat(request.id): snapshot.now + SOON,
            keys.chat(grant.id): snapshot.now + SOON,
        },
        index=out_of_pending(request),
        audit=(entry,),
        gives_access=True,
        answer=done.answer,
    )
    # Where nothing but the deadline has to move, chat is told once it has.
    shown = (keys.chat(request.id), keys.chat(grant.id)) if grant.resource.enforces_end else ()
    return CommitAttempt(change, done, wake=(holding, *shown))
