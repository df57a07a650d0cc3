"""What people are told when something in here fails while they act."""

from __future__ import annotations

from bot.chat.message import Message
from bot.chat.messages import notices

_FAULT = (
    "Something went wrong on my side, and I do not know whether this was done. Please look, and try again: what I accepted "
    "is not done twice. The platform team finds it under error {}."
)


def fault_words(number: str) -> str:
    """For where there is room for text alone."""
    return _FAULT.format(number)


def fault(number: str) -> Message:
    return notices.answer(fault_words(number))
