"""Who is to be erased: all names of theirs that the ledger knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from workflows.core import keys
from workflows.core.erasing import Whom
from workflows.core.identity import (
    Account,
    AccountId,
    AccountRecord,
    Address,
    AddressRecord,
    Identity,
    PersonId,
    first_person,
    listed_as,
)
from workflows.core.records.erased import Erased, ErasedPeople
from workflows.core.records.person import PersonRecord
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context

T = TypeVar("T")
AT_ONCE = 200


def parts_of(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


def pages(ctx: Context, names: Iterable[str]) -> Iterator[Snapshot]:
    for part in parts_of(names):
        yield ctx.ledger.read(*part)


def people_called(ctx: Context, address: Address) -> tuple[PersonId, ...]:
    """Everybody who has an address or had it, whoever has it now first."""
    owner = ctx.directory.owner_of(address)
    found = dict.fromkeys((owner, first_person(address)))
    for page in pages(ctx, ctx.ledger.records("person-id")):
        people = (page.readable(name, Identity) for name in page.items)
        found |= dict.fromkeys(
            one.person for one in people if one is not None and address in {span.address for span in one.addresses}
        )
    return tuple(who for who in found if is_known(ctx, who))


def is_known(ctx: Context, who: PersonId) -> bool:
    snapshot = ctx.ledger.read(keys.identity(who), keys.person(who))
    return not all(item.is_absent for item in snapshot.items.values())


def erased_people(ctx: Context) -> ErasedPeople | None:
    return ctx.ledger.read(keys.ERASED).get(keys.ERASED, ErasedPeople)


def erased_before(ctx: Context, who: PersonId) -> Erased | None:
    found = erased_people(ctx)
    return found.of(who) if found is not None else None


def whom(ctx: Context, who: PersonId, instead: PersonId) -> Whom:
    snapshot = ctx.ledger.read(keys.identity(who), keys.person(who))
    identity = snapshot.readable(keys.identity(who), Identity) or Identity(who, "")
    legacy = snapshot.readable(keys.person(who), PersonRecord)
    records = list(_accounts(ctx, who, identity.accounts))
    spans = {span.address for span in identity.addresses}
    addresses = spans | {one.address for one in records if one.address is not None and one.person == who}
    accounts = {one.slack for one in records} | set(legacy.slack if legacy else ())
    own = listed_as(who)
    theirs = frozenset(_theirs(ctx, who, addresses | ({own} if own is not None else set())))
    names = {identity.name, *(one.name for one in records), *((legacy.name,) if legacy else ())}
    return Whom(
        who,
        instead,
        theirs,
        frozenset(accounts),
        frozenset(_ids(records, identity.accounts, accounts)),
        frozenset(_alone(ctx, who, names)),
        own is not None and own not in theirs,
    )


def _accounts(ctx: Context, who: PersonId, listed: Sequence[AccountId]) -> Iterator[AccountRecord]:
    """Those that are bound to them, also those that an identity lists no more, and what was moved to them."""
    for page in pages(ctx, ctx.ledger.records("account")):
        for name in page.items:
            one = page.readable(name, AccountRecord)
            if one is not None and (one.person == who or one.account in listed or one.moved in listed):
                yield one


def _ids(
    records: Iterable[AccountRecord], listed: Iterable[AccountId], accounts: Iterable[Account]
) -> Iterator[AccountId]:
    yield from (one.account for one in records)
    yield from listed
    yield from (one.id for one in accounts)


def _theirs(ctx: Context, who: PersonId, addresses: Iterable[Address]) -> Iterator[Address]:
    """Without what is another one's by now: what says such an address may be about either."""
    for address in sorted(addresses):
        first = first_person(address)
        snapshot = ctx.ledger.read(keys.address(address), keys.identity(first), keys.person(first))
        owner = snapshot.readable(keys.address(address), AddressRecord)
        stands = not all(snapshot.items[name].is_absent for name in (keys.identity(first), keys.person(first)))
        if who == (owner.person if owner is not None else first if stands else who):
            yield address


def _alone(ctx: Context, who: PersonId, names: set[str]) -> Iterator[str]:
    """The names that nobody else who is known is called."""
    others: set[str] = set()
    for page in pages(ctx, ctx.ledger.records("person-id")):
        people = (page.readable(name, Identity) for name in page.items)
        others |= {one.name for one in people if one is not None and one.person != who}
    yield from (name for name in names if name and name not in others)
