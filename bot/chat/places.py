"""Where messages go: a channel, or a person. Kept as text, which `workflows.core.destination` reads."""

from __future__ import annotations

from workflows.core.destination import Destination, Kind
from workflows.core.people import Account

# Every place at once: the chat takes nothing of ours.
ALL = "all"


def chat_name(surface: str) -> str:
    """As people call a chat that need not be set up here."""
    return surface.capitalize()


def direct_to(account: Account) -> str:
    """This account's own messages; also what it is called by in the text of a message."""
    return str(Destination(account.surface, Kind.PERSON, account.user))
