"""The bot comes to people, teams and group chats, and goes: what Teams tells it of that."""

from __future__ import annotations

from bot.sandbox.teams import activities
from bot.sandbox.teams.courier import Answer, Courier
from bot.sandbox.teams.people import Conversation, Json, Person
from bot.sandbox.teams.world import World


class Installing:
    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def install(self, person: Person) -> Answer:
        """For themselves: Teams says who joined, and that it was installed."""
        chat = self._world.personal(person)
        chat.bot = True
        added = [{"id": self._world.bot_id}]
        self._send(
            activities.update(self._world, self._courier.service_url, self._now(person), chat, membersAdded=added)
        )
        return self._send(
            activities.installation(self._world, self._courier.service_url, self._now(person), chat, "add")
        )

    def uninstall(self, person: Person) -> Answer:
        chat = self._world.personal(person)
        activity = activities.installation(self._world, self._courier.service_url, self._now(person), chat, "remove")
        chat.bot = False
        return self._send(activity)

    def add_bot(self, person: Person, to: Conversation) -> Answer:
        """To a team's channel or a group chat."""
        to.bot = True
        added = [{"id": self._world.bot_id}]
        self._send(activities.update(self._world, self._courier.service_url, self._now(person), to, membersAdded=added))
        return self._send(activities.installation(self._world, self._courier.service_url, self._now(person), to, "add"))

    def remove_bot(self, person: Person, to: Conversation) -> Answer:
        gone = [{"id": self._world.bot_id}]
        url = self._courier.service_url
        activity = activities.update(self._world, url, self._now(person), to, membersRemoved=gone)
        to.bot = False
        return self._send(activity)

    def _send(self, activity: Json) -> Answer:
        return self._courier.deliver(activity)

    def _now(self, person: Person) -> Person:
        return self._world.person(person.aad)
