"""What Teams and Entra know, as memory under one lock. Nothing here talks to the bot."""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Iterable

from bot.sandbox.clock import Clock
from bot.sandbox.teams.errors import CannotDo, Refused
from bot.sandbox.teams.people import (
    APP,
    CAST,
    DANA,
    GUS,
    OLU,
    PAT,
    SID,
    TENANT,
    Conversation,
    Group,
    Json,
    Message,
    Person,
    channel_id,
    group_chat_id,
    guid,
    personal_chat_id,
)

BOT_NAME = "prodaccess"


class World:
    """Hold `lock` over whatever reads more than one thing. `changes` grows with whatever people may see."""

    def __init__(self, clock: Clock, *, app_id: str = APP, tenant: str = TENANT) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.app_id = app_id
        self.tenant = tenant
        self.bot_id = f"28:{app_id}"
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.conversations: dict[str, Conversation] = {}
        self.changes = 0
        self._last_ms = 0

    # Filling it

    def add_person(self, person: Person, *, installed: bool = True) -> Person:
        """With a personal chat of theirs. `installed`: the bot is installed for them, though it has not heard of it."""
        with self.lock:
            self.people[person.aad] = person
            chat = personal_chat_id(person.aad)
            self.conversations[chat] = Conversation(chat, "personal", members=[person.aad], bot=installed)
        return person

    def change_person(self, person: Person, **fields: object) -> Person:
        """Disable them, make them a guest, give them another address."""
        with self.lock:
            changed = dataclasses.replace(self.people[person.aad], **fields)  # type: ignore[arg-type] # checked there
            self.people[person.aad] = changed
            self.touch()
        return changed

    def add_channel(
        self, name: str, members: Iterable[Person], *, team: str = "Orders", bot: bool = True
    ) -> Conversation:
        return self._add(
            Conversation(
                channel_id(f"{team} {name}"),
                "channel",
                name,
                [person.aad for person in members],
                team=channel_id(team),
                team_name=team,
                tenant=self.tenant,
                bot=bot,
            )
        )

    def add_group_chat(self, name: str, members: Iterable[Person], *, bot: bool = True) -> Conversation:
        aads = [person.aad for person in members]
        return self._add(Conversation(group_chat_id(name), "groupChat", name, aads, tenant=self.tenant, bot=bot))

    def add_group(self, name: str, members: Iterable[Person | Group], **fields: object) -> Group:
        ids = [one.id if isinstance(one, Group) else one.aad for one in members]
        group = Group(guid(f"group {name}"), name, ids, **fields)  # type: ignore[arg-type] # checked there
        with self.lock:
            self.groups[group.id] = group
        return group

    def _add(self, conversation: Conversation) -> Conversation:
        with self.lock:
            self.conversations[conversation.id] = conversation
            self.touch()
        return conversation

    # Looking

    def find(self, name: str) -> Person | None:
        """By `29:` id, by object id, or by UPN."""
        by_aad = self.people.get(name.lower())
        if by_aad is not None:
            return by_aad
        return next((p for p in self.people.values() if name == p.teams_id or name.lower() == p.upn.lower()), None)

    def person(self, aad: str) -> Person:
        if aad not in self.people:
            raise CannotDo(f"nobody has the id {aad}")
        return self.people[aad]

    def personal(self, person: Person) -> Conversation:
        return self.conversations[personal_chat_id(person.aad)]

    def conversation(self, id_: str) -> Conversation:
        """Raise Refused `ConversationNotFound`, or `BadArgument` for what is no id."""
        if not id_.startswith(("19:", "a:")):
            raise Refused(400, "BadArgument", "Bad format of conversation ID")
        found = self.conversations.get(id_)
        if found is None:
            raise Refused(404, "ConversationNotFound", "Conversation not found.")
        return found

    def messages(self, conversation: Conversation, *, root: str | None = None) -> list[Message]:
        """Copies, oldest first. `root`: the replies under it; None: what is no reply."""
        with self.lock:
            return [copy.deepcopy(one) for one in conversation.standing() if one.root == root]

    def message(self, id_: str) -> tuple[Conversation, Message]:
        """Raise CannotDo where it is not there, or no longer."""
        for conversation in self.conversations.values():
            found = conversation.messages.get(id_)
            if found is not None and not found.deleted:
                return conversation, found
        raise CannotDo(f"there is no message {id_}")

    # Changing

    def new_message_id(self) -> str:
        """Milliseconds, as Teams' ids of messages are; unique, and growing."""
        with self.lock:
            self._last_ms = max(int(self.clock() * 1000), self._last_ms + 1)
            return str(self._last_ms)

    def post(self, message: Message) -> Message:
        with self.lock:
            self.conversations[message.conversation].messages[message.id] = message
            self.touch()
        return message

    def touch(self) -> None:
        with self.lock:
            self.changes += 1


def small_world(clock: Clock) -> World:
    """The cast with a channel, a group chat, and groups: plain, nested, with a guest and a disabled account."""
    world = World(clock)
    for person in CAST:
        world.add_person(person)
    world.add_channel("ops", [DANA, OLU, PAT, SID, GUS])
    world.add_group_chat("release", [DANA, OLU])
    owners = world.add_group("platform", [OLU, PAT])
    world.add_group("everybody", [owners, *CAST])
    world.add_group("open", [DANA], visibility="Public", group_types=["Unified"])
    return world


def as_bot(world: World) -> Json:
    return {"id": world.bot_id, "name": BOT_NAME}
