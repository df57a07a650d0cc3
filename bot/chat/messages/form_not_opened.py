"""What somebody reads in place of a form that did not open: why, a button to try once more, and the words to type."""

from __future__ import annotations

from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Button, Line, Message, buttons, message
from bot.chat.messages.home import ASK
from bot.chat.rich import Rich, ours, say, short
from bot.chat.surface import NO_ANSWER

_WHY = {
    "expired_trigger_id": "Slack opens a form within three seconds only, and they had passed.",
    "exchanged_trigger_id": "Slack opens a form once for each press, and says that it has.",
    NO_ANSWER: "Slack did not answer in time. It may still open.",
    "ratelimited": "Slack is busy just now.",
}
NOT_FRESH = "I have to look up first who may do this, and Slack opens a form within three seconds only."


def not_opened(act: Interaction, word: str, typed: str, *, again: bool = True) -> Message:
    """`word`: Slack's. `typed`: the command that does the same. `again`: whether a button can open the form."""
    why = ours(_WHY[word]) if word in _WHY else say("Slack did not take it ({}).", short(word, 60))
    return _instead(act, say("The form did not open: {}", why), typed, again=again)


def not_known_yet(act: Interaction, typed: str) -> Message:
    return _instead(act, ours(NOT_FRESH), typed, again=True)


def _instead(act: Interaction, line: Rich, typed: str, *, again: bool) -> Message:
    # A press is repeated as it was; of a command and a shortcut the form is what was wanted.
    button = Button("Try again", act.action, act.value) if act.kind == PRESS and act.action else _open_form(act)
    ways = "{} Try again, or type `{}`." if again else "{} You can type it, too: `{}`."
    text = say(ways, line, short(typed, 300))
    return message(text, Line(text), buttons(button) if again else None)


def _open_form(act: Interaction) -> Button:
    return Button("Open the form", ASK, act.text.strip()[:200] or "form")
