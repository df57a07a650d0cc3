"""End all and They are still here, on the card of those who seem to have left at once."""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import Reply
from bot.chat.interaction import Interaction
from workflows.usecases.identity.leavers_vote import END, HERE, say


def press_end_all(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", say(at.ctx, act.value, END, act.who, act.id))


def press_still_here(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", say(at.ctx, act.value, HERE, act.who, act.id))
