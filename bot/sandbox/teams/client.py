"""People in front of Teams: they type, press, fill in, install; and what they see then."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox.teams import activities, cards
from bot.sandbox.teams.card_schema import CARD
from bot.sandbox.teams.courier import Answer, Courier
from bot.sandbox.teams.errors import CannotDo
from bot.sandbox.teams.filling import filled
from bot.sandbox.teams.people import Conversation, Json, Message, Person
from bot.sandbox.teams.world import BOT_NAME, World

SENTENCE = "application/vnd.microsoft.activity.message"
ERROR = "application/vnd.microsoft.error"
WENT_WRONG = "Something went wrong. Please try again."
MENTION_BOT = f"<at>{BOT_NAME}</at>"


class Client:
    """What Teams' client would not let somebody do raises CannotDo."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    # Typing

    def type(
        self,
        person: Person,
        text: str,
        to: Conversation | None = None,
        *,
        mention: bool = True,
        root: str | None = None,
    ) -> Answer:
        """A message of theirs; `to` None: in their chat with the bot.

        Elsewhere the bot hears only what mentions it: so a mention of it stands first unless there is one, or `mention` is
        False. `<at>NAME</at>` mentions a member. `root`: in that thread.
        """
        said, activity = self.typed(person, text, to, mention=mention, root=root)
        if to is not None and to.kind != "personal" and MENTION_BOT not in said.text:
            return Answer(200)
        return self._courier.deliver(activity)

    def typed(
        self,
        person: Person,
        text: str,
        to: Conversation | None = None,
        *,
        mention: bool = True,
        root: str | None = None,
    ) -> tuple[Message, Json]:
        """As `type`, without sending it: the message that stands, and the activity."""
        to = self._writable(person, to or self._world.personal(person))
        if to.kind != "personal" and mention and MENTION_BOT not in text:
            text = f"{MENTION_BOT} {text}"
        with self._world.lock:
            said = Message(self._world.new_message_id(), to.id, person.aad, text, root=root, at=self._world.clock())
            self._world.post(said)
            return said, activities.message(self._world, self._courier.service_url, self._now(person), to, said)

    # Pressing

    def press(
        self,
        person: Person,
        message_id: str,
        verb: str,
        data: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        *,
        stale: bool = False,
    ) -> Answer:
        """Press the Action.Execute with this verb whose data has all of `data`, in the card as they see it.

        `stale`: it need not be there any more. `inputs`: what they fill in, by id; the rest stays as the card has it.
        """
        to, message = self._seen(person, message_id)
        action = self.action(person, message, verb, data, stale=stale)
        values = filled(message.shown_to(person.aad), action, inputs or {}, stale=stale)
        said = {"verb": verb, "data": (action.get("data") or {}) | values}
        for name in ("id", "title"):
            if name in action:
                said[name] = action[name]
        activity = activities.invoke(self._world, self._courier.service_url, self._now(person), to, message, said)
        return self.shown(person, message_id, self._courier.deliver(activity))

    def shown(self, person: Person, message_id: str, answer: Answer) -> Answer:
        """What becomes of the answer in front of the presser: their card is another one, or a sentence stands under it."""
        answer = replace(answer, error=answer.error or _unusable(answer.body))
        with self._world.lock:
            _, message = self._world.message(message_id)
            message.said.pop(person.aad, None)
            if answer.error is not None:
                message.said[person.aad] = answer.error
            elif answer.card is not None:
                message.own[person.aad] = copy.deepcopy(answer.card)
            elif answer.said is not None:
                message.said[person.aad] = answer.said
            self._world.touch()
        return answer

    def submit(self, person: Person, message_id: str, data: Mapping[str, Any] | None = None) -> Answer:
        """Press an Action.Submit: it arrives as a message."""
        to, message = self._seen(person, message_id)
        given = self._one(message.shown_to(person.aad), "Action.Submit", None, data or {})
        said = activities.submit(self._world, self._courier.service_url, self._now(person), to, message, given["data"])
        return self._courier.deliver(said)

    def action(
        self, person: Person, message: Message, verb: str, data: Mapping[str, Any] | None = None, *, stale: bool = False
    ) -> Json:
        """The button meant, as it stands in the card. Raise CannotDo where there is none, or more than one."""
        if stale:
            return {"verb": verb, "data": dict(data or {})}
        return self._one(message.shown_to(person.aad), "Action.Execute", verb, data or {})

    def _one(self, card: Json | None, kind: str, verb: str | None, data: Mapping[str, Any]) -> Json:
        fitting = [
            action
            for action in cards.actions(card)
            if action["type"] == kind
            and verb in (None, action.get("verb"))
            and data.items() <= (action.get("data") or {}).items()
        ]
        if len({str(one) for one in fitting}) != 1:
            there = [(one.get("title"), one.get("verb"), one.get("data")) for one in cards.actions(card)]
            raise CannotDo(f"{len(fitting)} buttons {verb!r} with {dict(data)!r} among {there}")
        if fitting[0].get("isEnabled", True) is False:
            raise CannotDo(f"{fitting[0].get('title')} is greyed out")
        return fitting[0]

    # Seeing

    def sees(self, person: Person, to: Conversation | None = None, *, root: str | None = None) -> list[Message]:
        """What stands in a conversation, oldest first, without replies; `root`: the replies under it. `card`: theirs."""
        to = to or self._world.personal(person)
        if person.aad not in to.members:
            raise CannotDo(f"{person.name} is not in {to.name or to.id}")
        return [replace(one, card=one.shown_to(person.aad)) for one in self._world.messages(to, root=root)]

    def last(self, person: Person, to: Conversation | None = None) -> Message:
        """The newest message of the bot there, replies included."""
        to = to or self._world.personal(person)
        with self._world.lock:
            found = [copy.deepcopy(one) for one in to.standing() if one.sender == self._world.bot_id]
        if not found:
            raise CannotDo("the bot has said nothing there")
        return replace(found[-1], card=found[-1].shown_to(person.aad))

    # Limits of what they can

    def _now(self, person: Person) -> Person:
        """As they are by now: their name and address may have changed."""
        return self._world.person(person.aad)

    def _writable(self, person: Person, to: Conversation) -> Conversation:
        now = self._now(person)
        if now.enabled is False:
            raise CannotDo(f"{now.name} cannot sign in")
        if person.aad not in to.members:
            raise CannotDo(f"{now.name} is not in {to.name or to.id}")
        return to

    def _seen(self, person: Person, message_id: str) -> tuple[Conversation, Message]:
        to, message = self._world.message(message_id)
        return self._writable(person, to), message


def _unusable(body: Any) -> str | None:
    """What is shown for the answer of an invoke that Teams cannot use; None for one that it can."""
    if not isinstance(body, dict) or body.get("statusCode") != 200:
        return WENT_WRONG
    kind, value = body.get("type"), body.get("value")
    if kind == SENTENCE and isinstance(value, str) and value.strip():
        return None
    if kind == CARD and not cards.faults_of(value):
        return None
    return WENT_WRONG
