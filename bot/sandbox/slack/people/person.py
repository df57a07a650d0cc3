"""A person in front of Slack: what they can do, and what they see."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.events import payloads
from bot.sandbox.slack.model import Channel, Json, Message, Notice, User
from bot.sandbox.slack.people.client import Client, Delivered, action_value
from bot.sandbox.slack.people.forms import Form, Home
from bot.sandbox.slack.people.reading import element

MessageRef = Message | str


class Person:
    """Acts and looks as one account.

    What Slack's client would not allow raises CannotDo; with `force` the payload is sent all the same, as from somebody
    who was deactivated or left a moment ago. With `team` it is somebody of that workspace who has the same id there: ids are
    unique only together with their team. Messages are handed out as copies: they do not change under the reader.
    """

    def __init__(self, client: Client, user_id: str, *, force: bool = False, team: str | None = None) -> None:
        self._client = client
        self._ws = client.ws
        self._force = force
        self._team = team
        self.id = self._ws.user(user_id).id

    @property
    def user(self) -> User:
        user = self._ws.user(self.id)
        return replace(user, team_id=self._team) if self._team else user

    # Doing

    def command(self, name: str, text: str = "", *, channel: str, thread_ts: str | None = None) -> Delivered:
        """Type a slash command. They do not work in threads, and not for people of other organisations."""
        if thread_ts is not None:
            raise CannotDo("slash commands do not work in threads")
        if name not in self._ws.app.commands:
            raise CannotDo(f"{name} is not a valid command")
        self._must(not self.user.is_stranger, "people of other organisations have no slash commands here")
        return self._client.command(self.user, self._writable(channel), name, text)

    def press(
        self,
        message: MessageRef,
        action_id: str,
        value: str | None = None,
        *,
        block_id: str | None = None,
        channel: str | None = None,
        confirm: bool = True,
        stale: bool = False,
    ) -> Delivered:
        """Press a button in a message (a Message, or a ts with `channel`).

        The button has to be in the message as it is now; with `stale` it may be the older copy that is passed, as when
        the message changes while the finger is on its way.
        """
        target = self._target(message, channel, stale)
        block, found = element(target.blocks, action_id, value, block_id)
        if found["type"] != "button":
            raise CannotDo(f"{action_id!r} is no button but {found['type']}")
        return self._act(target, block, found, None, confirm)

    def choose(
        self,
        message: MessageRef,
        action_id: str,
        choice: Any,
        *,
        query: str | None = None,
        block_id: str | None = None,
        channel: str | None = None,
        confirm: bool = True,
        stale: bool = False,
    ) -> Delivered:
        """Choose from a menu in a message, by an option's value or words. `query` is typed into a type-ahead menu."""
        target = self._target(message, channel, stale)
        block, found = element(target.blocks, action_id, None, block_id)
        value = self._client.value(self.user, target, block, found, choice, query)
        return self._act(target, block, found, value, confirm)

    def _act(self, target: Message, block: Json, found: Json, value: Json | None, confirm: bool) -> Delivered:
        self._must_be_active()
        dialog = found.get("confirm")
        if dialog and not confirm:
            return Delivered(error="cancelled")
        if value is not None and found["type"] != "overflow":
            self._hold(target, block["block_id"], found["action_id"], value)
        outcome = self._client.act(self.user, target, block, found, action_value(found, value))
        return Delivered(outcome.error, outcome.shown, outcome.detail, outcome.delivery, dialog)

    def _hold(self, target: Message, block_id: str, action_id: str, value: Json) -> None:
        """The choice shows in the message from now on, and in the copy that is being acted on."""
        with self._ws.lock:
            channel = self._ws.channel(target.channel)
            stored = [m for m in [*channel.messages.values(), *channel.ephemerals] if m.ts == target.ts]
            for message in (target, *stored):
                message.state.setdefault(block_id, {})[action_id] = value

    def shortcut(self, callback_id: str) -> Delivered:
        """Run a global shortcut."""
        self._must(not self.user.is_stranger, "people of other organisations have no shortcuts here")
        self._must_be_active()
        return self._client.shortcut(self.user, callback_id)

    def message_shortcut(self, message: MessageRef, callback_id: str, *, channel: str | None = None) -> Delivered:
        """Run a shortcut from a message's menu."""
        self._must_be_active()
        return self._client.shortcut(self.user, callback_id, self._target(message, channel, stale=False))

    def say(self, channel: str, text: str, *, thread_ts: str | None = None) -> Message:
        """Write a message. The app hears of it if it has subscribed to messages and is in the conversation."""
        with self._ws.lock:
            message = Message(self._ws.next_ts(), self._writable(channel).id, self.id, text, thread_ts=thread_ts)
            return self._ws.snapshot(self._ws.post(message))

    def say_to_bot(self, text: str) -> Message:
        with self._ws.lock:
            return self.say(self._direct().id, text)

    def open_home(self, tab: str = "home") -> Home | None:
        """Open the app's home and wait until the app has been told. None if it has published nothing."""
        self._must_be_active()
        with self._ws.lock:
            home = self._ws.views.homes.get(self.id)
            event = payloads.home_opened(self._ws, self.user, home, tab)
        self._client.courier.event(event)
        self._client.courier.settle()
        return self.home()

    # Looking

    def view(self) -> Form | None:
        """The modal in front, if any."""
        with self._ws.lock:
            stack = self._ws.views.stack(self.id)
            return Form(self._client, self.user, stack[-1]) if stack else None

    def form(self) -> Form:
        """The modal in front. Raise CannotDo where none is open."""
        found = self.view()
        if found is None:
            raise CannotDo("no modal is open")
        return found

    def home(self) -> Home | None:
        with self._ws.lock:
            home = self._ws.views.homes.get(self.id)
            return Home(self._client, self.user, home) if home else None

    def dm(self) -> str:
        """The id of their direct messages with the bot, to type a command there."""
        with self._ws.lock:
            return self._direct().id

    def channels(self) -> list[str]:
        """Ids of the channels they are in, without direct messages."""
        with self._ws.lock:
            return [c.id for c in self._ws.channels.values() if self.id in c.members and not c.is_im]

    def messages(self, channel: str) -> list[Message]:
        """What stands in a conversation, oldest first: no deleted ones, no replies, and what is for their eyes only."""
        return self._seen(channel, lambda m: not m.is_reply or m.broadcast)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The replies under a message, oldest first."""
        return self._seen(channel, lambda m: m.is_reply and m.thread_ts == ts)

    def message(self, channel: str, ts: str) -> Message:
        """One message as it is now. Raise CannotDo where they cannot see it."""
        for message in self._seen(channel, lambda m: m.ts == ts):
            return message
        raise CannotDo(f"{self.id} sees no message {ts} in {channel}")

    def dms(self) -> list[Message]:
        """The direct messages between them and the bot, threads included, oldest first."""
        with self._ws.lock:
            channels = [c.id for c in self._ws.channels.values() if c.is_im and self._is_with_bot(c)]
        return [message for channel in channels for message in self._seen(channel)]

    def ephemerals(self, channel: str | None = None) -> list[Message]:
        """What only they see, in one conversation or everywhere."""
        with self._ws.lock:
            where = [self._ws.channel(channel)] if channel else list(self._ws.channels.values())
            found = [m for c in where for m in c.ephemerals if m.ephemeral_to == self.id]
            return [self._ws.snapshot(message) for message in found]

    def notices(self) -> list[Notice]:
        """What Slack itself told them: failed commands, buttons that did not work, forms that did not go through."""
        return [notice for notice in self._ws.notices if notice.user == self.id]

    def notifications(self) -> list[Message]:
        """The messages that rang, by a mention or because they are direct. What is read out is `text`."""
        with self._ws.lock:
            everything = [m for c in self._ws.channels.values() for m in [*c.messages.values(), *c.ephemerals]]
            return [self._ws.snapshot(message) for message in everything if self.id in message.notified]

    def unread(self, channel: str) -> int:
        """How many messages of others came since `mark_read`."""
        since = self._ws.read_until.get((self.id, channel), "0")
        in_front = self._seen(channel, lambda m: float(m.ts) > float(since) and m.user != self.id)
        return sum(not m.is_reply or m.broadcast for m in in_front)

    def mark_read(self, channel: str) -> None:
        self._ws.read_until[self.id, channel] = self._ws.next_ts()

    # Limits of what they can

    def _seen(self, channel_id: str, wanted: Callable[[Message], bool] = lambda _message: True) -> list[Message]:
        """Copies of those that are wanted, oldest first."""
        with self._ws.lock:
            channel = self._ws.channel(channel_id)
            self._must(self._sees(channel), f"{self.id} does not see {channel_id}")
            own = [message for message in channel.ephemerals if message.ephemeral_to == self.id]
            shown = [message for message in channel.messages.values() if not message.deleted]
            found = sorted(filter(wanted, (*shown, *own)), key=lambda m: float(m.ts))
            return [self._ws.snapshot(message) for message in found]

    def _sees(self, channel: Channel) -> bool:
        if self.id in channel.members:
            return True
        user = self.user
        outsider = user.is_restricted or user.is_ultra_restricted or user.is_stranger or user.deleted
        return not (channel.is_private or channel.is_im or outsider)

    def _target(self, ref: MessageRef, channel: str | None, stale: bool) -> Message:
        if isinstance(ref, str):
            if channel is None:
                raise CannotDo("a ts alone names no message: pass its channel as well")
            return self.message(channel, ref)
        self._must(ref.ephemeral_to in (None, self.id), "that message is for somebody else's eyes")
        return ref if stale else self.message(ref.channel, ref.ts)

    def _writable(self, channel_id: str) -> Channel:
        self._must_be_active()
        channel = self._ws.channel(channel_id)
        self._must(self.id in channel.members, f"{self.id} is not in {channel_id}")
        self._must(not channel.is_archived, f"{channel_id} is archived")
        return channel

    def _direct(self) -> Channel:
        return self._ws.direct(self._ws.app.bot_user_id, self.id)

    def _is_with_bot(self, channel: Channel) -> bool:
        return set(channel.members) == {self.id, self._ws.app.bot_user_id}

    def _must_be_active(self) -> None:
        self._must(not self.user.deleted, f"{self.id} is deactivated")
        self._must(not self.user.is_bot, f"{self.id} is a bot")

    def _must(self, possible: bool, why_not: str) -> None:
        if not possible and not self._force:
            raise CannotDo(why_not)
