"""What is owed after a break-glass: an owner who is not the holder acknowledges it or flags it; until then it is chased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import may_review, next_chase, reviewers
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.emergencies import barring
from workflows.usecases.shared.limits import kept_out
from workflows.usecases.shared.parties import alike


def acknowledge(ctx: Context, id_: str, who: Account, commit_id: str, note: str = "") -> Outcome | Refused:
    """It was an emergency, and well done; the note says what there is to say. `Outcome.outcome`: `acknowledged`."""
    problem = text_problem(note, {"what": "acknowledge", "id": id_}) if clean(note) else None
    if problem:
        return problem
    return _judge(ctx, id_, who, _Verdict(Move.ACKNOWLEDGE, Event.REVIEW_ACKNOWLEDGED, clean(note) or None, commit_id))


def flag(ctx: Context, id_: str, who: Account, note: str, commit_id: str) -> Outcome | Refused:
    """Something was not right, and the note says what. The holder breaks no glass until security lifts that. `flagged`."""
    problem = text_problem(note, {"what": "flag", "id": id_})
    if problem:
        return problem
    return _judge(ctx, id_, who, _Verdict(Move.FLAG, Event.REVIEW_FLAGGED, clean(note), commit_id))


@dataclass(frozen=True, slots=True)
class _Verdict:
    move: Move
    event: Event
    note: str | None
    commit_id: str


def find_review(ctx: Context, id_: str) -> Review | Refused:
    review = ctx.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
    return review if review is not None else Refused(Code.NO_REVIEW, {"id": id_}, audited=False)


def _judge(ctx: Context, id_: str, who: Account, verdict: _Verdict) -> Outcome | Refused:
    first = find_review(ctx, id_)
    if isinstance(first, Refused):
        return first

    def groups(policy: Policy) -> tuple[str, ...]:
        return reviewers(policy, first.environment)

    actor = known(ctx, who, groups, on_hold=verdict.move is Move.FLAG)
    return actor if isinstance(actor, Refused) else run(ctx, lambda: _once(ctx, actor, first, verdict))


def _once(ctx: Context, actor: Actor, first: Review, verdict: _Verdict) -> CommitAttempt | Outcome | Refused:
    item, holder = keys.review(first.id), keys.person(first.holder)
    broken = ctx.ledger.read(keys.request(first.id)).readable(keys.request(first.id), Request)
    # Who began a run whose gate was opened has no say in that either.
    sides = tuple(dict.fromkeys((first.holder, *(broken.parties if broken is not None else ()))))
    names = (keys.request(first.id), *map(keys.identity, sides))
    snapshot = ctx.ledger.read(item, actor.record, holder, *names, keys.ACTIVE_POLICY, commit_id=verdict.commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    review = snapshot.get(item, Review)
    if review is None:
        return Refused(Code.NO_REVIEW, {"id": first.id}, audited=False)
    groups = replace(actor.groups, alike=alike(snapshot, sides))
    refusal = (
        may_review(actor.policy, review, actor.person, groups, snapshot.get(keys.request(review.id), Request))
        or not_theirs(snapshot, actor, on_hold=verdict.move is Move.FLAG)
        or not_in_force(snapshot, actor.policy)
    )
    if refusal:
        return refusal
    if review.state is not ReviewState.OWED:
        params = {"id": review.id, "state": review.state.value, "by": review.by_name or ""}
        return Refused(Code.REVIEWED, params, audited=False)
    return _attempt(ctx, actor, review, verdict, snapshot)


def _attempt(ctx: Context, actor: Actor, review: Review, verdict: _Verdict, snapshot: Snapshot) -> CommitAttempt:
    now, who = snapshot.now, actor.person
    done = replace(
        review, state=step(review.state, verdict.move), by=who.id, by_name=who.name, at=now, note=verdict.note
    )
    private = {"actor": who.id, "actor_name": who.name} | ({"reason": verdict.note} if verdict.note else {})
    facts = {"owed_for_s": str(int((now - review.since).total_seconds())), "policy": actor.policy.hash[:12]}
    audit = [event(ctx, verdict.event, review.id, snapshot, facts, private)]
    puts: dict[str, Record] = {keys.review(review.id): done}
    if done.state is ReviewState.FLAGGED:
        suspended, entry = _barring(ctx, snapshot, review, f"{who.name} flagged the break-glass {review.id}", "flagged")
        puts |= suspended
        audit += entry
    answer = Outcome(review.id, done.state.value)
    change = Change(
        commit_id=verdict.commit_id,
        at=now,
        reads=snapshot.versions(),
        puts=puts,
        due={keys.review(review.id): None, keys.chat(review.id): now + SOON},
        index=(*_out(review), *_listed(puts, now)),
        audit=tuple(audit),
        answer=answer.answer,
    )
    return CommitAttempt(change, answer, wake=(keys.chat(review.id),))


def _out(review: Review) -> tuple[IndexEntry, ...]:
    places = keys.places(keys.REVIEWS, environment=review.environment, person_id=review.holder)
    return tuple(IndexEntry(name, review.id, None) for name in places)


def _listed(puts: Mapping[str, Record], now: datetime) -> Iterator[IndexEntry]:
    """Whoever is barred by this stands among those whom security can let in again."""
    return (kept_out(record, now) for record in puts.values() if isinstance(record, PersonRecord))


def _barring(
    ctx: Context, snapshot: Snapshot, review: Review, why: str, cause: str
) -> tuple[dict[str, Record], list[AuditEvent]]:
    """No break-glass for whoever used it until security lifts that."""
    return barring(ctx, snapshot, review.id, review.holder, why, cause)


# ---------------------------------------------------------------- chasing


def chase(ctx: Context, id_: str) -> None:
    """Remind the owners where a point in time has come, once for each; an overdue review bars the holder."""
    run(ctx, lambda: _chase(ctx, id_))


def _chase(ctx: Context, id_: str) -> CommitAttempt | Outcome:
    item = keys.review(id_)
    first = ctx.ledger.read(item).get(item, Review)
    snapshot = ctx.ledger.read(item, *((keys.person(first.holder),) if first else ()))
    review, now = snapshot.get(item, Review), snapshot.now
    version = snapshot.items[item].version
    commit_id = f"chase:{id_}:{version}"
    if review is None or first is None or review.state is not ReviewState.OWED:
        over = Outcome(id_, "over")
        off = Change(f"{commit_id}:{ctx.chance.hex(8)}", now, snapshot.versions(), due={item: None}, answer=over.answer)
        return CommitAttempt(off, over)
    if now < next_chase(review):
        early, due = Outcome(id_, "early"), {item: next_chase(review)}
        change = Change(f"{commit_id}:{ctx.chance.hex(8)}", now, snapshot.versions(), due=due, answer=early.answer)
        return CommitAttempt(change, early)
    return _remind(ctx, review, commit_id, snapshot)


def _remind(ctx: Context, review: Review, commit_id: str, snapshot: Snapshot) -> CommitAttempt:
    item, now = keys.review(review.id), snapshot.now
    chased = replace(review, chased_at=(*review.chased_at, now))
    overdue = now >= review.due_at
    puts: dict[str, Record] = {item: chased}
    facts = {"times": str(len(chased.chased_at)), "overdue": str(overdue).lower()}
    audit = [event(ctx, Event.REVIEW_CHASED, review.id, snapshot, facts)]
    # Once, when its time is over: what security has lifted after that stays lifted.
    if overdue and not any(at >= review.due_at for at in review.chased_at):
        why = f"the review of the break-glass {review.id} is overdue"
        suspended, entry = _barring(ctx, snapshot, review, why, "overdue")
        puts |= suspended
        audit += entry
    done = Outcome(review.id, "chased")
    due = {item: next_chase(chased), keys.chat(review.id): now + SOON}
    change = Change(commit_id, now, snapshot.versions(), puts=puts, due=due, audit=tuple(audit), answer=done.answer)
    listed = tuple(_listed(puts, now))
    return CommitAttempt(replace(change, index=listed), done, wake=(keys.chat(review.id),))
