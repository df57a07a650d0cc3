"""The seven calls that a bot makes: create, post, reply in a thread, edit, delete, one member, the members in pages.

"Bot connector REST API", "Conversation APIs: status codes" and "Rate limiting for bots", learn.microsoft.com.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.teams import cards
from bot.sandbox.teams.card_schema import CARD
from bot.sandbox.teams.errors import Refused
from bot.sandbox.teams.faults import READS, SENDS, Rates
from bot.sandbox.teams.people import Conversation, Json, Message, Person, personal_chat_id
from bot.sandbox.teams.world import World

SIZE_MAX = 80_000
PAGE = 2
"""Members a page, whatever was asked for: Teams gives 50 to 500, and a small chat has fewer."""


@dataclass(frozen=True)
class Answer:
    """`body` None: empty."""

    status: int
    body: Any = None


class Connector:
    """Each call raises Refused for what Teams does not carry out."""

    def __init__(self, world: World, rates: Rates) -> None:
        self._world = world
        self._rates = rates

    # Conversations

    def create(self, body: Json) -> Answer:
        """A personal chat with somebody for whom the bot is installed; the one that is there, if it is."""
        members = body.get("members")
        if not isinstance(members, list) or len(members) != 1 or body.get("isGroup"):
            raise Refused(400, "BadArgument", "A personal conversation has one member")
        tenant = ((body.get("channelData") or {}).get("tenant") or {}).get("id") or body.get("tenantId")
        if tenant != self._world.tenant:
            raise Refused(400, "BadArgument", "Unknown tenant")
        person = self._world.find(str(members[0].get("id", "")))
        if person is None:
            raise Refused(400, "BadSyntax", "Failed to decrypt conversation id")
        self._within(f"create {person.aad}", SENDS)
        chat = self._world.conversations.get(personal_chat_id(person.aad))
        if person.of_roster_only or chat is None:
            raise Refused(403, "ForbiddenOperationException", "The bot cannot create a conversation with this user")
        self._not_blocked(chat)
        if not chat.bot:
            raise Refused(403, "ForbiddenOperationException", "Bot is not installed in user's personal scope")
        return Answer(201, {"id": chat.id})

    def member(self, conversation_id: str, member_id: str) -> Answer:
        conversation, _ = self._conversation(conversation_id)
        self._within(f"read {conversation.id}", READS)
        person = self._world.find(member_id)
        if person is None or person.aad not in conversation.members:
            raise Refused(404, "MemberNotFoundInConversation", "The member was not found in the conversation.")
        return Answer(200, person.as_member())

    def members(self, conversation_id: str, query: Mapping[str, str]) -> Answer:
        conversation, _ = self._conversation(conversation_id)
        self._within(f"read {conversation.id}", READS)
        start = _position(query.get("continuationToken"), conversation)
        page = conversation.members[start : start + PAGE]
        said: Json = {"members": [self._world.person(aad).as_member() for aad in page]}
        if start + PAGE < len(conversation.members):
            said["continuationToken"] = _token(start + PAGE, conversation)
        return Answer(200, said)

    # Messages

    def post(self, conversation_id: str, body: Json, reply_to: str | None = None) -> Answer:
        conversation, root = self._conversation(conversation_id)
        self._size(body)
        text, card = _content(body)
        root = root or (reply_to if conversation.kind == "channel" else None)
        if root is not None and conversation.kind == "channel":
            root = self._root(conversation, root)
        elif root is not None:
            raise Refused(400, "BadArgument", "Only channels have threads")
        self._within(f"send {conversation.id}", SENDS)
        with self._world.lock:
            if text and card is not None:
                # Two messages come of it, and nobody learns the id of either.
                self._posted(conversation, {**body, "attachments": []}, text, None, root)
                self._posted(conversation, body, "", card, root)
                return Answer(202)
            return Answer(201, {"id": self._posted(conversation, body, text, card, root).id})

    def edit(self, conversation_id: str, message_id: str, body: Json) -> Answer:
        conversation, _ = self._conversation(conversation_id)
        self._size(body)
        text, card = _content(body)
        if text and card is not None:
            raise Refused(400, "BadSyntax", "Activity resulted into multiple skype activities")
        self._within(f"send {conversation.id}", SENDS)
        with self._world.lock:
            message = self._own(conversation, message_id)
            message.text, message.card = text, card
            message.summary = str(body.get("summary") or "")
            message.edits += 1
            message.own.clear()
            message.said.clear()
            self._world.touch()
        return Answer(200, {"id": message_id})

    def delete(self, conversation_id: str, message_id: str) -> Answer:
        conversation, _ = self._conversation(conversation_id)
        self._within(f"send {conversation.id}", SENDS)
        with self._world.lock:
            self._own(conversation, message_id).deleted = True
            self._world.touch()
        return Answer(200)

    # What they stand on

    def _conversation(self, id_: str) -> tuple[Conversation, str | None]:
        name, _, root = id_.partition(";messageid=")
        conversation = self._world.conversation(name)
        self._not_blocked(conversation)
        if not conversation.bot and conversation.kind == "personal":
            raise Refused(403, "MessageWritesBlocked", "The bot is not installed for this user")
        if not conversation.bot:
            raise Refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        return conversation, root or None

    def _not_blocked(self, conversation: Conversation) -> None:
        if conversation.blocked:
            raise Refused(403, "MessageWritesBlocked", "Thread does not allow writing messages.")

    def _root(self, conversation: Conversation, root: str) -> str:
        found = conversation.messages.get(root)
        if found is None or found.deleted:
            raise Refused(404, "ActivityNotFoundInConversation", "Message does not exist in the thread")
        return found.root or found.id

    def _own(self, conversation: Conversation, message_id: str) -> Message:
        found = conversation.messages.get(message_id)
        if found is None or found.deleted:
            raise Refused(404, "ActivityNotFoundInConversation", "Message does not exist in the thread")
        if found.sender != self._world.bot_id:
            raise Refused(403, "MessageWritesBlocked", "The message is somebody else's")
        return found

    def _size(self, body: Json) -> None:
        if cards.size_of(body) > SIZE_MAX:
            raise Refused(413, "MessageSizeTooBig", "Message size too large")

    def _within(self, name: str, limits: tuple[tuple[int, float], ...]) -> None:
        wait_s = self._rates.wait_s(name, limits)
        if wait_s is not None:
            raise Refused(429, "RateLimit", "Too many requests", {"Retry-After": str(wait_s)})

    def _posted(self, to: Conversation, body: Json, text: str, card: Json | None, root: str | None) -> Message:
        message = Message(self._world.new_message_id(), to.id, self._world.bot_id, text, card, root=root)
        message.summary = str(body.get("summary") or "")
        message.at = self._world.clock()
        message.pinged = tuple(person.aad for person in self._pinged(to, body, card))
        return self._world.post(message)

    def _pinged(self, to: Conversation, body: Json, card: Json | None) -> list[Person]:
        """In a personal chat its owner; elsewhere the members that are mentioned."""
        if to.kind == "personal":
            return [self._world.person(aad) for aad in to.members]
        entities = [*(body.get("entities") or ()), *((card or {}).get("msteams") or {}).get("entities", ())]
        found = [
            self._world.find(str(entity["mentioned"]["id"])) for entity in entities if entity.get("type") == "mention"
        ]
        return [person for person in found if person is not None and person.aad in to.members]


def _content(body: Json) -> tuple[str, Json | None]:
    """Text and card of an activity. Raise Refused `BadSyntax` for what is no message, or a card that Teams does not take."""
    if body.get("type") != "message":
        raise Refused(400, "BadSyntax", f"Unknown activity type {body.get('type')!r}")
    text, attachments = body.get("text") or "", body.get("attachments") or []
    if not isinstance(text, str) or not isinstance(attachments, list) or len(attachments) > 1:
        raise Refused(400, "BadSyntax", "A message is a text, or one attachment")
    if not attachments:
        if not text.strip():
            raise Refused(400, "BadSyntax", "Activity must include non empty 'text' field or at least 1 attachment")
        return text, None
    if attachments[0].get("contentType") != CARD:
        raise Refused(400, "BadSyntax", f"Unknown attachment type {attachments[0].get('contentType')!r}")
    card = attachments[0].get("content")
    wrong = cards.faults_of(card)
    if wrong:
        raise Refused(400, "BadSyntax", "Incorrect card: " + "; ".join(wrong[:5]))
    return text, card


def _token(position: int, conversation: Conversation) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, conversation.id]).encode()).decode()


def _position(token: str | None, conversation: Conversation) -> int:
    if not token:
        return 0
    try:
        position, of = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        of = None
    if of != conversation.id:
        raise Refused(400, "BadArgument", "Invalid continuation token")
    return int(position)
