"""What was seen of what was done with one grant, and how far a look at it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows.core.activity import Deed, Window

# So many of the changes of each place are kept one by one; all of them are counted.
KEPT_MAX = 20


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """One place of a look. `deeds`: how many, `changing` and `refused` of them; of `unsaid` the log does not say whether they
    change anything. `changes`: the newest of those that do.

    `problem`: why it is not known, a sentence; then the figures are of what was read before. `stopped`: older than `oldest` was
    not looked at, because there was too much. `more`: names the next page. `tries`: failures in a row.
    """

    place: str
    deeds: int = 0
    changing: int = 0
    refused: int = 0
    unsaid: int = 0
    changes: tuple[Deed, ...] = ()
    pages: int = 0
    oldest: datetime | None = None
    more: str = ""
    done: bool = False
    stopped: bool = False
    problem: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class ActivityLook:
    """One look at all places. `moved_at`: when it last got on. `ended_at`: None while it is under way. `problem`: why no place
    was looked at, a sentence. The other three are as `Trail` has them.
    """

    window: Window
    started_at: datetime
    moved_at: datetime
    log: str
    things: str
    lacks: str
    places: tuple[PlaceSeen, ...] = ()
    ended_at: datetime | None = None
    problem: str = ""

    @property
    def known(self) -> tuple[PlaceSeen, ...]:
        return tuple(one for one in self.places if one.done and not one.problem)

    @property
    def unknown(self) -> tuple[PlaceSeen, ...]:
        return tuple(one for one in self.places if one.problem)

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return bool(self.places) and not (self.problem or self.unknown or any(one.stopped for one in self.places))

    def count(self, figure: str) -> int:
        """Of all places of which it is known: `deeds`, `changing`, `refused`, `unsaid`."""
        return sum(int(getattr(one, figure)) for one in self.known)


@dataclass(frozen=True, slots=True)
class Activity:
    """`id`: the grant's. `asked`: how many looks were asked for; `done`: the number of the last one that came to its end, which
    is `found`. `under_way`: the one that runs.
    """

    id: str
    asked: int = 0
    done: int = 0
    found: ActivityLook | None = None
    under_way: ActivityLook | None = None
