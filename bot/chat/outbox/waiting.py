"""What waits for its turn in a channel. Where too many receipts do, a summary is due, see `summary`; where cards do, a board,
see `boards`.
"""

from __future__ import annotations

from workflows.core import keys
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.context import WorkerContext

# More than so many become one message.
WAITING_MAX = 20
# What comes in the same moments is told in the same summary: it waits until nobody has joined for so long, but not for ever.
SETTLES_IN_S = 2.0
SUMMARY = "summary-"
# A card that is so far behind is not tried each second: those before it need all the turns until then.
TURNS_AHEAD_MAX = 5
BOARD_AGAIN_S = 2.0


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


def note_card(ctx: WorkerContext, subject: str, channel: str) -> int:
    """Note that a request's card waits for its turn in a channel. Returns how many came before it."""
    index = keys.cards_waiting(channel)
    before = ctx.ledger.members(index)
    if subject in before:
        # Whoever died on the way to the board is not waited for.
        ctx.ledger.remind(keys.chat(keys.board(channel)), BOARD_AGAIN_S)
        return before.index(subject)
    now = ctx.ledger.now()
    entry = IndexEntry(index, subject, now.timestamp())
    commit_id = f"card-waits:{channel}:{subject}:{ctx.chance.hex(12)}"
    ctx.ledger.commit(Change(commit_id, now, reads={}, index=(entry,), due={keys.chat(keys.board(channel)): now}))
    return len(before)
