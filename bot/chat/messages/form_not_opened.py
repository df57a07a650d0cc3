"""What somebody reads in place of a form that did not open: why, a button to try once more, and the words to type."""

from __future__ import annotations

from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Button, Line, Message, buttons, message
from bot.chat.messages.home import ASK
from bot.chat.rich import Rich, ours, say, short
from bot.chat.surface import Traits


def not_opened(act: Interaction, word: str, typed: str, traits: Traits, *, again: bool = True) -> Message:
    """`word`: the chat's. `typed`: the command that does the same. `again`: whether a button can open the form."""
    known = traits.no_form.get(word)
    why = ours(known) if known else say("{} did not take it ({}).", traits.title, short(word, 60))
    return _instead(act, say("The form did not open: {}", why), typed, again=again)


def not_known_yet(act: Interaction, typed: str, traits: Traits) -> Message:
    return _instead(act, ours(f"I have to look up first who may do this, and {traits.forms_wait}."), typed, again=True)


def _instead(act: Interaction, line: Rich, typed: str, *, again: bool) -> Message:
    # A press is repeated as it was; of a command and a shortcut the form is what was wanted.
    button = (
        Button("Try again", act.action, act.value, said="Try again to open the form")
        if act.kind == PRESS and act.action
        else _open_form(act)
    )
    ways = "{} Try again, or type `{}`." if again else "{} You can type it, too: `{}`."
    text = say(ways, line, short(typed, 300))
    return message(text, Line(text), buttons(button) if again else None)


def _open_form(act: Interaction) -> Button:
    return Button("Open the form", ASK, act.text.strip()[:200] or "form", said="Open the form to ask for access")
