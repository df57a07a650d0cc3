"""What an approval of a gate commits: nothing is given by it. A worker looks at it again, and then the run takes it, once."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.audit import AuditEvent
from workflows.core.records.request import Decision, Request
from workflows.core.rules.grant_terms import schedule
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.closing import no_longer_pending, out_of, places_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome


def releasing(
    request: Request, decision: Decision, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt:
    """The commit that agrees. Until its run takes it, it is called off like access that has not begun yet."""
    agreed = schedule(request, decision)
    item = keys.request(request.id)
    done = Outcome(request.id, "let_on")
    until = request.expires_at.timestamp()
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: agreed, **no_longer_pending(snapshot, request)},
        due={
            item: snapshot.now + SOON,
            keys.chase_due(request.id): None,
            keys.chat(request.id): snapshot.now + SOON,
        },
        index=(
            *out_of(keys.PENDING, request),
            *(IndexEntry(name, request.id, until) for name in places_of(keys.SCHEDULED, request)),
        ),
        audit=(entry,),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, keys.chat(request.id)))
