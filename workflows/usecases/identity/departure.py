"""There is news of an account: whether it is still theirs, and whether whoever has left has access that is open."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import Account, AccountId, AccountRecord, PersonId
from workflows.core.people import PersonFacts
from workflows.core.records.grant import Grant
from workflows.core.refusal import Code
from workflows.ports import Change, DirectoryUnreachable, PolicyUnavailable
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, WorkerContext, event, run
from workflows.usecases.shared.due_items import take_off

# How long to wait before a chat that did not answer is asked again, in seconds.
ASK_AGAIN_S = 10.0
OPEN_MAX = 100


def look_who_it_is(ctx: WorkerContext, who: Account) -> None:
    """Ask the chat about an account that is bound to somebody, and put on record what follows. May run any number of times."""
    item = keys.whois(who)
    try:
        policy = ctx.policy.current()
        facts = ctx.refresher.refresh_person(who, policy)
    except (DirectoryUnreachable, PolicyUnavailable):
        ctx.ledger.remind(item, ASK_AGAIN_S)
        return
    record = _record(ctx, facts)
    if record is not None and record.person is not None:
        whose(ctx, policy, facts)
        person, account = record.person, record.account
        run(ctx, lambda: _noted(ctx, facts, person, account))
    take_off(ctx, item)


def _record(ctx: Context, facts: PersonFacts) -> AccountRecord | None:
    snapshot = ctx.ledger.read(*map(keys.account, facts.accounts))
    found = (snapshot.get(keys.account(name), AccountRecord) for name in facts.accounts)
    return next((record for record in found if record is not None and record.moved is None), None)


def _noted(ctx: Context, facts: PersonFacts, person: PersonId, account: AccountId) -> CommitAttempt | Outcome:
    """Once for each time that they leave: the owners are told of what is open. Whoever is back has not left."""
    item = keys.account(account)
    snapshot = ctx.ledger.read(item)
    record = snapshot.get(item, AccountRecord)
    left = facts.standing_problem == Code.PERSON_DEACTIVATED.value
    open_ = open_grants(ctx, person) if left else ()
    if record is None or (record.left_at is not None) == left or (left and not open_):
        return Outcome(account, "nothing")
    subject = keys.hold_subject(account)
    words = {"actor": person, "actor_name": record.name, "address": record.address or ""}
    ids = {"open": ", ".join(grant.id for grant in open_)}
    done = Outcome(account, "left" if left else "back")
    change = Change(
        commit_id=f"left:{item}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(record, left_at=snapshot.now if left else None)},
        due={keys.chat(subject): snapshot.now + SOON} if left else {},
        audit=(event(ctx, Event.PERSON_LEFT, subject, snapshot, ids, words),) if left else (),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),) if left else ())


def open_grants(ctx: Context, person: PersonId) -> tuple[Grant, ...]:
    """What somebody holds that is not over."""
    ids = ctx.ledger.members(keys.of_person(keys.LIVE, person), limit=OPEN_MAX)
    snapshot = ctx.ledger.read(*map(keys.grant, ids)) if ids else None
    found = (snapshot.get(keys.grant(id_), Grant) for id_ in ids) if snapshot else ()
    return tuple(grant for grant in found if grant is not None and grant.holder == person)


def open_places(ctx: Context, person: PersonId) -> tuple[str, ...]:
    """The environments in which they hold it."""
    return tuple(dict.fromkeys(grant.terms.environment for grant in open_grants(ctx, person)))
