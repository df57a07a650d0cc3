"""The workspace: people, groups, conversations and posts, and what Slack's own rules say may happen to them.

Everything here is memory under one lock. Nothing here talks to the app: who wants to know of a change subscribes to
`listeners`, which get Slack's event objects.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.sandbox.clock import Clock
from bot.sandbox.copying import copied
from bot.sandbox.slack.errors import ApiError, CannotDo
from bot.sandbox.slack.mentions import mentions
from bot.sandbox.slack.model import Channel, Group, Json, Message, Notice, User
from bot.sandbox.slack.settings import AppSettings
from bot.sandbox.slack.triggers import ResponseUrls, Triggers
from bot.sandbox.slack.views import ViewStore

Listener = Callable[[Json], None]


class Workspace:
    """State of one Slack workspace. Hold `lock` over anything that reads more than one thing."""

    def __init__(self, app: AppSettings, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.app = app
        self.clock = clock
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.notices: list[Notice] = []
        self.read_until: dict[tuple[str, str], str] = {}
        self.listeners: list[Listener] = []
        self.base_url = ""
        self.changes = 0
        """Grows after whatever people may see otherwise: who shows the workspace looks again when it has grown."""
        self.tickets: set[str] = set()
        self.triggers = Triggers(clock, lambda: app.trigger_life_s)
        self.response_urls = ResponseUrls(clock)
        self.views = ViewStore(app, self.new_id, clock)
        self._numbers = itertools.count(1)
        self._last_us = 0
        self.add_user(
            app.bot_user_id, app.bot_name, real_name=app.bot_name, is_bot=True, email=None, display_name=app.bot_name
        )

    # People, groups, conversations

    def add_user(self, user_id: str, name: str, **fields: Any) -> User:
        """A new account. `fields` are those of `User`; the e-mail defaults to `name@example.com`."""
        usual = {"team_id": self.app.team_id, "real_name": name.title(), "email": f"{name}@example.com"}
        fields = usual | {"enterprise_id": self.app.enterprise_id} | fields
        with self.lock:
            user = self.users[user_id] = User(user_id, name, updated=self.now(), **fields)
            self.emit({"type": "team_join", "user": user.to_json()})
        return user

    def change_user(self, user_id: str, **fields: Any) -> User:
        """Deactivate (`deleted=True`), make a guest, rename... Sends `user_change`."""
        with self.lock:
            user = replace(self.user(user_id), **fields, updated=self.now())
            self.users[user_id] = user
            event = {"type": "user_change", "user": user.to_json(), "event_ts": self.next_ts()}
            self.emit(event | {"cache_ts": self.now()})
        return user

    def add_group(self, group_id: str, handle: str, users: list[str] | None = None, **fields: Any) -> Group:
        with self.lock:
            members = list(users or [])
            group = Group(group_id, handle, self.app.team_id, users=members, updated=self.now(), **fields)
            self.groups[group_id] = group
            self.emit({"type": "subteam_created", "subteam": group.to_json(with_users=True)})
        return group

    def change_group(self, group_id: str, **fields: Any) -> Group:
        """Change the members (`users=[...]`), the handle, or disable it. Sends `subteam_updated`."""
        with self.lock:
            group = replace(self.groups[group_id], **fields, updated=self.now())
            self.groups[group_id] = group
            self.emit({"type": "subteam_updated", "subteam": group.to_json(with_users=True)})
        return group

    def add_channel(
        self, channel_id: str, name: str, members: list[str] | None = None, *, bot: bool = True, **fields: Any
    ) -> Channel:
        """A channel with these people in it, and the bot unless `bot=False`."""
        with self.lock:
            everybody = [*(members or []), *([self.app.bot_user_id] if bot else [])]
            fields = {"creator": everybody[0] if everybody else ""} | fields
            channel = Channel(channel_id, name, everybody, created=self.now(), **fields)
            self.channels[channel_id] = channel
        return channel

    def change_channel(self, channel_id: str, **fields: Any) -> Channel:
        """Archive it, rename it, change who is in it."""
        with self.lock:
            channel = self.channel(channel_id)
            for name, value in fields.items():
                if name not in Channel.__dataclass_fields__:
                    raise CannotDo(f"a channel has no {name}")
                setattr(channel, name, value)
        return channel

    def user(self, user_id: str) -> User:
        """Raise `user_not_found`."""
        if user_id not in self.users:
            raise ApiError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        """Raise `channel_not_found`."""
        if channel_id not in self.channels:
            raise ApiError("channel_not_found")
        return self.channels[channel_id]

    def direct(self, one: str, other: str) -> Channel:
        """The direct messages between two accounts, made when they are first needed."""
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == {one, other}:
                return channel
        channel = Channel(self.new_id("D"), "", [one, other], created=self.now(), is_im=True)
        self.channels[channel.id] = channel
        return channel

    # Posts

    def post(self, message: Message, *, link_names: bool = False) -> Message:
        """Put a message into its conversation and work out whom it rings."""
        channel = self.channel(message.channel)
        message.mentioned = mentions(message.text, message.blocks, link_names=link_names)
        message.pinged = self._pinged(message, channel)
        others = [member for member in channel.members if channel.is_im and member != message.user]
        message.notified = tuple(dict.fromkeys([*message.pinged, *others]))
        if message.ephemeral_to is not None:
            message.notified = message.pinged = tuple(user for user in message.pinged if user == message.ephemeral_to)
            channel.ephemerals.append(message)
        else:
            channel.messages[message.ts] = message
            self._root_of(message, channel)
            self.emit(self._message_event(message, channel))
        self.touch()
        return message

    def _root_of(self, message: Message, channel: Channel) -> None:
        """A message that is answered becomes the root of a thread and says so itself."""
        if message.is_reply and message.thread_ts in channel.messages:
            channel.messages[message.thread_ts].thread_ts = message.thread_ts

    def _pinged(self, message: Message, channel: Channel) -> tuple[str, ...]:
        """Members of the conversation only: Slack does not ring people who cannot see the message."""
        called: list[str] = []
        for mention in message.mentioned:
            if mention.startswith("!"):
                called += channel.members
            elif mention in self.groups:
                called += self.groups[mention].users
            else:
                called.append(mention)
        present = [name for name in called if name in channel.members and name in self.users and name != message.user]
        return tuple(dict.fromkeys(name for name in present if not self.users[name].is_bot))

    def _message_event(self, message: Message, channel: Channel) -> Json:
        kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
        more = {"channel": channel.id, "channel_type": kind, "event_ts": message.ts, "team": self.app.team_id}
        return message.to_json() | more

    def message(self, channel_id: str, ts: str) -> Message:
        """A message that is there and not ephemeral. Raise `channel_not_found`, `message_not_found`."""
        found = self.channel(channel_id).messages.get(ts)
        if found is None or found.deleted:
            raise ApiError("message_not_found")
        return found

    def snapshot(self, message: Message) -> Message:
        return replace(message, **{name: copied(value) for name, value in vars(message).items()})

    # Small things

    def now(self) -> int:
        return int(self.clock())

    def next_ts(self) -> str:
        """Slack's timestamps are ids: unique, and they grow."""
        with self.lock:
            self._last_us = max(int(self.clock() * 1_000_000), self._last_us + 1)
            return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def new_id(self, prefix: str = "") -> str:
        number = next(self._numbers)
        return f"{prefix}0{number:07X}" if prefix else f"b{number:05x}"

    def emit(self, event: Json) -> None:
        for listener in list(self.listeners):
            listener(copied(event))

    def tell(self, user: str, text: str, kind: str, channel: str | None = None) -> None:
        """Slack itself says something to one person."""
        with self.lock:
            self.notices.append(Notice(user, self.clock(), text, kind, channel))
            self.touch()

    def touch(self) -> None:
        """Something has changed: said after the change, by whoever made it. Said too often it costs a look, no more."""
        with self.lock:
            self.changes += 1
