"""Who acts: facts that are fresh enough, and whose account it is. What does not fit is put on hold, and on the record."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import (
    Account,
    AccountRecord,
    Address,
    AddressRecord,
    Identity,
    PersonId,
    first_person,
    listed_as,
    spellings,
    unbound,
)
from workflows.core.people import GroupFacts, PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.records.erased import ErasedPeople
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import held, person_problem
from workflows.core.rules.identification import Identified, OnRecord, account_ids, adopted, identify
from workflows.ports import Change, Committed, PolicyUnavailable, Snapshot, about_groups, about_person
from workflows.usecases.shared.adopt_accounts import adopt, is_adopted, on_hold
from workflows.usecases.shared.context import SOON, Context, WorkerContext, event
from workflows.usecases.shared.delegations import ABOUT_DELEGATIONS, with_delegations
from workflows.usecases.shared.other_chats import (
    accounts_elsewhere,
    asked_of,
    names_in_other_chats,
    one_question_more,
    who_can_be_asked,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and the facts that a decision may rest on."""

    policy: Policy
    person: PersonFacts
    groups: GroupFacts

    @property
    def record(self) -> str:
        """Whose account it is stands here: whatever the actor decides rests on it, so it is read in each snapshot."""
        return keys.account(self.person.account)


def known(
    ctx: Context, who: Account, groups: Callable[[Policy], Iterable[str]], *, on_hold: bool = False
) -> Actor | Refused:
    """The actor and the groups that matter, from the cache. FACTS_STALE where a worker has to look first.

    Guests, strangers, bots and people who have left are refused here, whatever they want to do, and so is an account that
    is on hold. `on_hold`: unless somebody's own account only looks, takes back, or says no.
    """
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable as problem:
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": str(problem)})
    names = tuple(groups(policy))
    expect(ctx, policy, who, names)
    now = ctx.ledger.now()
    person = ctx.directory.person(who)
    if person is None or not is_fresh(person.as_of, now):
        return Refused(Code.FACTS_STALE, audited=False)
    facts = with_delegations(ctx, ctx.directory.groups(policy, names), now=now) if names else GroupFacts()
    if facts.stale(names, now):
        return Refused(Code.FACTS_STALE, audited=False)
    unfit = person_problem(person)
    if unfit:
        return unfit
    with ctx.ahead.question(_about_whose(who)):
        mine = whose(ctx, policy, person)
    if mine.suspended is not None and not (on_hold and is_bound(mine)):
        return held(mine.suspended)
    return Actor(policy, mine, facts.counting(mine.id) if mine.suspended is not None else facts)


def expect(ctx: Context, policy: Policy, who: Account, groups: Iterable[str]) -> None:
    """What `known` takes will be asked for."""
    names = tuple(groups)
    ctx.ahead.expect(about_person(who), _about_whose(who))
    if names:
        ctx.ahead.expect(about_groups(policy, names), ABOUT_DELEGATIONS)


def _about_whose(who: Account) -> Hashable:
    return "whose", who


def nobody(_policy: Policy) -> tuple[str, ...]:
    """For `known`, where no group matters."""
    return ()


def is_bound(person: PersonFacts) -> bool:
    """Whether the account is somebody's: on hold it may still do for them what gives nothing."""
    return person.id != unbound(person.account)


def not_theirs(snapshot: Snapshot, actor: Actor, *, on_hold: bool = False) -> Refused | None:
    """On the decision's own snapshot, which has `actor.record`: whether the account is theirs no more, or on hold by now."""
    record = snapshot.get(actor.record, AccountRecord)
    if record is None or record.person != actor.person.id:
        return Refused(Code.FACTS_STALE, audited=False)
    return held(record.suspended) if record.suspended is not None and not on_hold else None


# ---------------------------------------------------------------- whose account is it


def whose(ctx: Context, policy: Policy, facts: PersonFacts) -> PersonFacts:
    """The facts with whose account it is and whether it is on hold, after what was news of it is on the record.

    An account that may do nothing is left as it is: nobody is bound to a guest, and who has left keeps what was theirs.
    """
    if facts.address is None or facts.standing_problem:
        return facts
    while True:
        found, change = _looked_at(ctx, policy, facts)
        if change is None or isinstance(ctx.ledger.commit(change), Committed):
            if change is not None and change.due:
                ctx.wake(*change.due)
            who = found.person if found.person is not None else unbound(facts.account)
            return replace(facts, id=who, suspended=found.suspended)


def _looked_at(ctx: Context, policy: Policy, facts: PersonFacts) -> tuple[Identified, Change | None]:
    """What the record makes of the account, and what has to be written; None where all of it stands there already."""
    names: tuple[str, ...] = (keys.ADOPTION, *map(keys.account, facts.accounts))
    while True:
        snapshot = ctx.ledger.read(*names)
        if not is_adopted(snapshot):
            adopt(ctx)
            continue
        standing = snapshot.get(keys.account(facts.account), AccountRecord)
        if standing is not None and _nothing_new(standing, facts):
            return Identified(standing.person, standing.suspended, standing), None
        wanted = tuple(dict.fromkeys((*names, *_beside(snapshot, facts, policy))))
        if wanted == names:
            break
        names = wanted
    record, puts = _on_record(snapshot, facts, policy)
    found = identify(facts, who_can_be_asked(ctx, record), snapshot.now)
    return found, _written(ctx, facts, found, puts, snapshot)


def _nothing_new(standing: AccountRecord, facts: PersonFacts) -> bool:
    """The usual case, for the price of one look: bound, on no hold, with the address and the name that it had."""
    same = (standing.address, standing.name) == (facts.address, facts.name)
    return same and standing.person is not None and standing.suspended is None


def _beside(snapshot: Snapshot, facts: PersonFacts, policy: Policy) -> Iterable[str]:
    """What else it takes to tell, as far as this snapshot leads."""
    people: list[PersonId] = []
    for spelling in _spellings(facts, policy):
        yield keys.address(spelling)
        owner = snapshot.seek(keys.address(spelling), AddressRecord)
        people += [first_person(spelling), *((owner.person,) if owner is not None else ())]
    known = [snapshot.seek(keys.account(name), AccountRecord) for name in facts.accounts]
    if all(one is None or one.person is None for one in known):
        yield keys.ERASED
    for name in facts.accounts:
        record = snapshot.seek(keys.account(name), AccountRecord)
        if record is not None and record.moved is not None:
            yield keys.account(record.moved)
            record = snapshot.seek(keys.account(record.moved), AccountRecord)
        if record is not None:
            people += [who for who in (record.person, record.suspended and record.suspended.claims) if who]
    for who in people:
        yield keys.identity(who)
        yield keys.person(who)
        yield from names_in_other_chats(snapshot, facts, who)


def _spellings(facts: PersonFacts, policy: Policy) -> tuple[Address, ...]:
    return spellings(facts.address, policy.former_domains) if facts.address is not None else ()


def _on_record(snapshot: Snapshot, facts: PersonFacts, policy: Policy) -> tuple[OnRecord, dict[str, Record]]:
    """What the snapshot has of the account; and what an older process, which still runs, has bound in its own way."""
    taken: dict[str, Record] = {}
    records = [_account(snapshot, name, taken) for name in facts.accounts]
    gone = [_account(snapshot, record.moved, taken) for record in records if record is not None and record.moved]
    owner = _owner(snapshot, _spellings(facts, policy))
    owned = _identity(snapshot, owner, taken)
    # Read anew: whoever an older process bound is bound.
    records = [_account(snapshot, name, taken) for name in facts.accounts]
    known = [record for record in (*records, *gone) if record is not None and record.moved is None]
    own = next((record for record in known if record.account == facts.account or record in gone), None)
    standing = own or next(iter(known), None)
    bound = standing.person if standing is not None else None
    person = _identity(snapshot, bound, taken) if bound is not None else None
    claims = standing.suspended.claims if standing is not None and standing.suspended is not None else None
    claimed = _identity(snapshot, claims, taken) if claims is not None else None
    former = standing if own is None else None
    elsewhere = accounts_elsewhere(snapshot, facts, owned) if owned is not None else ()
    asked, another = asked_of(snapshot, owner), _was_another(snapshot, facts)
    return OnRecord(own, owner, owned, former, person, claimed, elsewhere, asked, another), taken


def _was_another(snapshot: Snapshot, facts: PersonFacts) -> bool:
    """Whether the account was somebody's who was erased, and had another address then."""
    erased = snapshot.readable(keys.ERASED, ErasedPeople) if keys.ERASED in snapshot.items else None
    address = facts.address
    return erased is not None and address is not None and any(erased.is_another(one, address) for one in facts.accounts)


def _owner(snapshot: Snapshot, written: tuple[Address, ...]) -> PersonId:
    """Whose an address is now: by its own record, else whoever was first known by it, under any name of its domain."""
    for spelling in written:
        record = snapshot.get(keys.address(spelling), AddressRecord)
        if record is not None:
            return record.person
        first = first_person(spelling)
        if not all(snapshot.items[name].is_absent for name in (keys.identity(first), keys.person(first))):
            return first
    return first_person(written[0])


def _account(snapshot: Snapshot, name: object, taken: dict[str, Record]) -> AccountRecord | None:
    item = f"account:{name}"
    found = taken.get(item) or snapshot.get(item, AccountRecord)
    return found if isinstance(found, AccountRecord) else None


def _identity(snapshot: Snapshot, who: PersonId, taken: dict[str, Record]) -> Identity | None:
    found = snapshot.get(keys.identity(who), Identity)
    legacy = snapshot.get(keys.person(who), PersonRecord)
    if found is not None or legacy is None or not legacy.slack:
        return found
    # The hold of an older version suspends whoever was there first: what is new is judged here, and not there.
    old = adopted(replace(legacy, suspended=None), listed_as(who), snapshot.now)
    taken[keys.identity(who)] = old.identity
    taken |= {keys.account(one.account): one for one in old.accounts}
    return old.identity


def _written(
    ctx: Context, facts: PersonFacts, found: Identified, taken: dict[str, Record], snapshot: Snapshot
) -> Change | None:
    puts: dict[str, Record] = {**taken, keys.account(found.account.account): found.account}
    puts |= {keys.identity(one.person): one for one in found.identities}
    if found.moved is not None:
        puts[keys.account(found.moved.account)] = found.moved
    for address in found.addresses:
        if found.person is not None and found.person != first_person(address):
            puts[keys.address(address)] = AddressRecord(address, found.person)
    puts |= _person_record(facts, found, snapshot)
    if found.asks is not None:
        puts |= one_question_more(found.asks, snapshot)
    puts = {name: record for name, record in puts.items() if snapshot.seek(name, type(record)) != record}
    if not puts and found.news is None:
        return None
    item = keys.account(found.account.account)
    subject = keys.hold_subject(found.account.account)
    told = found.news in (Event.PERSON_BINDING_CHANGED, Event.PERSON_RESUMED)
    private = {"actor": found.person or facts.id, "actor_name": facts.name, "account": found.account.account}
    if found.suspended is not None:
        private |= {"claims": found.suspended.claims or "", "address": found.suspended.address or ""}
    entry = (event(ctx, found.news, subject, snapshot, found.facts, private),) if found.news else ()
    missing = {name: 0 for name in puts if name not in snapshot.items}
    return Change(
        commit_id=f"whose:{item}:{snapshot.items[item].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads={**snapshot.versions(), **missing},
        puts=puts,
        due={keys.chat(subject): snapshot.now + SOON} if told else {},
        index=on_hold(found.account),
        audit=entry,
    )


def _person_record(facts: PersonFacts, found: Identified, snapshot: Snapshot) -> dict[str, Record]:
    """What is kept of a person beside, with the account in the form that older versions read."""
    if found.person is None:
        return {}
    item = keys.person(found.person)
    record = snapshot.seek(item, PersonRecord) or PersonRecord(found.person, facts.name)
    known = record.slack if facts.slack in record.slack else (*record.slack, facts.slack)
    return {item: replace(record, name=facts.name, slack=known)}


# ---------------------------------------------------------------- from a person to an account


def account_of(ctx: WorkerContext, policy: Policy, who: PersonId) -> PersonFacts | None:
    """The account of a person, looked up where it is not known yet: somebody whom the policy lists is bound to theirs when a
    worker first needs to write to them. None where they have none. Raises DirectoryUnreachable.
    """
    return ctx.directory.of_person(who) or looked_up(ctx, policy, who)


def looked_up(ctx: WorkerContext, policy: Policy, who: PersonId) -> PersonFacts | None:
    """The same of somebody of whom the directory knows no account. Raises DirectoryUnreachable."""
    bound = bound_to(ctx, who)
    if bound:
        found = [whose(ctx, policy, ctx.refresher.refresh_person(account, policy)) for account in bound]
        if len({account.surface for account in bound}) > 1:
            return ctx.directory.of_person(who)
        return next((facts for facts in found if facts.id == who), None) or ctx.directory.of_person(who)
    address = listed_as(who)
    facts = ctx.refresher.find(address, policy) if address is not None else None
    mine = whose(ctx, policy, facts) if facts is not None else None
    return mine if mine is not None and mine.id == who else None


def bound_to(ctx: Context, who: PersonId) -> tuple[Account, ...]:
    """The accounts that are bound to a person, as the chat names them."""
    snapshot = ctx.ledger.read(keys.identity(who), keys.person(who))
    legacy = snapshot.get(keys.person(who), PersonRecord)
    identity = snapshot.get(keys.identity(who), Identity)
    names = account_ids(identity, legacy)
    records = ctx.ledger.read(*map(keys.account, names)) if names else None
    found = [records.get(keys.account(name), AccountRecord) for name in names] if records else []
    bound = tuple(record.slack for record in found if record is not None and record.person == who)
    # Who has an identity has the accounts that stand there, and no other: what was theirs may be somebody else's.
    return bound or (legacy.slack if legacy is not None and identity is None and not any(found) else ())


def seen_now(ctx: Context, policy: Policy, who: Account) -> PersonFacts | None:
    """What the chat says of an account that somebody else decides about; a worker asks anew where that is not fresh, and for
    everybody else it is None then. Raises DirectoryUnreachable."""
    facts = ctx.directory.person(who)
    if facts is not None and is_fresh(facts.as_of, ctx.ledger.now()):
        return facts
    return ctx.refresher.refresh_person(who, policy) if isinstance(ctx, WorkerContext) else None


def in_doubt(ctx: Context, groups: GroupFacts, names: Iterable[str]) -> tuple[Account, ...]:
    """Accounts in these groups of which it was said some time ago that they can do nothing: they may be able to by now."""
    unusable = frozenset().union(*(groups.by_name[name].unusable for name in names if name in groups.by_name))
    known_ = ctx.directory.of_people(sorted(unusable)) if unusable else {}
    now = ctx.ledger.now()
    return tuple(facts.slack for facts in known_.values() if facts.standing_problem and not is_fresh(facts.as_of, now))


def fresh(ctx: WorkerContext, policy: Policy, who: Account, now: datetime) -> PersonFacts:
    """What the chat says of an account, asked anew where it is not fresh, and whose it is. Raises DirectoryUnreachable."""
    facts = ctx.directory.person(who)
    if facts is None or not is_fresh(facts.as_of, now):
        facts = ctx.refresher.refresh_person(who, policy)
    found = whose(ctx, policy, facts)
    return found if found is not facts else ctx.directory.person(who) or facts
