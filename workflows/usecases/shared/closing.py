"""What every end of a pending request has in common: the place it took is free again, and chat is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.gates.events import as_told
from workflows.core.records.grant import Grant
from workflows.core.records.lifecycle import Move
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Closing, Request, Slot
from workflows.core.refusal import Refused
from workflows.core.rules.grant_terms import close
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event
from workflows.usecases.shared.emergencies import keys_of_breaker


def forge_hears(request: Request, at: datetime) -> Mapping[str, datetime]:
    """Where a forge holds the run back: a worker has to tell it what was decided."""
    return {keys.forge(request.gate.rule): at} if request.gate is not None and request.gate.rule else {}


def runs_of(request: Request, *, told: bool = False) -> tuple[IndexEntry, ...]:
    """Where the panic switch finds one whose approval is taken and whose forge is still to be told; where something is given by
    it, its grant stands there. `told`: it stands there no more.
    """
    stands = request.gate is not None and bool(request.gate.rule) and request.gives is None
    return (IndexEntry(keys.RUNS, request.id, None if told else request.expires_at.timestamp()),) if stands else ()


def keys_of(request: Request) -> tuple[str, ...]:
    """The records that a decision about a request rests on or changes."""
    own = (keys.request(request.id), keys.person(request.requester), keys.slot(request.slot), keys.ACTIVE_POLICY)
    more = (keys.grant(request.extends),) if request.extends else ()
    # What was opened in an emergency and is called off bars whoever opened it.
    return (*own, *more, *(keys_of_breaker(request) if request.gate is not None else ()))


def no_longer_pending(snapshot: Snapshot, request: Request) -> Mapping[str, PersonRecord]:
    item = keys.person(request.requester)
    # Who cannot be read is left as they are: an ask closes all the same.
    record = snapshot.readable(item, PersonRecord)
    if record is None:
        return {}
    return {item: replace(record, pending=tuple(id_ for id_ in record.pending if id_ != request.id))}


def places_of(index: str, request: Request) -> tuple[str, ...]:
    """The index, and its parts in which a request stands: its environment's, and those of who asked and who would hold it."""
    people = dict.fromkeys((request.requester, request.holder))
    where = request.terms.environment
    return tuple(dict.fromkeys(name for who in people for name in keys.places(index, environment=where, person_id=who)))


def out_of(index: str, request: Request) -> tuple[IndexEntry, ...]:
    return tuple(IndexEntry(name, request.id, None) for name in places_of(index, request))


def out_of_pending(request: Request) -> tuple[IndexEntry, ...]:
    """It waits no more: neither for an answer nor for its start."""
    later = out_of(keys.SCHEDULED, request) if request.start_at or request.gate else ()
    return (*out_of(keys.PENDING, request), *later)


def no_longer_asked(snapshot: Snapshot, request: Request) -> Mapping[str, Grant]:
    """The grant that it would have prolonged waits for it no more."""
    item = keys.grant(request.extends) if request.extends else ""
    grant = snapshot.readable(item, Grant) if item else None
    if grant is None or grant.extension != request.id:
        return {}
    return {item: replace(grant, extension=None)}


def closing_change(
    snapshot: Snapshot, request: Request, commit_id: str, audit: tuple[AuditEvent, ...], answer: str = ""
) -> Change:
    """The change that writes `request`, which has just been denied, withdrawn or expired."""
    slot = snapshot.readable(keys.slot(request.slot), Slot)
    asked = no_longer_asked(snapshot, request)
    due = {keys.chat(item.id): snapshot.now + SOON for item in asked.values()}
    return Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): request, **no_longer_pending(snapshot, request), **asked},
        deletes=frozenset({keys.slot(request.slot)}) if slot and slot.request == request.id else frozenset(),
        due={
            keys.request(request.id): None,
            keys.chase_due(request.id): None,
            keys.chat(request.id): snapshot.now + SOON,
            **forge_hears(request, snapshot.now),
            **due,
        },
        index=out_of_pending(request),
        audit=audit,
        answer=answer,
    )


def refusing(ctx: Context, snapshot: Snapshot, request: Request, refusal: Refused) -> CommitAttempt:
    """The bot itself closes it, and says why."""
    over = close(request, Move.DENY, Closing(snapshot.now, code=refusal.code.value, params=dict(refusal.params)))
    kind = as_told(Event.REQUEST_DENIED, request.gate)
    entry = event(ctx, kind, request.id, snapshot, {"code": refusal.code.value, "by": "prodaccess"})
    done = Outcome(request.id, "denied")
    commit_id = f"unresolved:{request.id}:{snapshot.items[keys.request(request.id)].version}"
    return CommitAttempt(
        closing_change(snapshot, over, commit_id, (entry,), done.answer), done, wake=(keys.chat(request.id),)
    )
