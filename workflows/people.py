"""Who acts: facts that are fresh enough, and bindings. One address, one chat account of a team; a changed binding suspends
until it is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from workflows.context import Context, event
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.errors import Code, Refused
from workflows.core.model import PersonRecord
from workflows.core.people import GroupFacts, PersonFacts, PersonId, SlackUser, is_fresh
from workflows.core.policy import Policy
from workflows.core.scope import person_problem
from workflows.ports import Change, Committed, PolicyUnavailable
from workflows.standing_in import with_delegations


@dataclass(frozen=True, slots=True)
class Known:
    """Who acts, and the facts that a decision may rest on."""

    policy: Policy
    person: PersonFacts
    groups: GroupFacts


def known(ctx: Context, who: SlackUser, groups: Callable[[Policy], Iterable[str]]) -> Known | Refused:
    """The actor and the groups that matter, from the cache. FACTS_STALE where a worker has to look first.

    Guests, strangers, bots and people who have left are refused here, whatever they want to do.
    """
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable as problem:
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": str(problem)})
    names = tuple(groups(policy))
    now = ctx.ledger.now()
    person = ctx.directory.person(who)
    if person is None or not is_fresh(person.as_of, now):
        return Refused(Code.FACTS_STALE, audited=False)
    facts = with_delegations(ctx, ctx.directory.groups(policy, names), now=now) if names else GroupFacts()
    if facts.stale(names, now):
        return Refused(Code.FACTS_STALE, audited=False)
    return person_problem(person) or ensure_bound(ctx, person) or Known(policy, person, facts)


def nobody(_policy: Policy) -> tuple[str, ...]:
    """For `known`, where no group matters."""
    return ()


def bind(record: PersonRecord | None, facts: PersonFacts) -> tuple[PersonRecord, Event | None]:
    """The person's record with this chat account on it, and the event where that is news.

    A second account of the same team under one address is a changed binding: whoever can set an address in the chat's
    directory could otherwise become somebody else.
    """
    if record is None:
        return PersonRecord(facts.id, facts.name, slack=(facts.slack,)), Event.PERSON_BOUND
    if facts.slack in record.slack:
        return (record if record.name == facts.name else replace(record, name=facts.name)), None
    if all(account.team != facts.slack.team for account in record.slack):
        return replace(record, slack=(*record.slack, facts.slack)), Event.PERSON_BOUND
    why = "the chat account behind this address has changed"
    return replace(record, suspended=why), Event.PERSON_BINDING_CHANGED if record.suspended is None else None


def ensure_bound(ctx: Context, facts: PersonFacts) -> Refused | None:
    """Bind this account to its address, or say why its rights are on hold. Every door asks this."""
    item = keys.person(facts.id)
    while True:
        snapshot = ctx.ledger.read(item)
        before = snapshot.get(item, PersonRecord)
        record, news = bind(before, facts)
        if record == before:
            return suspended(record)
        audit = (event(ctx, news, "person", snapshot, private={"actor": facts.id}),) if news else ()
        change = Change(
            commit_id=f"bind:{item}:{snapshot.items[item].version}:{facts.slack.team}:{facts.slack.user}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={item: record},
            audit=audit,
        )
        if isinstance(ctx.ledger.commit(change), Committed):
            return suspended(record)


def confirm(ctx: Context, who: PersonId, account: SlackUser) -> bool:
    """An administrator says that this account is theirs: bound anew, the hold lifted. False where nobody is known by `who`."""
    item = keys.person(who)
    while True:
        snapshot = ctx.ledger.read(item)
        record = snapshot.get(item, PersonRecord)
        if record is None:
            return False
        others = tuple(known for known in record.slack if known.team != account.team)
        change = Change(
            commit_id=f"confirm:{item}:{snapshot.items[item].version}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={item: replace(record, slack=(*others, account), suspended=None)},
            audit=(event(ctx, Event.PERSON_CONFIRMED, "person", snapshot, private={"person": who}),),
        )
        if isinstance(ctx.ledger.commit(change), Committed):
            return True


def suspended(record: PersonRecord | None) -> Refused | None:
    if record is not None and record.suspended:
        return Refused(Code.PERSON_SUSPENDED, {"why": record.suspended})
    return None
