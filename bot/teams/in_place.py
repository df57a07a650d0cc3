"""A card that was pressed, and becomes another one: at once for whoever pressed, and then for all who see it."""

from __future__ import annotations

import structlog

from bot.chat.actions.intake import Intake
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Message
from bot.chat.surface import NotDone, Posted
from bot.teams import acts
from bot.teams.guard import Activity
from bot.teams.render import card_of, summary_of
from bot.teams.surface import Teams
from bot.teams.turn import Turn
from workflows.core.destination import read_destination

log = structlog.get_logger()


def doer(activity: Activity) -> Interaction:
    """Whoever acted, where nothing is known of what they did."""
    return Interaction("", PRESS, acts.actor(activity))


class InPlace:
    def __init__(self, teams: Teams, intake: Intake) -> None:
        self._teams = teams
        self._intake = intake

    def becomes(self, activity: Activity, turn: Turn, message: Message) -> None:
        if not turn.show(card_of(message)):
            turn.answer(doer(activity), message)
        pressed = Posted(read_destination(acts.place(activity)), activity.reply_to)
        self._intake.afterwards(self._put, pressed, message)

    def _put(self, pressed: Posted, message: Message) -> None:
        try:
            self._teams.put(pressed, card_of(message), summary_of(message))
        except NotDone as problem:
            log.warning("a card that was pressed is left as it is", error=problem.word)
