"""Who is this account? The one place that decides it. Pure: what the chat says and what the record says go in.

An account is whose it was bound to, whatever address it has now. Nobody becomes somebody else, or stops somebody else, by an
address: what does not fit suspends the account that came later, until people have said who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core.audit import Event
from workflows.core.identity import (
    AccountId,
    AccountRecord,
    Address,
    AddressSpan,
    Identity,
    PersonId,
    Suspension,
    Why,
    surface_of,
)
from workflows.core.people import PersonFacts
from workflows.core.records.person import PersonRecord

# So often a day somebody is asked about accounts that claim to be them; further ones are for security.
QUESTIONS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the ledger has: the account (under its present id, or under an earlier one in `former`), the person to whom it is
    bound, and whoever has its address now (`owner`), with what is known of them.
    """

    account: AccountRecord | None
    owner: PersonId
    owned: Identity | None
    former: AccountRecord | None = None
    person: Identity | None = None
    # Whom the account claims to be while it is on hold.
    claimed: Identity | None = None
    # The owner's accounts in other chats, and when they were asked there, within a day, about accounts that claim to be them.
    elsewhere: tuple[AccountRecord, ...] = ()
    asked: tuple[datetime, ...] = ()
    # The account was somebody's who was erased, with another address: nobody knows who uses it now.
    another: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """Whose the account is, if anybody's, and why it gives nothing at the moment. The rest is what has to be written down:
    the records as they should stand, and the event where it is news.
    """

    person: PersonId | None
    suspended: Suspension | None
    account: AccountRecord
    identities: tuple[Identity, ...] = ()
    # Addresses that are this person's from now on.
    addresses: tuple[Address, ...] = ()
    # The account's earlier record, which from now on only says where it went.
    moved: AccountRecord | None = None
    news: Event | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    # Who is asked from now on, in another chat, whether the account is theirs.
    asks: PersonId | None = None


def identify(facts: PersonFacts, record: OnRecord, now: datetime) -> Identified:
    """`facts` must be of an account that may act at all: with an address, and without a standing problem."""
    if facts.address is None or facts.standing_problem:
        raise ValueError(f"{facts.account} may do nothing, so it is not bound to anybody")
    if record.account is None and record.former is not None:
        return _moved(facts, record, record.former, now)
    if record.account is None or record.account.person is None:
        return _unbound(facts, facts.address, record, now)
    return _bound(facts, facts.address, record.account, record, now)


# ---------------------------------------------------------------- an account that is bound


def _bound(facts: PersonFacts, address: Address, account: AccountRecord, record: OnRecord, now: datetime) -> Identified:
    known = replace(account, name=facts.name, slack=facts.slack if facts.slack.id == account.account else account.slack)
    # Nor does a renamed domain give anybody an address that is somebody else's by its present name.
    if address != account.address and record.owner != account.person:
        return _changed(address, known, record, now)
    before = known.suspended
    # Where it stays on hold, what people say is said of the address that it has now.
    cleared = replace(before, address=address) if before and before.why is not Why.ADDRESS_CHANGED else None
    kept = known.proposal if cleared is not None and cleared == before else None
    after = replace(known, address=address, suspended=cleared, proposal=kept)
    person = record.person or Identity(account.person or record.owner, facts.name, (account.account,))
    changed = _with_address(person, address, account.address, now) if address != account.address else person
    resumed = known.suspended is not None and cleared is None
    if resumed:
        changed = _without(changed, known.suspended.claims if known.suspended else None)
    others = _others(record, known.suspended) if resumed else ()
    news = Event.PERSON_RESUMED if resumed else (Event.PERSON_ADDRESS if address != account.address else None)
    return Identified(
        person=account.person,
        suspended=cleared,
        account=after,
        identities=(*((changed,) if changed != record.person else ()), *others),
        addresses=(address,) if address != account.address else (),
        news=news,
    )


def _others(record: OnRecord, ended: Suspension | None) -> tuple[Identity, ...]:
    """Whom the account claimed to be, and does no longer."""
    claimed, own = record.claimed, record.person
    if ended is None or claimed is None or own is None or claimed.person == own.person:
        return ()
    apart = _without(claimed, own.person)
    return (apart,) if apart != claimed else ()


def _changed(address: Address, account: AccountRecord, record: OnRecord, now: datetime) -> Identified:
    """Another address, which nothing explains: whoever it is, they are the same, and give nothing until somebody knows why."""
    before = account.suspended
    again = before is not None and before.why is Why.ADDRESS_CHANGED and before.claims == record.owner
    since = before.since if before is not None else now
    hold = Suspension(Why.ADDRESS_CHANGED, since, address, record.owner)
    if before is not None and before.why is not Why.ADDRESS_CHANGED:
        hold = replace(before, address=address, claims=record.owner)
    own = record.person or Identity(account.person or record.owner, account.name, (account.account,))
    left = before if before is not None and before.why is Why.ADDRESS_CHANGED and not again else None
    mine = _with(_without(own, left.claims if left is not None else None), record.owner)
    theirs = _with(record.owned, own.person) if record.owned is not None else None
    changed = tuple(
        after
        for after, earlier in ((mine, record.person), (theirs, record.owned))
        if after is not None and after != earlier
    )
    # Whom it claimed to be before this, it does no longer.
    changed = (*changed, *_others(record, left))
    return Identified(
        person=account.person,
        suspended=hold,
        account=replace(account, suspended=hold, proposal=account.proposal if before == hold else None),
        identities=changed,
        news=None if again or before is not None else Event.PERSON_BINDING_CHANGED,
        facts={"why": hold.why.value},
    )


# ---------------------------------------------------------------- an account that is nobody's yet


def _unbound(facts: PersonFacts, address: Address, record: OnRecord, now: datetime) -> Identified:
    before = record.account
    own = AccountRecord(
        facts.account, facts.slack, facts.name, address=address, suspended=before.suspended if before else None
    )
    owned = record.owned
    free = owned is None or (not owned.accounts and owned.closed_at is None)
    if free and not record.another:
        person = owned or Identity(record.owner, facts.name)
        bound = replace(person, name=facts.name, accounts=(facts.account,))
        return Identified(
            person=record.owner,
            suspended=None,
            account=replace(own, person=record.owner, suspended=None),
            identities=(_with_address(bound, address, None, now),),
            news=Event.PERSON_BOUND,
        )
    hold = _claiming(own.suspended, address, record, now)
    earlier = own.suspended
    news = earlier is None or (earlier.claims, earlier.asked_in) != (hold.claims, hold.asked_in)
    asks = bool(hold.asked_in) and (earlier is None or not earlier.asked_in or not _says_the_same(earlier, hold))
    return Identified(
        person=None,
        suspended=hold,
        account=replace(own, suspended=hold, proposal=before.proposal if before and earlier == hold else None),
        news=Event.PERSON_BINDING_CHANGED if news or asks else None,
        facts={"why": hold.word, **({"asked_in": " ".join(hold.asked_in)} if hold.asked_in else {})},
        asks=record.owner if asks else None,
    )


def _claiming(before: Suspension | None, address: Address, record: OnRecord, now: datetime) -> Suspension:
    """The hold of an account that is nobody's, under an address that is somebody's: they are asked where they have an account
    in another chat, once for each account and address. Whoever makes accounts can bother nobody with more questions."""
    hold = Suspension(Why.NEW_ACCOUNT, before.since if before is not None else now, address, record.owner)
    if before is not None and _says_the_same(before, hold):
        hold = replace(hold, disowned_at=before.disowned_at)
    asked = before is not None and bool(before.asked_in) and _says_the_same(before, hold)
    if hold.disowned_at is not None or not (asked or len(record.asked) < QUESTIONS_A_DAY):
        return hold
    return replace(hold, asked_in=tuple(sorted({surface_of(one.account) for one in record.elsewhere})))


def _says_the_same(one: Suspension, other: Suspension) -> bool:
    return (one.address, one.claims) == (other.address, other.claims)


def _moved(facts: PersonFacts, record: OnRecord, former: AccountRecord, now: datetime) -> Identified:
    """Its workspace joined an organisation: the same account under another id, as the chat itself says."""
    moved = replace(former, account=facts.account, slack=facts.slack, moved=None)
    own = record.person
    if own is not None:
        accounts = (facts.account, *(one for one in own.accounts if one not in (former.account, facts.account)))
        own = replace(own, accounts=accounts)
    found = identify(facts, replace(record, account=moved, former=None, person=own), now)
    kept = tuple(one for one in found.identities if own is None or one.person != own.person)
    mine = next((one for one in found.identities if own is not None and one.person == own.person), own)
    return replace(
        found,
        identities=(*kept, *((mine,) if mine is not None else ())),
        moved=AccountRecord(former.account, former.slack, former.name, moved=facts.account),
        news=found.news or Event.PERSON_BOUND,
        facts={**found.facts, "moved": "yes"},
    )


# ---------------------------------------------------------------- small things


def _with_address(person: Identity, address: Address, instead_of: Address | None, now: datetime) -> Identity:
    if address in person.current:
        return person
    spans = tuple(
        replace(span, until=now) if span.address == instead_of and span.until is None else span
        for span in person.addresses
    )
    return replace(person, addresses=(*spans, AddressSpan(address, now)))


def _with(person: Identity | None, other: PersonId) -> Identity | None:
    if person is None or other == person.person or other in person.also:
        return person
    return replace(person, also=(*person.also, other))


def _without(person: Identity, other: PersonId | None) -> Identity:
    return replace(person, also=tuple(one for one in person.also if one != other))


# ---------------------------------------------------------------- what an earlier version kept


@dataclass(frozen=True, slots=True)
class Adopted:
    identity: Identity
    accounts: tuple[AccountRecord, ...]


def adopted(record: PersonRecord, address: Address | None, now: datetime) -> Adopted:
    """The binding that an earlier version kept in a person's record, whose key was their address.

    Whoever was on hold stays so: which of the accounts it was about was not written down.
    """
    hold = Suspension(Why.BEFORE, now, address) if record.suspended else None
    accounts = tuple(
        AccountRecord(account.id, account, record.name, record.id, address, hold) for account in record.slack
    )
    spans = (AddressSpan(address, now),) if address is not None else ()
    return Adopted(Identity(record.id, record.name, tuple(one.account for one in accounts), spans), accounts)


def account_ids(identity: Identity | None, legacy: PersonRecord | None) -> tuple[AccountId, ...]:
    """The accounts of a person, wherever they are written down."""
    if identity is not None:
        return identity.accounts
    return tuple(account.id for account in legacy.slack) if legacy is not None else ()
