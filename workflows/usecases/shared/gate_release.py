"""What an approval of a gate commits: nothing is given by it. A worker looks at it again, and then the run takes it, once.

Where a forge holds the run back, a worker takes it and tells the forge. Until the forge knows it can be called off as well.
"""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent
from workflows.core.records.request import Closing, Decision, Request
from workflows.core.rules.grant_terms import schedule
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.closing import forge_hears, no_longer_pending, out_of, places_of
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


def can_be_called_off(request: Request) -> bool:
    """Whether its approval is taken, and its forge does not know yet. What it gives the pipeline's role is ended as access is."""
    gate = request.gate
    return gate is not None and gate.is_being_told and request.gives is None and request.closing is None


def calling_off(
    request: Request, closing: Closing, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt:
    """Of one that `can_be_called_off`: a worker tells its forge so."""
    forge = forge_hears(request, snapshot.now)
    done = Outcome(request.id, "denied")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): replace(request, closing=closing)},
        due={keys.chat(request.id): snapshot.now + SOON, **forge},
        audit=(entry,),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(request.id), *forge))
