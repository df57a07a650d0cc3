"""What was shown in chat, and the presses that were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.core.records.signed import SignedAct


@dataclass(frozen=True, slots=True)
class Posting:
    """One message that chat shows, or is about to. `channel`: a `Destination` as text. `nonce` is found again after a crash."""

    channel: str
    ts: str | None = None
    # SHA-256 of what was last sent, 16 hex digits.
    shown: str = ""
    nonce: str | None = None
    # Set while a post is under way whose answer nobody has recorded.
    intent_at: datetime | None = None
    # The channel that the chat answered with (a direct message has one of its own).
    posted_channel: str | None = None
    error: str | None = None
    # When it was posted. What an earlier version has written of a Slack message says so by its `ts` alone.
    posted_at: datetime | None = None
    # How often chat answered with a word that says nothing about the next time.
    tries: int = 0
    # Chat refused the message as it is drawn: it goes without form.
    plain: bool = False
    # Of a thread's root: how many before it were given up; and whether replies stand beside it, because it takes none.
    roots: int = 0
    flat: bool = False

    @property
    def posted_at_s(self) -> float:
        """Seconds since the epoch; 0.0 before it was posted."""
        return self.posted_at.timestamp() if self.posted_at else float(self.ts or 0)


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """All messages of one subject (a request, a digest slot, an alarm), by slot: `card`, `receipts`, `dm:U...`."""

    subject: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    # The last audit entry that each channel was told of, by slot of its thread's root: by the thread, or by a summary. A
    # summary's own record: the last entry that it tells, by request. A closed place's: since when, in seconds.
    told: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """A command or press that was acknowledged and waits for a worker, because facts were not fresh enough."""

    id: str
    at: datetime
    payload: str  # JSON of the surface's own
    # Whether the person has been told that it takes longer.
    told: bool = False
    # What the chat signed of it, where it is a vote that came over HTTP.
    signed: SignedAct | None = None
