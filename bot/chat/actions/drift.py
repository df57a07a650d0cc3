"""Remove and Leave it on the card of access that the record does not know."""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import Reply
from bot.chat.interaction import Interaction
from workflows.usecases.drift.press import decide


def press_remove(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", decide(at.ctx, _hold(act), act.who, act.id, goes=True))


def press_leave(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", decide(at.ctx, _hold(act), act.who, act.id, goes=False))


def _hold(act: Interaction) -> int:
    """0 for what is no number of a card: none has it."""
    return int(act.value) if act.value.isascii() and act.value.isdigit() and len(act.value) < 10 else 0
