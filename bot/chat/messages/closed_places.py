"""What is said of a place that Slack takes no messages for, in chat and where an operator looks."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, message
from bot.chat.places import ALL
from bot.chat.rich import Called, Channel, Rich, Time, ours, say, short
from workflows.core.destination import is_person

_TO_DO = {
    "is_archived": "Unarchive it, or name another channel in the policy",
    "channel_not_found": "Invite the bot there, or name another channel in the policy",
    "not_in_channel": "Invite the bot there, or add the scope channels:join",
    "missing_scope": "Add the scopes of deploy/slack/manifest.yaml to the app and install it again",
    "messages_tab_disabled": "Switch on the Messages tab of the app's home",
    "user_disabled": "Their Slack account is deactivated: see what they own or hold",
    "user_not_found": "Slack does not know them any more: see what they own or hold",
}
_RESTRICTED = "Let the app post there: an administrator's setting keeps it out"
_OTHERWISE = "Look up what Slack says about this word"


def closed(place: str, word: str, owed: int, since: datetime) -> Message:
    """To those who can do something about it. `owed`: how many requests and reports wait for the place."""
    person = is_person(place)
    where = say("direct messages to {}", Called(place)) if person else say("messages in {}", Channel(place))
    seen = Time(since, since)
    line = say("⚠️ Slack does not take my {}: `{}`, first seen at {}.", where, short(word, 60), seen)
    waits = say("What they would have read is on the record: `show ID`, `list`.") if person else ours(_waits(owed))
    text = say("{} {}. {}", line, ours(to_do(word)), waits)
    return message(text, Line(text))


def _waits(owed: int) -> str:
    told = f"{owed} {'subject waits' if owed == 1 else 'subjects wait'}, and" if owed else "What is due there"
    return f"{told} {'come' if owed else 'comes'} by itself when it takes messages again. Cards go to their owners directly."


def closed_words(place: str, word: str) -> str:
    """For `/readyz`."""
    if place == ALL:
        return f"Slack refuses the token ({word}): nothing is sent until it works again"
    what = f"direct messages to {place}" if is_person(place) else f"messages in {place}, which the policy names"
    return f"Slack takes no {what} ({word}). {to_do(word)}"


def back(since: datetime) -> Rich:
    return say("I could not post here since {}. What happened meanwhile follows.", Time(since, since))


def to_do(word: str) -> str:
    return _TO_DO.get(word, _RESTRICTED if word.startswith("restricted_action") else _OTHERWISE)
