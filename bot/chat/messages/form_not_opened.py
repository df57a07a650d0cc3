"""What somebody reads in place of a form that did not open: why, a button to try once more, and the words to type."""

from __future__ import annotations

from bot.chat.interaction import PRESS, Interaction
from bot.chat.messages.home import ASK
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message

# Our word where the chat's never came, or was none.
NO_ANSWER = "no_answer"
_WHY = {
    "expired_trigger_id": "Slack opens a form within three seconds only, and they had passed.",
    "exchanged_trigger_id": "Slack opens a form once for each press, and says that it has.",
    NO_ANSWER: "Slack did not answer in time. It may still open.",
    "ratelimited": "Slack is busy just now.",
}
NOT_FRESH = "I have to look up first who may do this, and Slack opens a form within three seconds only."


def not_opened(act: Interaction, word: str, typed: str, *, again: bool = True) -> Message:
    """`word`: Slack's. `typed`: the command that does the same. `again`: whether a button can open the form."""
    why = _WHY.get(word, f"Slack did not take it ({t.literal(word, 60)}).")
    return _instead(act, f"The form did not open: {why}", typed, again=again)


def not_known_yet(act: Interaction, typed: str) -> Message:
    return _instead(act, NOT_FRESH, typed, again=True)


def _instead(act: Interaction, line: str, typed: str, *, again: bool) -> Message:
    command = f"`{t.literal(typed, 300)}`"
    # A press is repeated as it was; of a command and a shortcut the form is what was wanted.
    button = b.button("Try again", act.action, act.value) if act.kind == PRESS and act.action else _open_form(act)
    ways = f"Try again, or type {command}." if again else f"You can type it, too: {command}."
    text = f"{line} {ways}"
    return b.message(text, [b.section(text), b.actions(button) if again else None])


def _open_form(act: Interaction) -> dict[str, object]:
    return b.button("Open the form", ASK, act.text.strip()[:200] or "form")
