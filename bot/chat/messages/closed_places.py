"""What is said of a place that a chat takes no messages for, in chat and where an operator looks."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, message
from bot.chat.places import is_everything, surface_of
from bot.chat.rich import Called, Channel, Code, Rich, Span, Time, ours, say, short
from bot.chat.surface import Traits
from workflows.core.destination import as_written, is_person, read_destination
from workflows.core.identity import SLACK


def closed(place: str, word: str, owed: int, since: datetime, traits: Traits, told_in: str = SLACK) -> Message:
    """To those who can do something about it. `owed`: how many requests and reports wait for the place. `told_in`: their chat."""
    if is_everything(place):
        return _refused(word, since, traits)
    if not traits.abilities.edits:
        return _one_way(place, word, owed, since, traits)
    person = is_person(place)
    where = say("direct messages to {}" if person else "messages in {}", _named(place, told_in))
    seen = Time(since, since)
    line = say("⚠️ {} does not take my {}: `{}`, first seen at {}.", traits.title, where, short(word, 60), seen)
    waits = (
        say("What they would have read is on the record: `show ID`, `list`.")
        if person
        else ours(f"{_waits(owed)} {_OWNERS}")
    )
    text = say("{} {}. {}", line, ours(traits.remedy(word)), waits)
    return message(text, Line(text))


def _one_way(place: str, word: str, owed: int, since: datetime, traits: Traits) -> Message:
    """Of a place that only takes messages: people know it by the name that the policy gives it."""
    name, seen = short(read_destination(place).id, 80), Time(since, since)
    line = say("⚠️ {} {} does not take my messages: `{}`, first seen at {}.", traits.title, name, short(word, 60), seen)
    text = say("{} {}. {}", line, ours(traits.remedy(word)), ours(_waits(owed)))
    return message(text, Line(text))


def _named(place: str, told_in: str) -> Span:
    """What is an id in one chat says nothing in another, where it stands as it is."""
    if surface_of(place) != told_in:
        return Code(ours(read_destination(place).id))
    return Called(place) if is_person(place) else Channel(place)


def _refused(word: str, since: datetime, traits: Traits) -> Message:
    """A chat as a whole, told in another one."""
    seen = Time(since, since)
    line = say("⚠️ {} does not take my token: `{}`, first seen at {}.", traits.title, short(word, 60), seen)
    rest = (
        "Nothing is sent there until it does. Access is given and ends all the same, and what is due there comes then."
    )
    text = say("{} {}. {}", line, ours(traits.remedy(word)), ours(rest))
    return message(text, Line(text))


def _waits(owed: int) -> str:
    waits = f"{owed} {'message waits' if owed == 1 else 'messages wait'}. " if owed else ""
    due = "What is due there comes automatically when it takes messages again."
    return f"{waits}{due}"


_OWNERS = "Cards go to their owners directly."


def closed_words(place: str, word: str, traits: Traits) -> str:
    """For `/readyz`."""
    if is_everything(place):
        return f"{traits.title} refuses the token ({word}): nothing is sent there until it works again"
    if not traits.abilities.edits:
        return f"{traits.title} {read_destination(place).id} takes no messages ({word}). {traits.remedy(word)}"
    named = as_written(place)
    what = f"direct messages to {named}" if is_person(place) else f"messages in {named}, which the policy names"
    return f"{traits.title} takes no {what} ({word}). {traits.remedy(word)}"


def back(since: datetime) -> Rich:
    return say("I could not post here since {}. What happened meanwhile follows.", Time(since, since))
