"""Nobody has answered: remind whoever can decide, and then call the next group. Written down before chat says it, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.policy import Escalation, Policy
from workflows.core.records.request import Request, RequestState
from workflows.core.rules.reminders import escalation_due, escalation_of, next_chase, reminder_due
from workflows.ports import Change, PolicyUnavailable, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, not_in_force, run
from workflows.usecases.shared.due_items import take_off

# How long to wait for a policy that this process does not have, in seconds.
ASK_AGAIN_S = 5.0


def chase(ctx: Context, id_: str) -> None:
    """Do what is due for one request that waits. May run any number of times."""
    item = keys.request(id_)
    snapshot = ctx.ledger.read(item, keys.ACTIVE_POLICY)
    request = snapshot.get(item, Request)
    if request is None or request.state is not RequestState.PENDING or not request.is_resolved:
        # While names are looked up nobody can decide; whoever has them puts this on the clock again.
        take_off(ctx, keys.chase_due(id_), item)
        return
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable:
        ctx.ledger.remind(keys.chase_due(id_), ASK_AGAIN_S)
        return
    if not_in_force(snapshot, policy):
        ctx.ledger.remind(keys.chase_due(id_), ASK_AGAIN_S)
        return
    run(ctx, lambda: _chase(ctx, policy, id_))


def _chase(ctx: Context, policy: Policy, id_: str) -> CommitAttempt | Outcome:
    item = keys.request(id_)
    snapshot = ctx.ledger.read(item, keys.ACTIVE_POLICY)
    request = snapshot.get(item, Request)
    if request is None or request.state is not RequestState.PENDING or not request.is_resolved:
        return Outcome(id_, "overtaken")
    if snapshot.now >= request.expires_at:
        return Outcome(id_, "overtaken")
    escalate = escalation_of(policy, request)
    anew = _called(request, escalate, snapshot.now)
    following = next_chase(anew, escalate)
    done = Outcome(id_, "chased" if anew != request else "nothing")
    change = Change(
        commit_id=f"chase:{id_}:{snapshot.items[item].version}:{following.isoformat() if following else ''}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: anew} if anew != request else {},
        due={
            keys.chase_due(id_): following,
            **({keys.chat(id_): snapshot.now + SOON} if anew != request else {}),
        },
        audit=_entries(ctx, request, anew, escalate, snapshot),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(id_),) if anew != request else ())


def _called(request: Request, escalate: Escalation | None, now: datetime) -> Request:
    """What is due now. A reminder that falls together with the escalation is the same call."""
    escalated = escalation_due(request, escalate, now)
    reminded = reminder_due(request, now)
    if escalated:
        request = replace(request, escalated_at=now)
    return replace(request, chased_at=(*request.chased_at, now)) if reminded else request


def _entries(
    ctx: Context, before: Request, after: Request, escalate: Escalation | None, snapshot: Snapshot
) -> tuple[AuditEvent, ...]:
    found: list[AuditEvent] = []
    if after.chased_at != before.chased_at and after.escalated_at == before.escalated_at:
        facts = {"number": str(len(after.chased_at)), "terms": after.terms.hash}
        found.append(event(ctx, Event.REQUEST_REMINDED, after.id, snapshot, facts))
    if escalate is not None and after.escalated_at != before.escalated_at:
        facts = {"groups": ",".join(escalate.to), "may_approve": str(escalate.may_approve).lower()}
        found.append(event(ctx, Event.REQUEST_ESCALATED, after.id, snapshot, facts))
    return tuple(found)
