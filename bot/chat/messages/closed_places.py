"""What is said of a place that a chat takes no messages for, in chat and where an operator looks."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, message
from bot.chat.places import ALL
from bot.chat.rich import Called, Channel, Rich, Time, ours, say, short
from bot.chat.surface import Traits
from workflows.core.destination import is_person


def closed(place: str, word: str, owed: int, since: datetime, traits: Traits) -> Message:
    """To those who can do something about it. `owed`: how many requests and reports wait for the place."""
    person = is_person(place)
    where = say("direct messages to {}", Called(place)) if person else say("messages in {}", Channel(place))
    seen = Time(since, since)
    line = say("⚠️ {} does not take my {}: `{}`, first seen at {}.", traits.title, where, short(word, 60), seen)
    waits = say("What they would have read is on the record: `show ID`, `list`.") if person else ours(_waits(owed))
    text = say("{} {}. {}", line, ours(traits.remedy(word)), waits)
    return message(text, Line(text))


def _waits(owed: int) -> str:
    waits = f"{owed} {'message waits' if owed == 1 else 'messages wait'}. " if owed else ""
    due = "What is due there comes automatically when it takes messages again."
    return f"{waits}{due} Cards go to their owners directly."


def closed_words(place: str, word: str, traits: Traits) -> str:
    """For `/readyz`."""
    if place == ALL:
        return f"{traits.title} refuses the token ({word}): nothing is sent until it works again"
    what = f"direct messages to {place}" if is_person(place) else f"messages in {place}, which the policy names"
    return f"{traits.title} takes no {what} ({word}). {traits.remedy(word)}"


def back(since: datetime) -> Rich:
    return say("I could not post here since {}. What happened meanwhile follows.", Time(since, since))
