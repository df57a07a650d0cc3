"""A chat in memory, as small as a chat can be: a `Surface` that needs no SDK, whose answers and abilities a test chooses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.chat.form import Form
from bot.chat.interaction import Interaction
from bot.chat.message import Message, Part, plain
from bot.chat.plain_text import text_of
from bot.chat.surface import NO_ANSWER, Abilities, Limits, Means, NotDone, Posted, Rate, Shown, Traits
from workflows.core.destination import Destination, Kind
from workflows.core.identity import Account

ALL_OF_IT = Abilities(threads=True, whispers=True, home=True, search=True)
NAME = "memory"
MEANS = {
    "too_odd": Means.FORM,
    "thread_gone": Means.THREAD,
    "message_gone": Means.MESSAGE,
    "place_gone": Means.PLACE,
    "person_gone": Means.PLACE,
    "not_let_in": Means.ALL,
    "busy": Means.LATER,
    "used_up": Means.LATER,
    NO_ANSWER: Means.LATER,
}
TEXT_LENGTH_MAX = 2000


def traits(abilities: Abilities = ALL_OF_IT, name: str = NAME) -> Traits:
    limits = Limits(
        Rate(f"{name}:posts", 1.0, 4.0), Rate(f"{name}:edits", 1.0, 20.0), f"{name}:searches", TEXT_LENGTH_MAX
    )
    return Traits(name, name.capitalize(), limits, abilities, MEANS, gone=frozenset({"person_gone"}))


def channel(name: str, surface: str = NAME) -> Destination:
    return Destination(surface, Kind.CHANNEL, name)


def person(user: str, surface: str = NAME) -> Destination:
    return Destination(surface, Kind.PERSON, user)


@dataclass
class Post:
    to: Destination
    id: str
    message: Message
    nonce: str = ""
    under: str | None = None
    gone: bool = False

    @property
    def text(self) -> str:
        return text_of(self.message.summary)[:TEXT_LENGTH_MAX]


@dataclass
class MemoryChat:
    """`now`: its clock. `closed`: its word for a place that takes nothing. `answers`: what the next calls get in place of theirs;
    `loses`: how many of the next posts are made, and not answered. `name`: of two that stand side by side each has its own.
    """

    now: Callable[[], datetime]
    abilities: Abilities = ALL_OF_IT
    posts: list[Post] = field(default_factory=list)
    whispers: list[tuple[Destination, Destination, Message]] = field(default_factory=list)
    answered: list[tuple[Account, Message]] = field(default_factory=list)
    forms: list[tuple[Shown, Form]] = field(default_factory=list)
    homes: dict[Account, Sequence[Part]] = field(default_factory=dict)
    closed: dict[Destination, str] = field(default_factory=dict)
    answers: deque[NotDone] = field(default_factory=deque)
    loses: int = 0
    triggers: set[str] = field(default_factory=set)
    name: str = NAME
    # Its word for everything, while it lets nobody in.
    shut: str = ""
    edits_apart: bool = False

    @property
    def traits(self) -> Traits:
        own = traits(self.abilities, self.name)
        return replace(own, limits=replace(own.limits, edits_apart=self.edits_apart))

    def no(self, word: str, after_s: float = 0.0) -> NotDone:
        return NotDone(word, self.traits.meaning(word), after_s, perhaps_done=word == NO_ANSWER)

    def _asked(self) -> None:
        if self.shut:
            raise self.no(self.shut)
        if self.answers:
            raise self.answers.popleft()

    # ------------------------------------------------------------ messages

    def check(self) -> None:
        self._asked()

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        self._asked()
        if to in self.closed:
            raise self.no(self.closed[to])
        root = next((post for post in self.posts if under and post.id == under.id), None)
        if under is not None and (root is None or root.gone):
            raise self.no("thread_gone")
        found = Post(to, f"M{len(self.posts) + 1}", message, nonce, under.id if under else None)
        self.posts.append(found)
        if self.loses:
            self.loses -= 1
            raise self.no(NO_ANSWER)
        return Posted(to, found.id, self.now())

    def edit(self, posted: Posted, message: Message) -> None:
        self._asked()
        found = next((post for post in self.posts if post.id == posted.id and not post.gone), None)
        if found is None:
            raise self.no("message_gone")
        found.message = message

    def find_by_nonce(
        self, to: Destination, nonce: str, since: datetime, *, under: Posted | None = None
    ) -> Posted | None:
        self._asked()
        there = (post for post in self.posts if post.to == to and post.nonce == nonce and not post.gone)
        found = next((post for post in there if post.under == (under.id if under else None)), None)
        return Posted(to, found.id, since) if found is not None and self.abilities.search else None

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        self._asked()
        self.whispers.append((to, beside, plain(message)))

    # ------------------------------------------------------------ answers, forms, homes

    def answer(self, act: Interaction, message: Message) -> bool:
        if person(act.who.user, self.name) in self.closed:
            return False
        self.answered.append((act.who, message))
        return True

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        return self.answer(act, message)

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:
        self._asked()
        if trigger not in self.triggers:
            raise self.no("used_up")
        self.triggers.remove(trigger)
        if not on_top:
            self.forms.clear()
        self.forms.append((Shown(f"F{len(self.forms)}", "1"), form))

    def redraw_form(self, shown: Shown, form: Form) -> None:
        self._asked()
        self.forms[:] = [(Shown(at.id, f"{at.version}+"), form) if at == shown else (at, was) for at, was in self.forms]

    def show_home(self, account: Account, page: Sequence[Part]) -> None:
        self._asked()
        self.homes[account] = page

    # ------------------------------------------------------------ looking

    def stands(self, to: Destination, under: str | None = None) -> list[str]:
        return [post.text for post in self.posts if post.to == to and post.under == under and not post.gone]
