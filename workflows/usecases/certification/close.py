"""The end of a certification: by itself once its time is over and all is answered, or by hand before that. It is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.certification.rules import sums
from workflows.core.records.certification import Certification, CertificationPart
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.certification.standing import CARD, SUBJECT, parts_in
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, run


def close(ctx: Context, id_: str, by: str, reason: str, commit_id: str) -> Outcome | Refused:
    """By hand, whatever is open. `Outcome.outcome`: `closed`."""
    problem = text_problem(by, {"what": "certify"}) or text_problem(reason, {"what": "certify"})
    return problem or run(ctx, lambda: _once(ctx, id_, clean(by), clean(reason), commit_id))


def _once(ctx: Context, id_: str, by: str, reason: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    item = keys.certification(id_)
    first = ctx.ledger.read(item).get(item, Certification)
    names = map(keys.certification_part, first.parts if first is not None else ())
    snapshot = ctx.ledger.read(item, *names, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    found = snapshot.get(item, Certification)
    if found is None or not found.is_open:
        return Refused(Code.CERTIFICATION_OVER, {"number": id_}, audited=False)
    if found != first:
        return _once(ctx, id_, by, reason, commit_id)
    return closing(ctx, snapshot, found, parts_in(snapshot, found), commit_id, by, reason)


def closing(
    ctx: Context,
    snapshot: Snapshot,
    found: Certification,
    parts: Sequence[CertificationPart],
    commit_id: str,
    by: str = "",
    reason: str = "",
) -> CommitAttempt:
    """`snapshot`: with the certification and all its parts, so that an answer in between is a lost race."""
    closed = replace(found, closed_at=snapshot.now, closed_by=by, closed_reason=reason, left=())
    counts = sums(found, parts)
    facts = {"run": found.id, "kept": str(counts.kept), "removed": str(counts.removed), "open": str(counts.open)}
    private = {name: text for name, text in (("actor_name", by), ("reason", reason)) if text}
    chats = dict.fromkeys((f"{SUBJECT}{found.id}", *(f"{CARD}{part.id}" for part in parts)))
    due = {keys.chat(subject): snapshot.now + SOON for subject in chats}
    done = Outcome(found.id, "closed")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.certification(found.id): closed},
        due={keys.certification(found.id): None, **due},
        audit=(event(ctx, Event.CERTIFICATION_CLOSED, f"{SUBJECT}{found.id}", snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=tuple(due))
