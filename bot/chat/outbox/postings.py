"""The record of one subject's messages while they are sent, and what can stop that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows.core.audit import AuditEvent
from workflows.core.records.chat import ChatRecord, Posting
from workflows.ports import Change, Committed, Fence, IndexEntry, Lease
from workflows.usecases.shared.context import WorkerContext


class Later(Exception):
    """A chat, or its limits, want us to come back. `after_s`: in seconds. `channel`: where a new message waits for its turn."""

    def __init__(self, after_s: float, channel: str | None = None) -> None:
        super().__init__(after_s)
        self.after_s = after_s
        self.channel = channel


class Overtaken(Later):
    """What was about to be said is over: it is made anew from what is on the record by now, and nothing of it is sent."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Fenced(Exception):
    """Somebody else shows this subject by now."""


class Stopped(Exception):
    """A chat refuses the token: nothing at all can be sent there. `surface`: which chat."""

    def __init__(self, surface: str) -> None:
        super().__init__(surface)
        self.surface = surface


# Due item -> the version at which a record was read, and what becomes of it.
Others = Mapping[str, tuple[int, ChatRecord]]


@dataclass(slots=True)
class PostingSession:
    """The record of one subject's messages, kept current while they are sent, under its lease."""

    ctx: WorkerContext
    item: str
    record: ChatRecord
    version: int
    current: Callable[[], Lease | None]
    # The records that its messages are made from, at the versions at which they were read.
    rests_on: Mapping[str, int] = field(default_factory=dict)

    def still_so(self) -> None:
        """Right before anything is made known: it says what is on the record now. Raises Overtaken.

        Between the look at the record and the message much may happen: people are looked up, limits are waited for, a chat is
        slow, a busy machine does other things first.
        """
        if not self.rests_on:
            return
        self.ctx.ahead.forget()
        found = self.ctx.ledger.read(*self.rests_on).items
        if any(found[item].version != version for item, version in self.rests_on.items()):
            raise Overtaken

    def hold(self) -> Lease:
        """Right before anything is sent: whoever was stopped meanwhile, and has the lease no more, must not say it again, or say
        what is over. Raises Fenced.
        """
        lease = self.current()
        if lease is None:
            raise Fenced
        return lease

    def save(
        self,
        record: ChatRecord,
        step: str,
        others: Others | None = None,
        *index: IndexEntry,
        reads: Mapping[str, int] | None = None,
        due: Mapping[str, datetime | None] | None = None,
        audit: tuple[AuditEvent, ...] = (),
    ) -> None:
        """Commit the record, and with it the `others`. Raises Fenced where the lease is over, or somebody else has written.

        `reads`: what else it rests on, by version.
        """
        lease = self.hold()
        snapshot = self.ctx.ledger.read(self.item)
        if snapshot.items[self.item].version != self.version:
            raise Fenced
        others = others or {}
        versions = dict(reads or {}) | {item: version for item, (version, _) in others.items()}
        change = Change(
            commit_id=f"{self.item}:{self.version}:{step}:{lease.number}",
            at=snapshot.now,
            reads=versions | snapshot.versions(),
            puts={self.item: record} | {item: other for item, (_, other) in others.items()},
            index=index,
            due=due or {},
            # Made before the message was sent, which takes a moment.
            audit=tuple(replace(entry, at=snapshot.now) for entry in audit),
            fence=Fence(lease.name, lease.number),
        )
        if not isinstance(self.ctx.ledger.commit(change), Committed):
            raise Fenced
        self.record = record
        self.version = self.ctx.ledger.read(self.item).items[self.item].version

    def put(
        self,
        slot: str,
        posting: Posting,
        step: str,
        told: Mapping[str, int] | None = None,
        audit: tuple[AuditEvent, ...] = (),
        reads: Mapping[str, int] | None = None,
        index: tuple[IndexEntry, ...] = (),
    ) -> None:
        record = replace(self.with_posting(slot, posting), told={**self.record.told, **(told or {})})
        self.save(record, step, None, *index, audit=audit, reads=reads)

    def with_posting(self, slot: str, posting: Posting) -> ChatRecord:
        return replace(self.record, postings={**self.record.postings, slot: posting})

    def take_back(self, slot: str) -> None:
        """An intent that came to nothing, for certain: nobody has to look for it. What was learnt of the slot stays."""
        posting = self.record.postings[slot]
        rest = replace(posting, nonce=None, intent_at=None)
        kept = {name: other for name, other in self.record.postings.items() if name != slot}
        postings = kept if rest == Posting(posting.channel) else {**kept, slot: rest}
        self.save(replace(self.record, postings=postings), f"taken-back:{slot}")
