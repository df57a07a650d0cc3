"""An owner who is away names who decides in their place, for some days; it ends by itself, or when they say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.dates import end_of
from workflows.core.people import Account, Delegation, PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.person import PersonRecord
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import groups_that_count, not_a_member
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.actor import Actor, known, nobody, not_theirs, whose
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.delegation_end import in_force, told_of_it, without_delegate

LONGEST = timedelta(days=30)


def approving_groups(policy: Policy) -> tuple[str, ...]:
    """Every group whose members may approve something somewhere."""
    found: dict[str, None] = {}
    for place in policy.environments.values():
        for role in place.decided:
            found.update(dict.fromkeys(groups_that_count(policy, role, tuple(role.approve))))
        if place.escalate and place.escalate.may_approve:
            found.update(dict.fromkeys(groups_that_count(policy, place, place.escalate.to)))
    return tuple(found)


def delegate(ctx: Context, who: Account, to: PersonFacts, until: datetime, commit_id: str) -> Outcome | Refused:
    """Name who decides in one's place until then. `Outcome.outcome`: `delegated`."""
    actor = known(ctx, who, approving_groups)
    if isinstance(actor, Refused):
        return actor
    whom = whose(ctx, actor.policy, to)
    return run(ctx, lambda: _delegate(ctx, actor, whom, until, commit_id))


def end_delegation(ctx: Context, who: Account, commit_id: str) -> Outcome | Refused:
    """Decide for oneself again. `Outcome.outcome`: `delegation_ended`."""
    actor = known(ctx, who, nobody, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _end(ctx, actor, commit_id))


def delegation_of(ctx: Context, person: PersonFacts) -> Delegation | None:
    """Who decides in this person's place now."""
    item = keys.person(person.id)
    snapshot = ctx.ledger.read(item)
    record = snapshot.get(item, PersonRecord)
    return in_force(record.delegation, snapshot.now) if record else None


def _delegate(
    ctx: Context, actor: Actor, to: PersonFacts, until: datetime, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    person, item = actor.person, keys.person(actor.person.id)
    snapshot = ctx.ledger.read(item, actor.record, keys.ACTIVE_POLICY, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    record = snapshot.get(item, PersonRecord)
    problem = (
        _unfit_actor(actor)
        or not_theirs(snapshot, actor)
        or not_in_force(snapshot, actor.policy)
        or _unfit(actor, to)
        or _bad_time(until, snapshot.now, actor.policy.timezone)
    )
    if problem or record is None:
        return problem or Refused(Code.PERSON_UNKNOWN)
    delegation = Delegation(to.id, to.name, snapshot.now, until, person.name, to.slack)
    before = in_force(record.delegation, snapshot.now)
    done = Outcome(person.id, "delegated")
    facts = {"until": until.isoformat(), "policy": actor.policy.hash[:12]}
    private = {"actor": person.id, "actor_name": person.name, "to": to.id, "to_name": to.name}
    told = told_of_it(ctx, person.id, before, delegation)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(record, delegation=delegation)},
        due=dict.fromkeys(told, snapshot.now + SOON),
        index=(IndexEntry(keys.DELEGATIONS, person.id, until.timestamp()),),
        audit=(event(ctx, Event.DELEGATION_SET, "person", snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=told)


def _end(ctx: Context, actor: Actor, commit_id: str) -> CommitAttempt | Outcome | Refused:
    person, item = actor.person, keys.person(actor.person.id)
    snapshot = ctx.ledger.read(item, commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    record = snapshot.get(item, PersonRecord)
    delegation = in_force(record.delegation, snapshot.now) if record else None
    if record is None or delegation is None:
        return Refused(Code.DELEGATE_NONE, audited=False)
    return without_delegate(ctx, snapshot, replace(record, delegation=delegation), person.name, commit_id)


def _unfit_actor(actor: Actor) -> Refused | None:
    if actor.person.standing_problem:
        return Refused(Code(actor.person.standing_problem))
    names = approving_groups(actor.policy)
    return not_a_member(actor.groups, actor.person.id, names, Refused(Code.DELEGATE_NOT_AN_OWNER))


def _unfit(actor: Actor, to: PersonFacts) -> Refused | None:
    if to.id == actor.person.id:
        return Refused(Code.DELEGATE_YOURSELF, audited=False)
    if to.standing_problem or to.suspended is not None:
        code = to.standing_problem or Code.PERSON_SUSPENDED.value
        return Refused(Code.DELEGATE_UNFIT, {"name": to.name, "code": code})
    return None


def _bad_time(until: datetime, now: datetime, timezone: str) -> Refused | None:
    if until <= now:
        return Refused(Code.DELEGATE_PAST, audited=False)
    # The end of the thirtieth day, whatever the hour at which it was typed.
    last_day = (now + LONGEST).astimezone(ZoneInfo(timezone)).date()
    if until > (end_of(last_day.isoformat(), now, timezone) or now):
        return Refused(Code.DELEGATE_TOO_LONG, {"days": str(LONGEST.days)}, audited=False)
    return None
