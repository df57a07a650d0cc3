"""The app comes to people, and goes: what Teams tells it of that."""

from __future__ import annotations

from bot.sandbox.teams import activities
from bot.sandbox.teams.courier import Answer, Courier
from bot.sandbox.teams.people import Person
from bot.sandbox.teams.world import World


class Installing:
    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def install(self, person: Person) -> Answer:
        """For themselves: Teams says who joined, and that it was installed."""
        person = self._world.person(person.aad)
        chat = self._world.personal(person)
        chat.bot = True
        added, url = [{"id": self._world.bot_id}], self._courier.service_url
        self._courier.deliver(activities.update(self._world, url, person, chat, membersAdded=added))
        return self._courier.deliver(activities.installation(self._world, url, person, chat, "add"))

    def uninstall(self, person: Person) -> Answer:
        person = self._world.person(person.aad)
        chat = self._world.personal(person)
        activity = activities.installation(self._world, self._courier.service_url, person, chat, "remove")
        chat.bot = False
        return self._courier.deliver(activity)
