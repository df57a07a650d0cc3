"""Access that begins later: what an approval before its start commits. `start_scheduled` does the rest."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent
from workflows.core.records.request import Decision, Request
from workflows.core.rules.grant_terms import schedule
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.closing import no_longer_pending, out_of, places_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome


def begins_later(request: Request, snapshot: Snapshot) -> bool:
    return request.start_at is not None and request.start_at > snapshot.now


def scheduling(
    request: Request, decision: Decision, snapshot: Snapshot, commit_id: str, entry: AuditEvent
) -> CommitAttempt:
    """The commit that agrees to a later start. It keeps its place; what follows is due at the start."""
    if request.start_at is None:
        raise ValueError(f"{request.id} does not begin later")
    agreed = schedule(request, decision)
    names = places_of(keys.SCHEDULED, request)
    done = Outcome(request.id, "scheduled")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): agreed, **no_longer_pending(snapshot, request)},
        due={
            keys.request(request.id): request.start_at,
            keys.chase_due(request.id): None,
            keys.chat(request.id): snapshot.now + SOON,
        },
        index=(
            *out_of(keys.PENDING, request),
            *(IndexEntry(name, request.id, request.start_at.timestamp()) for name in names),
        ),
        audit=(replace(entry, facts={**entry.facts, "start_at": request.start_at.isoformat()}),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(request.id),))
