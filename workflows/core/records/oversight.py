"""What people look at afterwards: reviews, bulk revocations, troubles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.core.people import Account, PersonId


class ReviewState(StrEnum):
    OWED = "owed"
    ACKNOWLEDGED = "acknowledged"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Review:
    """What an owner owes after a break-glass. It has the grant's id, and outlives the grant."""

    id: str
    environment: str
    holder: PersonId
    state: ReviewState
    since: datetime
    due_at: datetime
    chased_at: tuple[datetime, ...] = ()
    # When it was found that no channel had been told of the break-glass.
    unannounced_at: datetime | None = None
    by: PersonId | None = None
    by_name: str | None = None
    at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class BulkRevocation:
    """One press of the panic switch: what it was for, and what it still has to take back.

    What is in its scope: of `person`, where that is set; in `environments`, where that is (all of them otherwise); asked for
    before `at`. `taken` are the ids of the requests that it closed and the grants whose end it has begun.
    """

    id: str
    by: PersonId
    by_name: str
    by_slack: Account
    at: datetime
    reason: str
    person: PersonId | None = None
    person_name: str | None = None
    environments: tuple[str, ...] | None = None
    # Until when new asks of the person are kept out; None where they are not.
    blocked_until: datetime | None = None
    taken: tuple[str, ...] = ()
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What cannot be done, and is tried again: a due item (`request:PA-1`), or a part of a process (`process:clock policy`).

    It is over once it was done, or when `again_at` has passed for a while without another failure. `words`: why, for people.
    `alarms`: whether nobody else alarms the people who run this. `about`: what people call it, where the item does not say so.
    """

    item: str
    failures: int
    words: str
    since: datetime
    at: datetime
    again_at: datetime
    alarms: bool = True
    about: str = ""
