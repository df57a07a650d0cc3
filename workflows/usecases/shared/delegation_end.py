"""Somebody decides for themselves again: because they say so, or because one of the two has left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.people import Delegation, PersonId
from workflows.core.records.person import PersonRecord
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event

# Cards that are drawn again at once, so that the delegate is called on them.
CARDS_MAX = 50


def in_force(delegation: Delegation | None, now: datetime) -> Delegation | None:
    return delegation if delegation is not None and delegation.at <= now < delegation.until else None


def without_delegate(
    ctx: Context, snapshot: Snapshot, record: PersonRecord, said_by: str, commit_id: str, code: str = ""
) -> CommitAttempt:
    """`record`: of who named somebody, with the delegation that ends. `said_by`: a name. `code`: why, where nobody said so."""
    delegation, done = record.delegation, Outcome(record.id, "delegation_ended")
    told = told_of_it(ctx, record.id, delegation)
    private = {"actor": record.id, "actor_name": said_by}
    if delegation is not None:
        private |= {"to": delegation.to, "to_name": delegation.to_name}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.person(record.id): replace(record, delegation=None)},
        due=dict.fromkeys(told, snapshot.now + SOON),
        index=(IndexEntry(keys.DELEGATIONS, record.id, None),),
        audit=(event(ctx, Event.DELEGATION_ENDED, "person", snapshot, {"code": code} if code else {}, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=told)


def told_of_it(ctx: Context, away: PersonId, *of: Delegation | None) -> tuple[str, ...]:
    """What chat has to show anew: to those who decide in another's place or do so no more, and on the cards that call them."""
    accounts = dict.fromkeys(one.to_slack for one in of if one is not None and one.to_slack is not None)
    waiting = (keys.chat(id_) for id_ in ctx.ledger.members(keys.PENDING, limit=CARDS_MAX))
    return (*(keys.chat(keys.delegation_subject(account, away)) for account in accounts), *waiting)
