"""People say whose an account is that is on hold: the same person's as before, or another's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflows.core.canonical_json import digest
from workflows.core.identity import (
    AccountId,
    AccountRecord,
    Address,
    AddressSpan,
    Identity,
    PersonId,
    Proposal,
    Suspension,
    Why,
)
from workflows.core.people import GroupFacts, PersonFacts
from workflows.core.policy import Environment, Policy, Tier

# What the first of two has said stands so long: whoever agrees later has to be sure of what they agree to.
PROPOSAL_STANDS_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """An account that is on hold, with the people it is about: to whom it is bound, and whom it claims to be."""

    account: AccountRecord
    suspended: Suspension
    person: Identity | None = None
    claimed: Identity | None = None

    @property
    def people(self) -> tuple[PersonId, ...]:
        found = (self.account.person, self.suspended.claims)
        return tuple(dict.fromkeys(who for who in found if who is not None))

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        others = (one.accounts for one in (self.person, self.claimed) if one is not None)
        return tuple(dict.fromkeys((self.account.account, *(account for found in others for account in found))))

    @property
    def hash(self) -> str:
        """A button carries it: what is said is said of this hold and of no later one."""
        hold = self.suspended
        since = hold.since.isoformat()
        return digest([self.account.account, hold.why.value, hold.address or "", hold.claims or "", since])[:16]


def is_own(held: Held, actor: PersonFacts) -> bool:
    """Whether the actor is, or uses an account of, somebody whom this is about."""
    return _concerns(held, actor.id, actor.accounts)


def _concerns(held: Held, who: PersonId, accounts: Iterable[AccountId]) -> bool:
    people = {*held.people, *(held.person.also if held.person else ()), *(held.claimed.also if held.claimed else ())}
    return who in people or not set(accounts).isdisjoint(held.accounts)


def needs_two(policy: Policy, held: Held, groups: GroupFacts) -> bool:
    """Whoever could be made into somebody of the panic group, or into an owner in production, is so by two people."""
    names = groups_that_matter(policy)
    return any(groups.listed(who, names) for who in held.people)


def groups_that_matter(policy: Policy) -> tuple[str, ...]:
    places = (place for place in policy.environments.values() if place.tier is Tier.PRODUCTION)
    owners = (name for place in places for name in (*place.owners, *_of_roles(place)))
    return tuple(dict.fromkeys((*policy.security, *owners)))


def _of_roles(place: Environment) -> tuple[str, ...]:
    return tuple(name for role in place.roles.values() for name in role.owners)


def seconds(held: Held, actor: PersonFacts, *, same: bool) -> bool:
    """Whether somebody else has said the same before. Whether what they said still stands is told by `stands`."""
    first = held.account.proposal
    if first is None or first.same is not same:
        return False
    return first.by != actor.id and first.account not in actor.accounts


def stands(policy: Policy, held: Held, groups: GroupFacts, account: AccountRecord | None, first: Identity) -> bool:
    """Whether who spoke first could say it now: still of the panic group, with `account` theirs and on no hold, and not
    one of those whom this is about. `first`: who they are.
    """
    said = held.account.proposal
    if said is None or account is None or account.person != said.by or account.suspended is not None:
        return False
    return groups.surely(said.by, policy.security) and not _concerns(held, said.by, first.accounts)


def proposed(held: Held, actor: PersonFacts, now: datetime, reason: str, *, same: bool) -> AccountRecord:
    return replace(held.account, proposal=Proposal(actor.id, actor.name, actor.account, now, same, reason))


# ---------------------------------------------------------------- what follows


@dataclass(frozen=True, slots=True)
class Settled:
    """The records as they should stand."""

    account: AccountRecord
    people: tuple[Identity, ...]
    # Whose these addresses are from now on.
    addresses: Mapping[Address, PersonId] = field(default_factory=dict)
    # Of the one who was closed: their accounts give nothing from now on.
    closed: PersonId | None = None

    @property
    def person(self) -> PersonId:
        if self.account.person is None:
            raise ValueError(f"{self.account.account} was settled, and is nobody's")
        return self.account.person


def as_the_same(held: Held, now: datetime) -> Settled:
    """The same human as before: the account is theirs, with the address that it has now."""
    who = held.person or held.claimed
    if who is None:
        raise ValueError(f"{held.account.account} is bound to nobody and claims nobody")
    account = replace(
        held.account,
        person=who.person,
        suspended=None,
        proposal=None,
        address=held.suspended.address or held.account.address,
    )
    accounts = tuple(dict.fromkeys((*who.accounts, account.account)))
    instead = held.account.address if held.person is not None else None
    person = replace(_with_address(who, account.address, instead, now), accounts=accounts, closed_at=None)
    other = held.claimed if held.claimed is not None and held.claimed.person != who.person else None
    people: tuple[Identity, ...] = (_apart(person, other),)
    if other is not None:
        people = (*people, _apart(_without_address(other, account.address, now), who))
    taken = {account.address: who.person} if account.address is not None else {}
    return Settled(account, people, taken)


def as_another(held: Held, new: PersonId, now: datetime) -> Settled:
    """Another human: somebody new, to whom nothing of the old one goes over. `new` is an id that nobody has had."""
    address = held.suspended.address or held.account.address
    old = held.person or held.claimed
    bound = replace(held.account, person=new, suspended=None, proposal=None, address=address)
    spans = (AddressSpan(address, now),) if address is not None else ()
    people: tuple[Identity, ...] = (Identity(new, held.account.name, (bound.account,), spans),)
    closed: PersonId | None = None
    if old is not None:
        left = tuple(one for one in old.accounts if one != bound.account)
        # Who has another address by now, or another account that is still theirs, goes on under that.
        lives_on = address not in old.current if held.person is None else bool(left)
        after = replace(_without_address(old, address, now), accounts=left)
        if not lives_on:
            closed = old.person
            after = replace(after, closed_at=now, addresses=tuple(_ended(span, now) for span in after.addresses))
            people = (replace(people[0], before=closed),)
        people = (*people, _apart(after, held.claimed))
    # Of whom nobody had heard before, and who is therefore the one that is meant, nothing is taken.
    if held.person is not None and held.claimed is not None and held.claimed.person not in (held.person.person, new):
        people = (*people, _apart(_without_address(held.claimed, address, now), held.person))
    return Settled(bound, people, {address: new} if address is not None else {}, closed)


def shut(record: AccountRecord, now: datetime) -> AccountRecord:
    """An account of somebody who was closed: it gives nothing, and keeps what takes nothing from others."""
    return replace(record, suspended=Suspension(Why.CLOSED, now, record.address), proposal=None)


def _with_address(person: Identity, address: Address | None, instead: Address | None, now: datetime) -> Identity:
    if address is None or address in person.current:
        return person
    kept = tuple(_ended(span, now) if span.address == instead else span for span in person.addresses)
    return replace(person, addresses=(*kept, AddressSpan(address, now)))


def _without_address(person: Identity, address: Address | None, now: datetime) -> Identity:
    spans = tuple(_ended(span, now) if span.address == address else span for span in person.addresses)
    return replace(person, addresses=spans)


def _ended(span: AddressSpan, now: datetime) -> AddressSpan:
    return replace(span, until=span.until or now)


def _apart(person: Identity, other: Identity | None) -> Identity:
    """Whom they counted as because nobody knew, they do no longer."""
    return replace(person, also=tuple(one for one in person.also if other is None or one != other.person))
