"""Receipts that wait for their turn in a channel. Where too many do, a summary is due: see `summary`."""

from __future__ import annotations

from workflows.core import keys
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.context import WorkerContext

# More than so many become one message.
WAITING_MAX = 20
# What comes in the same moments is told in the same summary: it waits until nobody has joined for so long, but not for ever.
SETTLES_IN_S = 2.0
SUMMARY = "summary-"


def channel_of(subject: str) -> str:
    """The channel whose summary this subject of chat is; empty where it is something else."""
    return subject.removeprefix(SUMMARY) if subject.startswith(SUMMARY) else ""


def summary_due(channel: str) -> str:
    return keys.chat(SUMMARY + channel)


def note_waiting(ctx: WorkerContext, subject: str, channel: str) -> None:
    """Note that a request's receipts wait for their turn in a channel."""
    index = keys.waiting(channel)
    if subject not in ctx.ledger.members(index):
        now = ctx.ledger.now()
        entry = IndexEntry(index, subject, now.timestamp())
        commit_id = f"waits:{channel}:{subject}:{ctx.chance.hex(12)}"
        ctx.ledger.commit(Change(commit_id, now, reads={}, index=(entry,)))
    if ctx.ledger.count(index) > WAITING_MAX:
        ctx.ledger.remind(summary_due(channel), SETTLES_IN_S)
