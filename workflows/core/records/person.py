"""What is kept of a person beside who they are: what they asked, used up, and were refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows.core.people import Account, Delegation, PersonId


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What the ledger keeps of a person: bindings, open asks, blocks. Key: the address."""

    id: PersonId
    name: str
    slack: tuple[Account, ...] = ()
    pending: tuple[str, ...] = ()
    # Set when a binding changed; rights are suspended until an administrator confirms.
    suspended: str | None = None
    # No new asks until then: everything of theirs was taken back, and why.
    blocked_until: datetime | None = None
    blocked_why: str | None = None
    # No break-glass until security lifts it, and why.
    break_glass_barred: str | None = None
    delegation: Delegation | None = None


@dataclass(frozen=True, slots=True)
class Uses:
    """When something with a daily limit was used, the last day's worth: a rule by a person, a break-glass by a person."""

    id: str
    times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals of one person within a minute, coalesced: the first is an entry of its own, the others are counted."""

    person: PersonId
    since: datetime
    more: int = 0
