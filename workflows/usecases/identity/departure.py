"""There is news of an account: whether it is still theirs, and whether whoever it was has access that is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import Account, AccountRecord, PersonId
from workflows.core.people import PersonFacts
from workflows.core.records.grant import Grant
from workflows.core.refusal import Code
from workflows.ports import Change, DirectoryUnreachable, PolicyUnavailable
from workflows.usecases.identity.holders import Held, holds_something
from workflows.usecases.identity.leaving import said_of
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, WorkerContext, event, run
from workflows.usecases.shared.due_items import take_off

# How long to wait before a chat that did not answer is asked again, in seconds.
ASK_AGAIN_S = 10.0
OPEN_MAX = 100


def look_who_it_is(ctx: WorkerContext, who: Account) -> None:
    """Ask the chat about an account that is bound to somebody, and put on record what follows. May run any number of times.

    Whether whoever has left loses what they hold is seen to where all are looked at: one rule for how many at once.
    """
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
        gone = facts.standing_problem == Code.PERSON_DEACTIVATED.value
        if gone and holds_something(ctx, record.person):
            ctx.ledger.remind(keys.LEAVERS, 0.0)
            ctx.wake(keys.LEAVERS)
        elif not gone and record.left_at is not None:
            back(ctx, record)
    take_off(ctx, item)


def _record(ctx: Context, facts: PersonFacts) -> AccountRecord | None:
    snapshot = ctx.ledger.read(*map(keys.account, facts.accounts))
    found = (snapshot.get(keys.account(name), AccountRecord) for name in facts.accounts)
    return next((record for record in found if record is not None and record.moved is None), None)


def back(ctx: Context, seen: AccountRecord) -> None:
    """Whoever is back has not left: should they leave again, that is news."""
    run(ctx, lambda: _back(ctx, seen))


def _back(ctx: Context, seen: AccountRecord) -> CommitAttempt | Outcome:
    item = keys.account(seen.account)
    snapshot = ctx.ledger.read(item)
    record = snapshot.readable(item, AccountRecord)
    done = Outcome(seen.account, "back")
    if record is None or record.left_at is None:
        return done
    commit_id = f"left:{item}:{snapshot.items[item].version}"
    puts = {item: replace(record, left_at=None)}
    return CommitAttempt(Change(commit_id, snapshot.now, snapshot.versions(), puts=puts, answer=done.answer), done)


def partly(ctx: Context, seen: AccountRecord, others: Sequence[AccountRecord], held: Held) -> None:
    """One account is gone, and another one of the same person is not, as far as is known: told, once, and nothing ends."""
    run(ctx, lambda: _partly(ctx, seen, others, held))


def _partly(ctx: Context, seen: AccountRecord, others: Sequence[AccountRecord], held: Held) -> CommitAttempt | Outcome:
    item, subject = keys.account(seen.account), keys.hold_subject(seen.account)
    snapshot = ctx.ledger.read(item)
    record = snapshot.readable(item, AccountRecord)
    done = Outcome(seen.account, "told")
    if record is None or record.person != seen.person or record.left_at is not None or record.person is None:
        return done
    facts = {**said_of(held), "became": "told"}
    private = {
        "actor": record.person,
        "actor_name": record.name,
        "address": record.address or "",
        "account": record.account,
        "others": ", ".join(other.account for other in others),
    }
    change = Change(
        commit_id=f"left:{item}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(record, left_at=snapshot.now)},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.PERSON_LEFT, subject, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def open_places(ctx: Context, person: PersonId) -> tuple[str, ...]:
    """The environments in which somebody holds what is not over."""
    ids = ctx.ledger.members(keys.of_person(keys.LIVE, person), limit=OPEN_MAX)
    snapshot = ctx.ledger.read(*map(keys.grant, ids)) if ids else None
    found = (snapshot.get(keys.grant(id_), Grant) for id_ in ids) if snapshot else ()
    grants = (grant for grant in found if grant is not None and grant.holder == person)
    return tuple(dict.fromkeys(grant.terms.environment for grant in grants))
