"""Records that say who people are, each decoded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from workflows.core import keys
from workflows.core.identity import (
    Account,
    AccountId,
    AccountRecord,
    Address,
    AddressRecord,
    Identity,
    PersonId,
    first_person,
)
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.rules.identification import account_ids

T = TypeVar("T")


class PeopleRead:
    """`stored`: many records as they are stored, in one round trip; `record`: what one says, None where it cannot be read."""

    def __init__(
        self, stored: Callable[[Sequence[str]], Sequence[Any]], record: Callable[[str, Any], Record | None]
    ) -> None:
        self._look = stored
        self._record = record
        self._stored: dict[str, Any] = {}
        self._found: dict[str, Record | None] = {}

    def more(self, names: Iterable[str]) -> None:
        """What was read is not read again."""
        wanted = tuple(name for name in dict.fromkeys(names) if name not in self._stored)
        if wanted:
            self._stored |= zip(wanted, self._look(wanted), strict=True)

    def as_first_known(self, people: Iterable[PersonId]) -> None:
        """Of those who have no identity, what an earlier version wrote down of them. It is not read of the others: it changes
        with each ask, and what follows from who they are does not.
        """
        self.more(keys.person(who) for who in people if self.one(keys.identity(who), Identity) is None)

    def one(self, name: str, kind: type[T]) -> T | None:
        if name not in self._stored:
            return None
        if name not in self._found:
            self._found[name] = self._record(name, self._stored[name])
        found = self._found[name]
        return found if isinstance(found, kind) else None

    def stands(self, name: str) -> bool:
        return self._stored.get(name) is not None

    def has(self, who: PersonId) -> bool:
        """Whether it was looked at what is known of them."""
        return keys.identity(who) in self._stored

    def owner(self, written: tuple[Address, ...]) -> PersonId:
        """Whose an address is, written as it is today and as it was: whoever has a record, else whoever would be first."""
        for address in written:
            record = self.one(keys.address(address), AddressRecord)
            if record is not None:
                return record.person
            first = first_person(address)
            if self.stands(keys.identity(first)) or self.stands(keys.person(first)):
                return first
        return first_person(written[0])

    def identity(self, who: PersonId) -> Identity:
        found = self.one(keys.identity(who), Identity)
        return found or Identity(who, "", account_ids(None, self.one(keys.person(who), PersonRecord)))

    def accounts_of(self, who: PersonId) -> tuple[AccountId, ...]:
        known = self.one(keys.identity(who), Identity)
        return known.accounts if known is not None else account_ids(None, self.one(keys.person(who), PersonRecord))

    def users_of(
        self, who: PersonId, accounts: Iterable[AccountId], records: Mapping[AccountId, AccountRecord]
    ) -> Iterable[tuple[AccountId, Account]]:
        """How the chat names them: from the account's record, else as an earlier version wrote it down."""
        for name in accounts:
            if name in records:
                yield name, records[name].slack
                continue
            legacy = self.one(keys.person(who), PersonRecord)
            yield from ((name, account) for account in (legacy.slack if legacy else ()) if account.id == name)
