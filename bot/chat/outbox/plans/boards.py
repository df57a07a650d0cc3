"""What a board names: requests whose cards wait for their turn in a channel. Pure; see `outbox.boards`.

A chat takes about one message a second in a channel. Where more cards wait than come within two seconds anyway, whoever decides
reads of them on a board. Nothing that is named is named by a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# With fewer the cards themselves are there in a moment.
WAITING_MIN = 3
# With their buttons so many have room in one message.
LINES_MAX = 16
# Newcomers join a board by an edit, which moves nothing: only as long as it is still in sight. Between two of them are cards.
IN_SIGHT = timedelta(seconds=5)
BETWEEN = timedelta(seconds=2)
LEAST_S = 0.1
# Of lines that are true still, and whose cards have come: so many go in one edit.
GONE_TOGETHER = 5
# So many at once are named; the others are counted.
NAMED_MAX = 100


@dataclass(frozen=True, slots=True)
class Newest:
    """The last board. `posted_at`: None as long as it is under way. `closed`: nobody joins it any more."""

    number: int = 0
    posted_at: datetime | None = None
    closed: bool = False

    def takes_more(self, now: datetime, *, edits: bool) -> bool:
        """`edits`: whether the chat takes some just now. What is under way needs none."""
        in_sight = self.posted_at is None or (edits and now - self.posted_at <= IN_SIGHT)
        return self.number > 0 and not self.closed and in_sight


def named(
    waits: Sequence[str],
    carded: Collection[str],
    told: Mapping[str, int],
    newest: Newest,
    now: datetime,
    *,
    edits: bool = True,
) -> dict[str, int]:
    """Which board names whom: request -> number.

    `waits`: who has to be decided and has no card yet, the oldest first. `carded`: who has to be decided and has one.
    `told`: what was named so far. `edits`: whether the chat takes some just now; else newcomers get a message of their own.
    """
    still = {id_: number for id_, number in told.items() if id_ in carded or id_ in waits}
    joins = newest.takes_more(now, edits=edits)
    soon = not joins and newest.posted_at is not None and now - newest.posted_at < BETWEEN
    new = [] if soon or len(waits) < WAITING_MIN else [id_ for id_ in waits if id_ not in still]
    found = still | _newcomers(new, still, newest.number if joins else newest.number + 1)
    return {id_: number for id_, number in found.items() if id_ in waits or _stays(number, found, carded, told)}


def soonest_s(newest: Newest, now: datetime) -> float:
    """Seconds until there may be another board: never more than from one to the next."""
    # A chat's own clock may be ahead of ours.
    since = max(timedelta(0), now - newest.posted_at) if newest.posted_at is not None else timedelta(0)
    return max(LEAST_S, (BETWEEN - since).total_seconds()) if since < BETWEEN else BETWEEN.total_seconds()


def _newcomers(new: Sequence[str], still: Mapping[str, int], number: int) -> dict[str, int]:
    """From this board on, as many as each has room for."""
    taken = sum(one == number for one in still.values())
    room = max(0, NAMED_MAX - len(still))
    return {id_: number + (taken + at) // LINES_MAX for at, id_ in enumerate(new[:room])}


def _stays(number: int, found: Mapping[str, int], carded: Collection[str], told: Mapping[str, int]) -> bool:
    """Whether a line whose card has come stays for now: it is true, and an edit for it alone is worth less than it takes."""
    lines = Counter(number for id_, number in found.items() if id_ in carded)[number]
    others = any(one == number for id_, one in found.items() if id_ not in carded)
    joined = any(one == number and id_ not in told for id_, one in found.items())
    left = any(one == number and id_ not in found for id_, one in told.items())
    return others and not joined and not left and lines < GONE_TOGETHER
