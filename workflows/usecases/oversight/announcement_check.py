"""A break-glass is seen by everybody, or somebody raises an alarm: was any channel told in time?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.destination import is_channel
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.record import Record
from workflows.core.rules.break_glass import ANNOUNCED_WITHIN
from workflows.ports import Change, IndexEntry, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run

# After the alarm the channels are tried again this often, as long as the review is owed.
TRY_AGAIN_EVERY = timedelta(minutes=1)
# Slots of messages that tell a channel of a break-glass.
_TELLING = ("card", "receipts", "alarm")


def check_announced(ctx: Context, id_: str) -> bool:
    """Bring it to the record that no channel was told in time. True where that has just been found."""
    answer = run(ctx, lambda: _check(ctx, id_))
    return isinstance(answer, Outcome) and answer.outcome == "unannounced"


def told_a_channel(record: ChatRecord | None) -> bool:
    """Whether one message about it is known to stand in a channel; a direct message is none."""
    return record is not None and any(
        posting.ts is not None and _tells(slot, posting) for slot, posting in record.postings.items()
    )


def _tells(slot: str, posting: Posting) -> bool:
    return slot.partition(":")[0] in _TELLING and is_channel(posting.channel)


def _check(ctx: Context, id_: str) -> CommitAttempt | Outcome:
    item, chat, due = keys.review(id_), keys.chat(id_), keys.announced_due(id_)
    snapshot = ctx.ledger.read(item, chat)
    review, record = snapshot.get(item, Review), snapshot.readable(chat, ChatRecord)
    versions = ":".join(str(found.version) for found in snapshot.items.values())
    commit_id = f"announced:{id_}:{versions}"
    over = review is None or (review.state is not ReviewState.OWED and review.unannounced_at is not None)
    if over or review is None or told_a_channel(record):
        told, off = Outcome(id_, "announced"), f"{commit_id}:{ctx.chance.hex(8)}"
        return CommitAttempt(Change(off, snapshot.now, snapshot.versions(), due={due: None}, answer=told.answer), told)
    if snapshot.now < review.since + ANNOUNCED_WITHIN:
        early, later = Outcome(id_, "early"), {due: review.since + ANNOUNCED_WITHIN}
        again = f"{commit_id}:{ctx.chance.hex(8)}"
        return CommitAttempt(Change(again, snapshot.now, snapshot.versions(), due=later, answer=early.answer), early)
    if review.unannounced_at is not None:
        return _try_again(ctx, id_, record, snapshot)
    return _alarm(ctx, review, commit_id, snapshot)


def _alarm(ctx: Context, review: Review, commit_id: str, snapshot: Snapshot) -> CommitAttempt:
    item, chat, due = keys.review(review.id), keys.chat(review.id), keys.announced_due(review.id)
    entry = event(ctx, Event.BREAK_GLASS_UNANNOUNCED, review.id, snapshot, {}, {"person": review.holder})
    done = Outcome(review.id, "unannounced")
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(review, unannounced_at=snapshot.now)},
        due={due: snapshot.now + TRY_AGAIN_EVERY, chat: snapshot.now + SOON},
        index=(IndexEntry(keys.UNANNOUNCED, review.id, snapshot.now.timestamp()),),
        audit=(entry,),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat,))


def _try_again(ctx: Context, id_: str, record: ChatRecord | None, snapshot: Snapshot) -> CommitAttempt:
    """A channel that could not be posted to may take messages again: forget that it could not."""
    due, chat, done = keys.announced_due(id_), keys.chat(id_), Outcome(id_, "again")
    puts: dict[str, Record] = {}
    if record is not None:
        kept = {
            slot: posting
            for slot, posting in record.postings.items()
            if posting.error is None or not _tells(slot, posting)
        }
        puts = {chat: replace(record, postings=kept)} if len(kept) < len(record.postings) else {}
    change = Change(
        commit_id=f"announce-again:{id_}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=puts,
        due={due: snapshot.now + TRY_AGAIN_EVERY, **({chat: snapshot.now + SOON} if puts else {})},
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat,) if puts else ())
