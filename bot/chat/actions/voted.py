"""Which acts are votes, and what a vote says."""

from __future__ import annotations

from datetime import datetime

from bot.chat.commands.model import Approve, Command, Less
from bot.chat.commands.parser import parse
from bot.chat.interaction import COMMAND, LESS, PRESS, Interaction
from bot.chat.message import read_value
from bot.chat.messages.approval_card import APPROVE
from bot.chat.messages.batch import APPROVE_ALL
from workflows.core.refusal import Refused
from workflows.core.rules.signed_votes import Said


def is_vote(act: Interaction, typed: Command | Refused | None = None) -> bool:
    """`typed`: what a command line means."""
    if act.kind == PRESS:
        return act.action in (APPROVE, APPROVE_ALL)
    return act.kind == LESS or isinstance(typed, Approve | Less)


def said(act: Interaction, at: datetime) -> Said | None:
    """What somebody agreed to; None where they did something else. `at`: when the chat signed it."""
    if act.kind == PRESS:
        return _pressed(act, at)
    if act.kind == LESS:
        return _lessened(act, at)
    return _typed(act, at) if act.kind == COMMAND else None


def _pressed(act: Interaction, at: datetime) -> Said | None:
    found = read_value(act.value)
    # A button of ours always has its terms. Without them somebody else has made it.
    if act.action not in (APPROVE, APPROVE_ALL) or found is None or found[1] is None:
        return None
    return Said(act.who, at, found[0], found[1], several=act.action == APPROVE_ALL)


def _lessened(act: Interaction, at: datetime) -> Said | None:
    fields = act.fields or {}
    return Said(
        act.who, at, fields["id"], fields.get("terms"), role=fields["role"], duration_s=int(fields["duration_s"])
    )


def _typed(act: Interaction, at: datetime) -> Said | None:
    match parse(act.text, ()):
        case Approve(id_):
            return Said(act.who, at, id_)
        case Less(id_, role, duration):
            role = role.strip().lower() if role else None
            return Said(act.who, at, id_, role=role, duration_s=int(duration.total_seconds()) if duration else None)
        case _:
            return None
