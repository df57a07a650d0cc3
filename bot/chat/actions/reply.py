"""What somebody who acts is answered."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.message import Message
from workflows.core.refusal import Code, Refused


@dataclass(frozen=True, slots=True)
class Reply:
    """What the actor alone is shown; nothing where their own card changes in place. `refused` tells forms where it belongs."""

    message: Message | None = None
    refused: Refused | None = None
    # Each slip that was refused, with its own sentence.
    said: tuple[tuple[Code, str], ...] = ()
    # Whether it takes the place of the message whose button was pressed.
    replaces: bool = False
    # Whether a worker looks first, and answers later.
    deferred: bool = False


class FactsStale(Exception):
    """Nobody knows freshly enough who this is: a worker has to look."""
