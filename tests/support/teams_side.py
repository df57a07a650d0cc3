"""Teams beside a running installation: the people of the tests with an account there, what they do, and what they see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.messages.form_sent import LOOKING, SLOW, TAKEN
from bot.sandbox.clock import Clock
from bot.sandbox.teams import cards
from bot.sandbox.teams.courier import Answer
from bot.sandbox.teams.people import Conversation, Json, Message, Person, channel_id, guid
from bot.sandbox.teams.server import TeamsServer
from bot.sandbox.teams.world import World
from tests.support.waiting import PATIENCE_S, eventually

TEAM = "Orders"
# What is said at once of a press that is not refused.
HEARD = (TAKEN, LOOKING, SLOW)
ACCESS_LOG, GENERAL, INCIDENT, FAKE_INCIDENT = "access-log", "general", "inc-42", "inc-66"


def channel_text(name: str) -> str:
    """As the policy names it."""
    return f'"teams:{channel_id(f"{TEAM} {name}")}"'


def person_called(name: str) -> Person:
    guest = {"user_type": "Guest", "role": "guest"} if name == "gus" else {}
    return Person(name.title(), guid(f"scenario {name}"), f"{name}@example.com", **guest)


def teams_world(clock: Clock, names: Iterable[str], numbers: Iterable[int]) -> World:
    """Everybody is in every channel, and has the app."""
    world = World(clock)
    people = {name: world.add_person(person_called(name)) for name in names}
    world.add_group("oncall", [people["nia"]])
    for name in (ACCESS_LOG, GENERAL, INCIDENT, FAKE_INCIDENT, *(f"shop-{number:03}" for number in numbers)):
        world.add_channel(name, people.values(), team=TEAM)
    return world


class TeamsSide:
    """`server`: what plays Teams, Microsoft's login and Graph."""

    def __init__(self, server: TeamsServer, request_url: str) -> None:
        self.server = server
        self.world = server.world
        server.courier.request_url = request_url
        # Teams waits for fifteen seconds; a busy machine may need more, and whether the bot is quick enough is another question.
        server.courier.answer_within_s = PATIENCE_S
        server.rates.enforced = False
        # The actions of the buttons that were pressed.
        self.pressed: set[str] = set()

    # ------------------------------------------------------------ who and where

    def person(self, name: str) -> Person:
        return self.world.person(guid(f"scenario {name}"))

    def channel(self, name: str) -> Conversation:
        return self.world.conversations[channel_id(f"{TEAM} {name}")]

    # ------------------------------------------------------------ seeing

    def chat(self, who: str) -> list[Message]:
        """What the bot has said in their own chat, oldest first, as they see it."""
        seen = self.server.client.sees(self.person(who))
        return [one for one in seen if one.sender == self.world.bot_id]

    def direct(self, who: str) -> list[str]:
        return [words(one) for one in self.chat(who)]

    def message(self, who: str, *parts: str) -> Message:
        """The newest message in their own chat whose words hold all `parts`."""
        return self._newest(lambda: self.chat(who), parts, f"{who} is told {parts}")

    def posts(self, place: str, viewer: str = "sue") -> list[Message]:
        """What stands in a channel, without replies."""
        seen = self.server.client.sees(self.person(viewer), self.channel(place))
        return [one for one in seen if one.sender == self.world.bot_id]

    def card(self, place: str, *parts: str, viewer: str = "olu") -> Message:
        """The newest post in a channel whose words hold all `parts`, as `viewer` sees it."""
        return self._newest(lambda: self.posts(place, viewer), parts, f"{parts} in {place}")

    def replies(self, place: str, root: Message) -> list[Message]:
        return self.server.client.sees(self.person("sue"), self.channel(place), root=root.id)

    def _newest(self, look: Callable[[], list[Message]], parts: tuple[str, ...], what: str) -> Message:
        def found() -> list[Message]:
            return [one for one in look() if all(part in words(one) for part in parts)]

        return eventually(found, lambda: what + ", among\n" + "\n---\n".join(words(one) for one in look()))[-1]

    # ------------------------------------------------------------ acting

    def types(self, who: str, text: str, place: str | None = None, **more: Any) -> Answer:
        """In their own chat, or in a channel, where the bot is mentioned."""
        return self.server.client.type(self.person(who), text, self.channel(place) if place else None, **more)

    def answered(self, who: str, text: str, *parts: str, place: str | None = None, **more: Any) -> Message:
        """With what `who` is answered in their own chat, in words that hold all `parts`: at once, or a little later where a
        worker had to look first.
        """
        seen = {one.id for one in self.chat(who)}
        outcome = self.types(who, text, place, **more)
        assert outcome.ok, outcome
        return self._newest(
            lambda: [m for m in self.chat(who) if m.id not in seen], parts, f"{who} is answered {parts} to {text!r}"
        )

    def told(self, who: str, text: str, *parts: str, **more: Any) -> str:
        """The same in words."""
        return words(self.answered(who, text, *parts, **more))

    def press(
        self, who: str, message: Message, title: str, inputs: Mapping[str, Any] | None = None, nth: int = 0
    ) -> Answer:
        """The button with this title as they see the card, also one that stands under another one. `inputs`: what they fill in,
        by the field's name.
        """
        _, current = self.world.message(message.id)
        action = titled(current.shown_to(self.person(who).aad), title, nth)
        given = {input_called(name, action[1]): value for name, value in (inputs or {}).items()}
        one = action[0]
        self.pressed.add((one.get("data") or {}).get("action", ""))
        return self.server.client.press(self.person(who), message.id, one["verb"], one.get("data"), given)

    def refused(
        self, who: str, message: Message, title: str, part: str, inputs: Mapping[str, Any] | None = None
    ) -> None:
        """A press that is answered with `part`: under the card, or later where somebody had to be looked up first."""
        said = self.press(who, message, title, inputs).said or ""
        if said in (LOOKING, SLOW):
            said = words(self.message(who, part))
        assert part in said, said


def words(message: Message) -> str:
    return cards.words(message.card)


def buttons(message: Message) -> list[str]:
    """All that can be pressed at once, in reading order."""
    return [action["title"] for action in _at_once(message.card)]


def _at_once(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from _at_once(item)
    elif isinstance(node, dict):
        if str(node.get("type", "")).startswith("Action."):
            yield node
            return
        for name, value in node.items():
            if name not in ("data", "msteams"):
                yield from _at_once(value)


def titled(card: Json | None, title: str, nth: int = 0) -> tuple[Json, Json]:
    """The Action.Execute that is called so, and the card in which it stands."""
    found = list(_executed(card or {}, card or {}))
    fitting = [pair for pair in found if pair[0].get("title") == title]
    assert len(fitting) > nth, f"no button is called {title!r}: {[one.get('title') for one, _ in found]}"
    return fitting[nth]


def _executed(node: Any, card: Json) -> Iterator[tuple[Json, Json]]:
    if isinstance(node, list):
        for item in node:
            yield from _executed(item, card)
    elif isinstance(node, dict):
        if node.get("type") == "Action.Execute":
            yield node, card
        elif node.get("type") == "Action.ShowCard":
            yield from _executed(node["card"], node["card"])
        else:
            for name, value in node.items():
                if name not in ("data", "msteams"):
                    yield from _executed(value, card)


def input_called(name: str, card: Json) -> str:
    """The id of the field with this name; a field of several carries whose it is behind an `@`."""
    ids = [one["id"] for one in cards.inputs(card)]
    found = [id_ for id_ in ids if id_ == name or id_.startswith(f"{name}@")]
    assert len(found) == 1, f"{len(found)} inputs are called {name!r}: {ids}"
    return found[0]


@dataclass(frozen=True)
class Shop:
    """An environment of an installation, as Teams shows it: `place` is the channel of its cards."""

    teams: TeamsSide
    name: str
    place: str

    def asks(
        self, role: str = "read-only", rest: str = "1h INC-42 checkout errors", who: str = "dana", **more: Any
    ) -> str:
        """Asked in one line; the id."""
        return id_in(self.teams.told(who, f"{self.name} {role} {rest}", "asked for", **more))

    def card(self, *parts: str, viewer: str = "olu") -> Message:
        return self.teams.card(self.place, *parts, viewer=viewer)

    def asked(self, *args: Any, **more: Any) -> Message:
        """The card that the owners get."""
        return self.card(self.asks(*args, **more), "Needs approval")

    def approves(self, card: Message, who: str = "olu") -> None:
        said = self.teams.press(who, card, "Approve").said
        assert said in HEARD, said

    def active(self, *args: Any, **more: Any) -> Message:
        card = self.asked(*args, **more)
        self.approves(card)
        return self.card(id_in(words(card)), "Active")

    def end(self, id_: str, who: str = "dana") -> None:
        self.teams.types(who, f"end {id_}")
        self.card(id_, "Ended")


def id_in(text: str) -> str:
    """The id that stands last, in the small print."""
    return re.findall(r"PA-[0-9]+", text)[-1]
