"""Messages into Teams' channels, chats and to people, and what Teams takes of them. See `bot.chat.surface`.

A message is a card alone, with a summary for the notification: text beside a card would make two messages of it, and nobody
learns the id of either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

from bot.chat.message import Message
from bot.chat.surface import NotDone, Posted
from bot.teams.cards.render import card_of, summary_of
from bot.teams.client.answers import GONE, NO_ID, NO_THREADS, NOT_INSTALLED, ROOT_GONE, not_done
from bot.teams.client.connector import Answer, Connector
from bot.teams.client.conversations import Conversation, Conversations
from bot.teams.client.tokens import Tokens, TokensUnavailable
from bot.teams.client.traits import TRAITS, spelling
from bot.teams.guard import CHANNEL, PERSONAL, kind_of
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS

CARD = "application/vnd.microsoft.card.adaptive"
THREAD = ";messageid="
Activity = Mapping[str, Any]
Said = TypeVar("Said")
# Of a personal chat that is not there any more; there may be another one.
_MOVED = frozenset({"ConversationNotFound", "BotNotInConversationRoster", "http_404"})
_ID = re.compile(r"[\x21-\x7e]{1,400}")


class Messenger:
    traits = TRAITS

    def __init__(
        self,
        connector: Connector,
        conversations: Conversations,
        tokens: Tokens,
        app_id: str,
        tenant: str,
        command: str,
    ) -> None:
        self.connector = connector
        self.conversations = conversations
        self.tokens = tokens
        self._app_id = app_id
        self._tenant = tenant
        self._spelling = spelling(command)

    def here(self, said: Said) -> Said:
        """A message, or a form, in Teams' words, with its command lines as they are typed there."""
        return self._spelling.of(said)

    def check(self) -> None:
        """Whether the login takes the app's secret. Raises NotDone."""
        self.tokens.forget()
        try:
            self.tokens.bot()
        except TokensUnavailable as problem:
            raise NotDone(problem.word, problem.means) from None

    def edit(self, posted: Posted, message: Message) -> None:
        """Raises NotDone."""
        self.put(posted, *self.shown(message))

    def find_by_nonce(self, *_: object, **__: object) -> Posted | None:
        """Never: a bot cannot read what was said before."""
        return None

    def whisper(self, *_: object, **__: object) -> None:
        """There is no such thing here. Raises NotDone."""
        raise not_done(NOT_INSTALLED)

    # ------------------------------------------------------------ cards

    def shown(self, message: Message) -> tuple[Mapping[str, Any], str]:
        """Its card, and what the notification says."""
        here = self.here(message)
        return card_of(here), summary_of(here)

    def activity(self, card: Mapping[str, Any], summary: str) -> Activity:
        return {
            "type": "message",
            "from": {"id": f"28:{self._app_id}"},
            "summary": summary,
            "attachments": [{"contentType": CARD, "content": card}],
        }

    def put(self, posted: Posted, card: Mapping[str, Any], summary: str) -> None:
        """In place of what stands there. Raises NotDone."""
        at = posted.to.id
        url = self.conversations.service_url(at.partition(THREAD)[0])
        self.connector.edit(url, at, posted.id, self.activity(card, summary))

    def send(self, to: Destination, activity: Activity, under: Posted | None = None) -> Posted:
        """Raises NotDone."""
        if to.kind is Kind.PERSON:
            return self._to_person(to.id, activity, under)
        return self._into(self._known(to), to.kind, activity, under)

    def _to_person(self, person: str, activity: Activity, under: Posted | None) -> Posted:
        known = self.conversations.personal(person)
        try:
            return self._into(known or self._created(person), Kind.DIRECT, activity, under)
        except NotDone as problem:
            if known is None or problem.word not in _MOVED:
                raise
            self.conversations.gone(known)
            return self._into(self._created(person), Kind.DIRECT, activity, under)

    def _into(self, at: Conversation, kind: Kind, activity: Activity, under: Posted | None) -> Posted:
        if under is not None and at.kind != CHANNEL:
            raise not_done(NO_THREADS)
        id_ = f"{at.id}{THREAD}{under.id}" if under is not None else at.id
        try:
            answer = self.connector.post(at.service_url, id_, activity)
        except NotDone as problem:
            if under is not None and problem.word == GONE:
                raise not_done(ROOT_GONE) from None
            raise
        return Posted(Destination(TEAMS, kind, id_), _named(answer), _at(answer))

    # ------------------------------------------------------------ where

    def _known(self, to: Destination) -> Conversation:
        """As the last activity told of it; of a channel that nobody has written in yet, as those beside it."""
        id_ = to.id.partition(THREAD)[0]
        found = self.conversations.by_id(id_)
        if found is not None:
            return found
        kind = PERSONAL if to.kind is Kind.DIRECT else kind_of(id_)
        return Conversation(id_, self.conversations.service_url(), kind, self._tenant)

    def _created(self, person: str) -> Conversation:
        url = self.conversations.service_url()
        body = {
            "bot": {"id": f"28:{self._app_id}"},
            "isGroup": False,
            "members": [{"id": person}],
            "tenantId": self._tenant,
            "channelData": {"tenant": {"id": self._tenant}},
        }
        try:
            answer = self.connector.create(url, body)
        except NotDone as problem:
            raise _not_reached(problem) from None
        found = Conversation(_named(answer), url, PERSONAL, self._tenant, person)
        self.conversations.keep(found)
        return found


def _not_reached(problem: NotDone) -> NotDone:
    """Nobody has a chat with us who has not got the app."""
    refused = (f"http_{HTTPStatus.FORBIDDEN}", "ForbiddenOperationException", "BotNotInConversationRoster")
    if problem.word in refused:
        return not_done(NOT_INSTALLED)
    return not_done("UserNotFound") if problem.word in ("BadSyntax", "BadArgument", "http_400") else problem


def _named(answer: Answer) -> str:
    """Raises NotDone: it may have been done, and nobody can say what it is called."""
    id_ = answer.body.get("id")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise not_done(NO_ID)
    return id_


def _at(answer: Answer) -> datetime:
    return datetime.fromtimestamp(answer.at, UTC)
