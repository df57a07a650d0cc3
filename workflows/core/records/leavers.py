"""What the look at those who hold access remembers from one time to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.core.canonical_json import digest
from workflows.core.people import PersonId


class FindingState(StrEnum):
    WAITING = "waiting"  # for the panic group to say what is so
    ENDING = "ending"  # they said that these people have left: their access is being taken back


@dataclass(frozen=True, slots=True)
class Finding:
    """So many seem to have left at once that nothing ends by itself. `number`: 12 hex digits, of all its messages.

    `holders`: of how many who held access. `since`: when it was found first. `lately`: so many had left within `within` before,
    and lost their access by themselves; 0 where these are too many alone.
    """

    number: str
    since: datetime
    people: tuple[PersonId, ...]
    holders: int
    state: FindingState = FindingState.WAITING
    lately: int = 0
    within: timedelta = timedelta()

    @property
    def named(self) -> str:
        """What a button stands for: these people, and no others."""
        return f"{self.number}:{digest(sorted(self.people))[:12]}"


@dataclass(frozen=True, slots=True)
class EndedLately:
    """Somebody whose access ended by itself, because they had left."""

    who: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class Leavers:
    """`here`: who seems to have left and has not, as the panic group says; they are left alone until a chat shows them again.

    `moved`: ids of live grants of which was told that their holder may ask for them no longer.
    """

    finding: Finding | None = None
    here: tuple[PersonId, ...] = ()
    ended: tuple[EndedLately, ...] = ()
    moved: tuple[str, ...] = ()
