"""A message that the ledger knows nothing of, and whose button was pressed: a post whose record was lost, and made again."""

from __future__ import annotations

from bot.chat.interaction import Interaction
from bot.chat.message import read_value
from bot.chat.messages.batch import APPROVE_ALL, DENY_ALL, WITHDRAW_ALL
from workflows.core import keys
from workflows.core.records.chat import ChatRecord
from workflows.core.refusal import Refused
from workflows.usecases.requests.batch import batch_of
from workflows.usecases.shared.context import Context


def is_stray_copy(ctx: Context, act: Interaction, pressed: str) -> bool:
    """`pressed`: the id of the message with the button; empty where it is the actor's alone."""
    found = read_value(act.value)
    if found is None or not pressed:
        return False
    item, board = keys.chat(_told_by(ctx, act, found[0])), keys.chat(keys.board(act.channel))
    snapshot = ctx.ledger.read(item, board)
    record, named = (snapshot.readable(one, ChatRecord) for one in (item, board))
    if named is not None and any(posting.ts == pressed for posting in named.postings.values()):
        return False
    postings = record.postings.values() if record else ()
    # While a post of ours is under way, a copy may be the one whose record is about to be written.
    under_way = any(posting.intent_at is not None for posting in postings)
    return not under_way and bool(postings) and all(posting.ts != pressed for posting in postings)


def _told_by(ctx: Context, act: Interaction, id_: str) -> str:
    """Whose messages the pressed one is among: all that was asked in one go is told by the first."""
    if act.action not in (APPROVE_ALL, DENY_ALL, WITHDRAW_ALL):
        return id_
    batch = batch_of(ctx, id_)
    return id_ if isinstance(batch, Refused) else batch[0].id
