"""What was done with access, as the target's own log has it: how it is asked for, and what a page of such a log says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """From the first moment at which access can have been there until the last at which it can have been used.

    `gone`: when its absence was read back; None while that is not so, and then `until` is where it is arranged to be over.
    """

    since: datetime
    until: datetime
    gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A question to the target's own log, to be pasted as it is. `tool`: what takes it, as a sentence names it."""

    tool: str
    text: str


@dataclass(frozen=True, slots=True)
class Trail:
    """Where what was done with access stands.

    `log`: what the log is called. `who`: whose doings, in words without a full stop. `things`: what is counted there, in the
    plural; `lacks`: what a count never has in it, as the end of a sentence. `delay`: after so long the log has it. `notes`: what
    else is to be known, a sentence each. `places`: where a worker looks, one after the other; `unknown`: why none can, in one.
    """

    log: str
    who: str
    things: str
    lacks: str
    delay: timedelta
    queries: tuple[LogQuery, ...]
    notes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done. `name`: as the log has it, `s3 PutBucketPolicy`. `changes`: None where the log does not say
    whether it changes anything. `refused`: it was tried, and had no effect.
    """

    at: datetime
    name: str
    changes: bool | None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of a log, the newest first. `deeds`: this person's, in the window; it may have none and not be the last one.

    `oldest`: how far back it was looked; None where the page has nothing at all. `more`: names the next page, empty after the
    last.
    """

    deeds: tuple[Deed, ...]
    oldest: datetime | None = None
    more: str = ""
