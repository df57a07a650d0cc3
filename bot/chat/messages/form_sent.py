"""What somebody reads at once who pressed or sent something, where the chat answers a press with words."""

from __future__ import annotations

from bot.chat.message import Message
from bot.chat.messages import notices

# Under a card that changes by itself.
TAKEN = "Taken. The card shows what came of it in a moment."
LOOKING = "I have to look up first who may do this. What comes of it stands on the card then, or comes into our chat."
# Nobody knows yet why: it may be us, Redis or the chat.
SLOW = "This takes longer than usual. What comes of it stands on the card then, or comes into our chat."
IN_OUR_CHAT = "The form is in our chat."
NOTHING_HERE = "There is nothing to press here any more."
_SENT = "Sent. What came of it shows in a moment: on the card that it is about, or in our chat."
_CANNOT_WRITE = (
    "I have an answer for whoever asked me here, and cannot write to them. Once they have added the app for themselves and ask "
    "again, it comes into their own chat with me."
)


def sent(*, looking: bool) -> Message:
    """What becomes of a form. `looking`: nobody knows yet whether it was taken."""
    return notices.answer(LOOKING if looking else _SENT)


def cannot_write_to_you() -> Message:
    """Where they acted, which others read."""
    return notices.answer(_CANNOT_WRITE)
