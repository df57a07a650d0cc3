"""Accounts, people, addresses: three kinds of names that are never used for one another, and what the ledger keeps of them.

An account is a chat account by immutable ids. A person is whoever stands behind one or more accounts. An address is an
attribute, which people get, change and give up. Nothing but the binding (the records below) goes from one to another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

# An e-mail address as `address_of` makes it: ASCII, lower case, one `@`, a former domain replaced by its new one.
Address = NewType("Address", str)
# `SURFACE:TENANT:USER`: an account in one chat. In Slack the tenant is the organisation (`E...`) where there is one, else the
# workspace (`T...`).
AccountId = NewType("AccountId", str)
# Opaque: it is compared, and never read. For whoever was first known by an address it is that address as text, so that
# what older versions stored is theirs; for another person under an address that was used before, `ADDRESS~2`.
PersonId = NewType("PersonId", str)

# What somebody who was erased is called from then on, with 12 hex digits; the subject of what is told of it.
ERASED_PERSON = "erased-"

NO_DOMAINS: Mapping[str, str] = MappingProxyType({})
ADDRESS_LENGTH_MAX = 254
# Unquoted local parts of RFC 5322, and host names. Other alphabets have letters that look like these, or fold into them.
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
# The chat that the first versions knew alone: in what is stored of its accounts, and named after them, it is not said.
SLACK = "slack"
# Microsoft Teams: the tenant is the Entra tenant, the user the object id there; both in lower case.
TEAMS = "teams"
# A channel that takes what is posted, and gives nothing back: no edits, no threads, no presses.
WEBHOOK = "webhook"


def address_of(text: str, former_domains: Mapping[str, str] = NO_DOMAINS) -> Address | None:
    """The one spelling of an address, or None where `text` is none. `former_domains`: old domain -> the one it is now."""
    stripped = text.strip()
    if not stripped.isascii() or len(stripped) > ADDRESS_LENGTH_MAX:
        return None
    folded = stripped.lower()
    if _ADDRESS.fullmatch(folded) is None:
        return None
    local, _, domain = folded.rpartition("@")
    return Address(f"{local}@{former_domains.get(domain, domain)}")


def renamed(address: Address, former_domains: Mapping[str, str]) -> Address:
    """What an address that was stored under an earlier policy is called today."""
    return address_of(address, former_domains) or address


def spellings(address: Address, former_domains: Mapping[str, str]) -> tuple[Address, ...]:
    """The address as it is written today, and as it was under each earlier name of its domain."""
    now = renamed(address, former_domains)
    local, _, domain = now.rpartition("@")
    return (now, *(Address(f"{local}@{old}") for old, new in sorted(former_domains.items()) if new == domain))


def domain_of(address: Address) -> str:
    return address.rpartition("@")[2]


def first_person(address: Address) -> PersonId:
    """Whoever is first known by this address."""
    return PersonId(address)


def listed_as(person: PersonId) -> Address | None:
    """Of somebody to whom no account was ever bound, and of them alone: the address in the list that names them."""
    return address_of(person)


def next_person(address: Address, number: int) -> PersonId:
    """Another person under an address that somebody else had: the second, the third ..."""
    return PersonId(f"{address}~{number}")


def is_erased(person: PersonId) -> bool:
    """Whether it stands for somebody whom the record names no more; see `usecases.identity.erase`."""
    return person.startswith(ERASED_PERSON) and "@" not in person


def surface_of(account: AccountId) -> str:
    return account.partition(":")[0]


def unbound(account: AccountId) -> PersonId:
    """Stands for an account that is bound to no person: equal to no person's id, and in no group."""
    return PersonId(account)


@dataclass(frozen=True, slots=True)
class Account:
    """A chat account as its chat names it, by ids that are unique only together.

    `surface`: which chat, `slack`. `tenant`: in Slack the acting user's own team, or the organisation of it.
    """

    surface: str
    tenant: str
    user: str

    @property
    def id(self) -> AccountId:
        """Under this tenant; `PersonFacts.account` knows whether a team stands in an organisation."""
        return AccountId(f"{self.surface}:{self.tenant}:{self.user}")

    @property
    def short(self) -> str:
        """As due items name it: `TENANT:USER` in Slack, else the id. `account_named` reads it."""
        return f"{self.tenant}:{self.user}" if self.surface == SLACK else self.id


def account_named(short: str) -> Account:
    """The account that `Account.short` names. Raises ValueError for what names none."""
    surface, tenant, user = short.split(":", 2) if short.count(":") > 1 else (SLACK, *short.split(":"))
    return Account(surface, tenant, user)


# ---------------------------------------------------------------- what the ledger keeps


class Why(StrEnum):
    """Why an account gives nothing until somebody confirms who it is."""

    ADDRESS_CHANGED = "address_changed"
    NEW_ACCOUNT = "new_account"
    # Somebody else has the address by now, and this account belongs to whoever had it before.
    CLOSED = "closed"
    # What versions before this one wrote down without saying which.
    BEFORE = "before"


# In words and on record: a new account whose person is asked in another chat, and one of which they said that it is not theirs.
# Stored it is a NEW_ACCOUNT, which a process knows that knows one chat alone: it leaves it to security.
SECOND_CHAT, DISOWNED = "second_chat", "disowned"


@dataclass(frozen=True, slots=True)
class Suspension:
    """`address`: what the account carries while it is suspended. `claims`: whose address that is, where it is somebody's.

    `asked_in`: the other chats in which whom it claims to be is asked whether it is theirs; empty where people of security have
    to say it. `disowned_at`: when they said that it is not.
    """

    why: Why
    since: datetime
    address: Address | None = None
    claims: PersonId | None = None
    asked_in: tuple[str, ...] = ()
    disowned_at: datetime | None = None

    @property
    def word(self) -> str:
        if self.disowned_at is not None:
            return DISOWNED
        return SECOND_CHAT if self.asked_in else self.why.value


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the first of two people has said about an account that is on hold. `same`: that it is the same person."""

    by: PersonId
    by_name: str
    account: AccountId
    at: datetime
    same: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account and whose it is. `person` None: nobody's, as long as nobody has confirmed it.

    `address`: the one with which it was bound or confirmed. `moved`: its id in the organisation that its workspace joined;
    then all of this stands under that id.
    """

    account: AccountId
    slack: Account
    name: str
    person: PersonId | None = None
    address: Address | None = None
    suspended: Suspension | None = None
    proposal: Proposal | None = None
    moved: AccountId | None = None
    # When the owners were told that it was deactivated while its person had access.
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddressSpan:
    address: Address
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """One person: the accounts bound to them, the addresses they have and had.

    `also`: for separation of duties they count as these people, too: whom one of their accounts claims to be, or whose
    account claims to be them. `closed_at`: somebody else has their address now; nothing of theirs is inherited.
    `before`: who had their address and was closed for them; whatever is still open of that one is found under the address.
    """

    person: PersonId
    name: str
    accounts: tuple[AccountId, ...] = ()
    addresses: tuple[AddressSpan, ...] = ()
    closed_at: datetime | None = None
    also: tuple[PersonId, ...] = ()
    before: PersonId | None = None

    @property
    def current(self) -> tuple[Address, ...]:
        """The addresses that are theirs now, the newest first."""
        return tuple(span.address for span in reversed(self.addresses) if span.until is None)


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """Whose an address is now. Where there is none, it is `first_person`'s, unless that person is closed."""

    address: Address
    person: PersonId


@dataclass(frozen=True, slots=True)
class TargetUser:
    """Whose a user in a target is. `id`: as in `Resource.user`. `by`: the request that was looked up, or what else said so."""

    id: str
    person: PersonId
    name: str
    since: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class TargetIds:
    """A person's users in targets. `users`: `Resource.place` -> the target's own immutable id."""

    person: PersonId
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adoption:
    """That what an earlier version kept in its own way was taken over: bindings of accounts in each person's record, users of
    targets in each open grant; and of how many.
    """

    at: datetime
    accounts: int = 0
