"""What was answered to each activity, for as long as Teams may deliver it again: it is done once, and answered as before."""

from __future__ import annotations

import json

import structlog

from bot.teams.client.shelf import Shelf
from bot.teams.guard import Activity
from bot.teams.incoming import acts
from bot.teams.incoming.turn import Said
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

# What is delivered again comes within a minute.
REMEMBER_S = 600
# What is longer is a card, which is drawn again as well: nobody fills our records by pressing.
BYTES_MAX = 4_000


class Remembered:
    """Never raises: an act that is done again has the same id, and is the same act on the ledger."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def find(self, activity: Activity) -> Said | None:
        try:
            body = self._shelf.get(_name(activity))
            found = json.loads(body) if body else None
            return Said(found["sentence"], found["card"]) if found else None
        except (LedgerUnreachable, ValueError, TypeError, KeyError):
            return None

    def keep(self, activity: Activity, said: Said) -> None:
        body = json.dumps({"sentence": said.sentence, "card": said.card}).encode()
        if len(body) > BYTES_MAX:
            return
        try:
            self._shelf.put(_name(activity), body, REMEMBER_S)
        except LedgerUnreachable as problem:
            log.warning("an answer was not kept", why=str(problem))


def _name(activity: Activity) -> str:
    return f"answered:{acts.id_of(activity)}"
