"""A card that was pressed, and becomes another one: at once for whoever pressed, and then for all who see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.chat.actions.intake import Intake
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Message
from bot.chat.surface import NotDone, Posted
from bot.teams.client.surface import Teams
from bot.teams.guard import PERSONAL, Activity
from bot.teams.incoming import acts
from bot.teams.incoming.turn import Turn
from workflows.core.destination import read_destination

log = structlog.get_logger()


def own(activity: Activity) -> Posted | None:
    """The pressed message, where nobody but whoever pressed reads it. Which one it was is said by their client: in front of
    others it may be any message of ours.
    """
    return pressed(activity) if activity.kind == PERSONAL else None


def pressed(activity: Activity) -> Posted:
    return Posted(read_destination(acts.place(activity)), activity.reply_to)


def doer(activity: Activity) -> Interaction:
    """Whoever acted, where nothing is known of what they did."""
    return Interaction("", PRESS, acts.actor(activity))


class InPlace:
    def __init__(self, teams: Teams, intake: Intake) -> None:
        self._teams = teams
        self._intake = intake

    def becomes(self, activity: Activity, turn: Turn, message: Message, stands: Posted | None) -> None:
        """`stands`: for all, where that is certain. None: for whoever pressed alone."""
        card, summary = self._teams.shown(message)
        if not turn.show(card):
            turn.answer(doer(activity), message)
        if stands is not None:
            self._intake.afterwards(self._put, stands, card, summary)

    def _put(self, pressed: Posted, card: Mapping[str, Any], summary: str) -> None:
        try:
            self._teams.put(pressed, card, summary)
        except NotDone as problem:
            log.warning("a card that was pressed is left as it is", error=problem.word)
