"""Somebody decides in another's place: what both of them read."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, Small, message
from bot.chat.rich import Time, ours, say, short
from workflows.core.people import Delegation


def in_force(found: Delegation, now: datetime, command: str) -> Message:
    """To whoever is away."""
    who, until = short(found.to_name, 100), Time(found.until, now, with_day=True)
    line = say("{} decides in your place until {}. You may still decide yourself.", who, until)
    small = say("Never on what you or they asked for · `{} delegate off` ends it", command)
    return message(line, Line(line), Small(small))


def over(by_name: str) -> Message:
    """What the message to the delegate becomes."""
    said = say("You decided in the place of {}, who does it themselves again.", short(by_name, 100))
    return message(said, Small(said))


def ended(by_name: str) -> Message:
    line = say("{} decides themselves again: you do it in their place no more.", short(by_name, 100))
    small = ours("What you agreed to in their place, and that still waits for somebody else, counts no more")
    return message(line, Line(line), Small(small))


def to_the_delegate(found: Delegation, now: datetime, command: str) -> Message:
    who, until = short(found.by_name, 100), Time(found.until, now, with_day=True)
    line = say("{} named you: you decide in their place until {}.", who, until)
    called = "You are called on requests that wait for them; never on yours or theirs · `{} pending` shows what waits"
    return message(line, Line(line), Small(say(called, command)))
