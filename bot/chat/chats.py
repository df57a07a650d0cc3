"""The chats of one installation, by surface: through which of them a message, an answer or a page goes.

A destination's text says in which chat it is. A place of a chat that is not set up here takes no messages, like any other
place that takes none: it is told of, looked at again, and goes on where it left off once the chat is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Never

from bot.chat.interaction import Interaction
from bot.chat.message import Message
from bot.chat.places import surface_of
from bot.chat.surface import Abilities, Limits, Means, Messenger, NotDone, Posted, Rate, Surface, Traits
from workflows.core.destination import Destination
from workflows.core.identity import Account

NOT_SET_UP = "chat_not_set_up"


class Chats:
    """`surfaces`: the chats in which people act; one at least. `messengers`: what takes messages, and gives nothing back.
    `later`: such as are built when they are first needed, by surface.

    Answers go to whoever acted, in the chat in which they did: it is an `Answers`.
    """

    def __init__(
        self,
        *surfaces: Surface,
        messengers: Iterable[Messenger] = (),
        later: Mapping[str, Callable[[], Messenger]] | None = None,
    ) -> None:
        self.surfaces: Mapping[str, Surface] = {each.traits.surface: each for each in surfaces}
        self._messengers: dict[str, Messenger] = {
            **self.surfaces,
            **{each.traits.surface: each for each in messengers},
        }
        self._later = later or {}
        self._building = threading.Lock()

    @property
    def all(self) -> tuple[Messenger, ...]:
        return tuple(self._messengers.values())

    def at(self, surface: str) -> Messenger:
        """One that takes nothing where there is no such chat."""
        return self._messengers.get(surface) or self._built(surface) or _NotSetUp(surface)

    def _built(self, surface: str) -> Messenger | None:
        with self._building:
            if surface in self._later and surface not in self._messengers:
                self._messengers[surface] = self._later[surface]()
        return self._messengers.get(surface)

    def has(self, place: str) -> bool:
        """Whether the chat of this place is set up here."""
        return surface_of(place) in {*self._messengers, *self._later}

    def of(self, place: str) -> Messenger:
        """`place`: a destination as text, or a chat as a whole, as `places.everything` names it."""
        return self.at(surface_of(place))

    def named(self, account: Account) -> Surface | None:
        """In which this account acts; None where that chat is not set up here."""
        return self.surfaces.get(account.surface)

    @property
    def title(self) -> str:
        """As people call it, or all of them."""
        return " or ".join(each.traits.title for each in self.surfaces.values())

    # ------------------------------------------------------------ to who acted

    def answer(self, act: Interaction, message: Message) -> bool:
        chat = self.named(act.who)
        return chat is not None and chat.answer(act, message)

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        chat = self.named(act.who)
        return chat is not None and chat.answer_in_place(act, message)


class _NotSetUp:
    """A chat that stands in the policy, or in what was posted once, and of which this installation knows no more."""

    def __init__(self, surface: str) -> None:
        nothing = Abilities(threads=False, whispers=False, home=False, search=False)
        limits = Limits(
            Rate(f"{surface}:posts", 1.0, 4.0), Rate(f"{surface}:edits", 1.0, 4.0), f"{surface}:searches", 1
        )
        self.traits = Traits(
            surface,
            surface.capitalize(),
            limits,
            nothing,
            {NOT_SET_UP: Means.PLACE},
            remedy=lambda _word: "Set the variables of this chat, or take it out of the policy",
        )

    def _refuse(self) -> Never:
        raise NotDone(NOT_SET_UP, Means.PLACE)

    def check(self) -> None:
        self._refuse()

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        del to, message, nonce, under
        self._refuse()

    def edit(self, posted: Posted, message: Message) -> None:
        del posted, message
        self._refuse()

    def find_by_nonce(
        self, to: Destination, nonce: str, since: datetime, *, under: Posted | None = None
    ) -> Posted | None:
        del to, nonce, since, under
        self._refuse()

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        del to, beside, message
        self._refuse()
