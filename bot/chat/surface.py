"""What a chat is to everything that is said and done in it: a port, which each chat fills in for itself.

What a chat can do, how much it takes, and what its answers mean, is data (`Traits`), so that nobody asks which chat it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.chat.form import Form
from bot.chat.interaction import Interaction
from bot.chat.message import Message, Part
from workflows.core.destination import Destination
from workflows.core.people import Account

# Our word where the chat's never came, or was none.
NO_ANSWER = "no_answer"


class Means(StrEnum):
    """How long an answer lasts, and what goes on in spite of it."""

    FORM = "form"  # this message as it is drawn: it goes as plain text
    THREAD = "thread"  # this thread: it goes on under a new root
    MESSAGE = "message"  # the message that was to be edited: it is left as it is
    PLACE = "place"  # this channel or person: the next place
    ALL = "all"  # everything: nothing is sent until we are let in again
    LATER = "later"  # nothing lasting: again, with growing pauses
    UNKNOWN = "unknown"  # a word that nobody knows: again, and final for its place after some tries


class NotDone(Exception):
    """What a chat did not carry out, or of which nobody knows whether it did. `word`: the chat's own.

    `after_s`: how long it wants to be left alone, in seconds; 0.0 where it did not say. `perhaps_done`: whether it may have had
    its effect in spite of this answer. `surface`: which chat it was, as the outbox fills in, which knows it.
    """

    def __init__(self, word: str, means: Means, after_s: float = 0.0, *, perhaps_done: bool = False) -> None:
        super().__init__(word)
        self.word = word
        self.means = means
        self.after_s = after_s
        self.perhaps_done = perhaps_done
        self.surface = ""


# ---------------------------------------------------------------- what a chat is like


@dataclass(frozen=True, slots=True)
class Rate:
    """So much a chat takes. `bucket`: the name under which all processes count it together. `burst`: so many at once."""

    bucket: str
    a_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """`posts`: in each channel; `posts_for_long`: the same over a longer time, where the chat counts that apart. `edits`:
    altogether; in each channel, too, where they are `edits_apart`. `searches`: the bucket of looking for a post again.
    """

    posts: Rate
    edits: Rate
    searches: str
    # Of a message's text, in characters.
    text_length_max: int
    edits_apart: bool = False
    posts_for_long: Rate | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What there is in this chat. What there is not is done without, in another way or not at all."""

    # Messages under a message.
    threads: bool
    # Words in a channel for one person's eyes alone.
    whispers: bool
    # A page of everybody's own.
    home: bool
    # A post can be found again by the nonce in it, after a crash.
    search: bool
    # What was posted can be changed. Where it cannot, a message is posted once.
    edits: bool = True
    # Where many cards wait for their turn in a channel, a board names them.
    boards: bool = False


@dataclass(frozen=True, slots=True)
class Traits:
    """`surface`: as in `Destination`. `title`: as people call it. `means`: what its words of error mean."""

    surface: str
    title: str
    limits: Limits
    abilities: Abilities
    means: Mapping[str, Means]
    # Of the words that mean a thread: there can be none in this channel; and it is locked, though its root can be edited.
    never_threads: frozenset[str] = frozenset()
    locks_thread: frozenset[str] = frozenset()
    # Of the words that mean a person: nothing for whoever runs this to mend.
    gone: frozenset[str] = frozenset()
    # What somebody can do about a place that takes nothing, by word.
    remedy: Callable[[str], str] = lambda _word: "Look up what this word means"
    # Why a form did not open, by word; and for how long a form can be opened.
    no_form: Mapping[str, str] = field(default_factory=dict)
    forms_wait: str = "forms open at once only"

    def meaning(self, word: str) -> Means:
        return self.means.get(word, Means.UNKNOWN)


# ---------------------------------------------------------------- what is asked of it


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands. `to`: where it stands, which of a direct message may be a conversation of its own."""

    to: Destination
    id: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A form that stands open. `version`: of what it shows, so that an older redraw does not overtake a newer one."""

    id: str
    version: str


class Messenger(Protocol):
    """Messages in channels and to people. Each call raises NotDone for whatever goes wrong."""

    @property
    def traits(self) -> Traits: ...

    def check(self) -> None:
        """Whether we are let in at all."""
        ...

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        """`nonce`: by which `find_by_nonce` finds it. `under`: in whose thread."""
        ...

    def edit(self, posted: Posted, message: Message) -> None: ...

    def find_by_nonce(
        self, to: Destination, nonce: str, since: datetime, *, under: Posted | None = None
    ) -> Posted | None:
        """A post of ours whose answer nobody has heard; None where it is not there, or the chat cannot search."""
        ...

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        """To one person's eyes alone, in a channel; without any form."""
        ...


class Answers(Protocol):
    """What somebody is told who acted and waits for it."""

    def answer(self, act: Interaction, message: Message) -> bool:
        """To the actor alone, in whichever way is open. Never raises; False where none was."""
        ...

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        """In place of the message whose button was pressed; else as `answer`."""
        ...


class Forms(Protocol):
    """Forms, and everybody's own page. Each call raises NotDone."""

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:
        """`trigger`: what the chat gave with the act, which lets one form open. `on_top`: of the one that stands open."""
        ...

    def redraw_form(self, shown: Shown, form: Form) -> None:
        """Says nothing where the form was closed, or another redraw was faster."""
        ...

    def show_home(self, account: Account, page: Sequence[Part]) -> None: ...


class Surface(Messenger, Answers, Forms, Protocol):
    """A chat."""
