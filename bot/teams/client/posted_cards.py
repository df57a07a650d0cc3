"""What the buttons of each card that we have posted are about. Which message was pressed is the client's word alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.chat.message import read_value
from bot.chat.surface import Posted
from bot.teams.cards.pressed_cards import executed
from bot.teams.client.shelf import Shelf
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

# Longer than anything is asked for, given or reviewed.
KEEP_S = 90 * 24 * 3600
_THREAD = ";messageid="


class PostedCards:
    """On the shelf: `about:CONVERSATION:MESSAGE`, the ids. Cards without buttons are about nothing."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def keep(self, posted: Posted, card: Mapping[str, Any]) -> None:
        """Never raises: the card stands."""
        values = (read_value(str((one.get("data") or {}).get("value") or "")) for one in executed(card))
        ids = sorted({value[0] for value in values if value is not None})
        if not ids:
            return
        try:
            self._shelf.put(_name(posted.to.id, posted.id), " ".join(ids).encode(), KEEP_S)
        except LedgerUnreachable as problem:
            log.warning("what a card is about was not noted", why=str(problem))

    def about(self, conversation: str, message: str) -> frozenset[str] | None:
        """The ids. None: nothing was noted of it, as where a process was gone before it could. Raises LedgerUnreachable."""
        found = self._shelf.get(_name(conversation, message))
        return frozenset(found.decode("utf-8", "replace").split(" ")) if found is not None else None


def _name(conversation: str, message: str) -> str:
    return f"about:{conversation.partition(_THREAD)[0]}:{message}"
