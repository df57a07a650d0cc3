"""One act, from when it comes in until it is answered: whatever is said meanwhile to whoever acted is the answer of the press.

A press waits for its answer: a sentence under the card, or a card in its place, for the presser alone. It is answered within
three seconds, whatever happens; what is said later goes into their own chat with us.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat.form import Filled, Form
from bot.chat.interaction import Interaction
from bot.chat.message import Line, Listing, Message, Part
from bot.chat.messages.form_sent import IN_OUR_CHAT
from bot.chat.surface import NotDone, Posted, Shown
from bot.teams.cards.render import summary_of
from bot.teams.client.surface import ALREADY_OPEN, Teams
from bot.teams.client.traits import TRAITS
from workflows.core.destination import Destination
from workflows.core.people import Account

# What is under a card is read at a glance.
SENTENCE_LENGTH_MAX = 400
Afterwards = Callable[..., None]
_SENTENCE = "application/vnd.microsoft.activity.message"
_CARD = "application/vnd.microsoft.card.adaptive"


@dataclass(frozen=True, slots=True)
class Said:
    """`card`: in place of the pressed one. `sentence`: under it. Empty where nothing was said."""

    sentence: str = ""
    card: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return bool(self.sentence or self.card)

    def invoked(self) -> dict[str, Any]:
        """As a press is answered: "Universal Actions for Adaptive Cards" (learn.microsoft.com)."""
        kind, value = (_SENTENCE, self.sentence) if self.card is None else (_CARD, self.card)
        return {"statusCode": 200, "type": kind, "value": value}


class Turn:
    """A `bot.chat.surface.Surface` for one act. `waits`: whether somebody waits for its answer. `window`: the form from which the
    press came, with what is filled in.
    """

    traits = TRAITS

    def __init__(self, teams: Teams, afterwards: Afterwards, *, waits: bool) -> None:
        self._teams = teams
        self._afterwards = afterwards
        self._lock = threading.Lock()
        self._open = waits
        self._said = Said()
        self.window: Shown | None = None
        self.kept: Filled | None = None

    def close(self) -> Said:
        """What was said until now; from now on it goes into the chat."""
        with self._lock:
            self._open = False
            return self._said

    # ------------------------------------------------------------ what is said

    def say(self, sentence: str) -> bool:
        """Under the card. False where that is too late."""
        return self._put(Said(sentence[:SENTENCE_LENGTH_MAX]))

    def show(self, card: Mapping[str, Any]) -> bool:
        """In place of the card. False where that is too late."""
        return self._put(Said(card=card))

    def _put(self, said: Said) -> bool:
        with self._lock:
            if self._open:
                self._said = said
            return self._open

    def answer(self, act: Interaction, message: Message) -> bool:
        if not self.say(summary_of(self._teams.here(message))):
            return self._teams.answer(act, message)
        if not _is_sentence(message):
            # What has buttons, or lines to copy, is more than a sentence.
            self._afterwards(self._teams.answer, act, message)
        return True

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        return self.answer(act, message)

    # ------------------------------------------------------------ forms

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:
        """On top of another form means in its place. Raises NotDone."""
        if on_top and self.window is not None:
            self.redraw_form(self.window, form)
            return
        try:
            self._teams.open_form(trigger, form)
        except NotDone as problem:
            # The press was delivered again.
            if problem.word != ALREADY_OPEN:
                raise
        self.say(IN_OUR_CHAT)

    def redraw_form(self, shown: Shown, form: Form) -> None:
        drawn = self._teams.drawn_again(shown, form, filled=self.kept)
        if drawn is None:
            # Another redraw was faster: what it shows is shown here, too.
            self._show_what_stands(shown)
            return
        standing, card = drawn
        self.show(card)
        self._afterwards(self._teams.show, standing, card, form.title)

    def _show_what_stands(self, shown: Shown) -> None:
        card = self._teams.card_of_form(shown.id)
        if card is not None:
            self.show(card)

    def show_home(self, account: Account, page: Sequence[Part]) -> None:
        self._teams.show_home(account, page)

    # ------------------------------------------------------------ messages, as ever

    def check(self) -> None:
        self._teams.check()

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        return self._teams.post(to, message, nonce=nonce, under=under)

    def edit(self, posted: Posted, message: Message) -> None:
        self._teams.edit(posted, message)

    def find_by_nonce(self, to: Destination, nonce: str, since: Any, *, under: Posted | None = None) -> Posted | None:
        return self._teams.find_by_nonce(to, nonce, since, under=under)

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        self._teams.whisper(to, beside, message)


def _is_sentence(message: Message) -> bool:
    """Whether its summary says all of it."""
    lines = sum(len(part.lines) if isinstance(part, Listing) else 1 for part in message.parts)
    plain = all(isinstance(part, Listing) or (isinstance(part, Line) and part.button is None) for part in message.parts)
    return plain and lines <= 2 and len(summary_of(message)) < SENTENCE_LENGTH_MAX
