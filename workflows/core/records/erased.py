"""Who was erased, by salted digests alone: so that an account of theirs which comes back as somebody else is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core.canonical_json import digest
from workflows.core.identity import AccountId, Address, PersonId


@dataclass(frozen=True, slots=True)
class Erased:
    """`instead`: what stands in records where their id stood. `done_at`: None while some of it is left."""

    instead: PersonId
    since: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErasedPeople:
    """`salt`: 64 hex digits of chance. `people`: by digest of the person's id. `accounts`: digest of an account -> of the address
    that it was bound with. Who has the ledger can try a name against it, and read none out of it.
    """

    salt: str = field(repr=False)
    people: Mapping[str, Erased] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)

    def of(self, who: PersonId) -> Erased | None:
        return self.people.get(self._mark("person", who))

    def noted(self, who: PersonId, erased: Erased) -> ErasedPeople:
        return replace(self, people={**self.people, self._mark("person", who): erased})

    def with_account(self, account: AccountId, address: Address | None) -> ErasedPeople:
        return replace(
            self, accounts={**self.accounts, self._mark("account", account): self._mark("address", address or "")}
        )

    def is_another(self, account: AccountId, address: Address) -> bool:
        """Whether the account was bound to somebody who was erased, and has another address now."""
        before = self.accounts.get(self._mark("account", account))
        return before is not None and before != self._mark("address", address)

    def _mark(self, what: str, value: str) -> str:
        return digest([self.salt, what, value])[:32]
