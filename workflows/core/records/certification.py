"""A certification: each environment's owners say which roles and people stay. What was asked, what was answered, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.core.people import PersonId


class ItemKind(StrEnum):
    ROLE = "role"
    # Somebody who may ask, own or approve, as the policy's groups have them.
    PERSON = "person"
    # Access that drift found, and that could be asked for instead.
    STANDING = "standing"


class Against(StrEnum):
    """What speaks against keeping it: whoever keeps it all the same says why."""

    UNUSED = "unused"
    STANDING = "standing"
    # Their account may do nothing any more.
    GONE = "gone"


class Verdict(StrEnum):
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Answer:
    """The last word on one item; earlier ones stand in the audit log."""

    verdict: Verdict
    by: PersonId
    by_name: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question, with what stood there when it was asked.

    `number`: within its environment, as people call it. `name`: the role's, or the person's. `about`: what the role allows, or
    what the target holds. `perhaps`: whose a standing access may be, by the addresses that the target has. `asks`, `owns`,
    `approves`, `breaks`: groups of the policy by which a person may ask, owns, approves, or breaks the glass. `roles`: of a
    standing access, those that could be asked for instead. `times`, `people`, `last`: how often it was used in the window, by
    how many, and when last. `since`: since when at least a standing access is there.
    """

    number: int
    kind: ItemKind
    name: str
    about: str = ""
    person: PersonId | None = None
    perhaps: tuple[PersonId, ...] = ()
    drift: str = ""
    asks: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    approves: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    times: int = 0
    people: int = 0
    last: datetime | None = None
    since: datetime | None = None
    against: tuple[Against, ...] = ()
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class CertificationPart:
    """What one card asks: some items of one environment. `id`: the certification's, and the part's own number: `3-7`.

    `notes`: what is not known, a sentence each.
    """

    id: str
    run: str
    environment: str
    title: str
    page: int
    pages: int
    as_of: datetime
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.answer is None)


@dataclass(frozen=True, slots=True)
class Certification:
    """One round. `since`: from when on uses were counted. `left`: environments whose questions are still to be made.

    `parts`: ids of what is asked, in order. `chased_at`: when who has not answered was reminded; `escalated_at`: when the panic
    group was called.
    """

    id: str
    at: datetime
    since: datetime
    due_at: datetime
    by: str
    reason: str
    environments: tuple[str, ...]
    left: tuple[str, ...]
    parts: tuple[str, ...] = ()
    chased_at: tuple[datetime, ...] = ()
    escalated_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    closed_reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
