"""Approve and Deny on the card of a change of the policy."""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import Reply
from bot.chat.interaction import Interaction
from bot.runtime.policy_written import kept_policy
from workflows.usecases.oversight.policy_vote import agree, refuse


def press_agree(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", agree(at.ctx, act.value, act.who, act.id, kept_policy))


def press_refuse(at: Acting, act: Interaction) -> Reply:
    return at.quiet(act, "-", refuse(at.ctx, act.value, act.who, act.id))
