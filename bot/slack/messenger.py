"""Messages into Slack's channels and to people, and what Slack takes of them. See `bot.chat.surface`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_sdk import WebClient

from bot.chat.message import Message
from bot.chat.surface import NotDone, Posted
from bot.slack.answers import ask
from bot.slack.render import blocks_of, text_of
from bot.slack.traits import TRAITS
from workflows.core.destination import Destination, Kind, read_destination

log = structlog.get_logger()

EVENT_TYPE = "prodaccess_post"
# History is searched from a little before the intent: Slack's clock is not ours.
SEARCH_FROM = timedelta(seconds=30)
SEARCH_PAGES_MAX = 10
_NOT_IN_CHANNEL = "not_in_channel"


class Messenger:
    traits = TRAITS

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def check(self) -> None:
        """Whether Slack takes the token. Raises NotDone."""
        ask(self._client.auth_test)

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:
        """Joins a public channel for it, where that is all that is missing. Raises NotDone."""
        try:
            return self._post(to, message, nonce, under)
        except NotDone as problem:
            if problem.word != _NOT_IN_CHANNEL or not self._joined(to.id):
                raise
            return self._post(to, message, nonce, under)

    def edit(self, posted: Posted, message: Message) -> None:
        """Raises NotDone."""
        # Without blocks its old ones would go on standing there.
        text, blocks = text_of(message), blocks_of(message)
        ask(self._client.chat_update, channel=posted.to.id, ts=posted.id, text=text, blocks=blocks)

    def whisper(self, to: Destination, beside: Destination, message: Message) -> None:
        """Raises NotDone."""
        ask(self._client.chat_postEphemeral, channel=beside.id, user=to.id, text=text_of(message))

    def find_by_nonce(
        self, to: Destination, nonce: str, since: datetime, *, under: Posted | None = None
    ) -> Posted | None:
        """By the nonce in its metadata. Raises NotDone."""
        try:
            return self._find(to, nonce, since, under)
        except NotDone as problem:
            if problem.word != _NOT_IN_CHANNEL or not self._joined(to.id):
                raise
            return self._find(to, nonce, since, under)

    # ------------------------------------------------------------ posting

    def _post(self, to: Destination, message: Message, nonce: str, under: Posted | None) -> Posted:
        answer = ask(
            self._client.chat_postMessage,
            "channel",
            "ts",
            channel=to.id,
            text=text_of(message),
            blocks=blocks_of(message) or None,
            thread_ts=under.id if under else None,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}} if nonce else None,
            unfurl_links=False,
            unfurl_media=False,
        )
        return _posted(str(answer["channel"]), str(answer["ts"]))

    def _joined(self, channel: str) -> bool:
        """A public channel can be joined, once; of a private one somebody has to invite us."""
        try:
            answer = ask(self._client.conversations_join, channel=channel)
        except NotDone as problem:
            log.warning("a channel cannot be joined", channel=channel, error=problem.word)
            return False
        return answer.get("warning") != "already_in_channel"

    # ------------------------------------------------------------ after a crash

    def _find(self, to: Destination, nonce: str, since: datetime, under: Posted | None) -> Posted | None:
        oldest = f"{(since - SEARCH_FROM).timestamp():.6f}"
        channel = self._channel_id(to)
        messages = self._since(channel, oldest, under.id if under else None)
        return next((_posted(channel, str(item["ts"])) for item in messages if _nonce(item) == nonce), None)

    def _since(self, channel: str, oldest: str, thread: str | None) -> list[Mapping[str, Any]]:
        """Messages of a channel or thread since then, with their metadata; a busy channel takes some pages."""
        found: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(SEARCH_PAGES_MAX):
            more: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "limit": 200,
                "include_all_metadata": True,
                "cursor": cursor or None,
            }
            answer = (
                ask(self._client.conversations_replies, "messages", ts=thread, **more)
                if thread
                else ask(self._client.conversations_history, "messages", **more)
            )
            found += [item for item in answer["messages"] if isinstance(item, Mapping) and item.get("ts")]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _channel_id(self, to: Destination) -> str:
        if to.kind is not Kind.PERSON:
            return to.id
        found = ask(self._client.conversations_open, "channel", users=[to.id])["channel"]
        return str(found["id"]) if isinstance(found, Mapping) else to.id


def _posted(channel: str, ts: str) -> Posted:
    """Slack's name for a message is the time at which it was posted."""
    return Posted(read_destination(channel), ts, datetime.fromtimestamp(float(ts), UTC))


def _nonce(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    nonce = payload.get("nonce") if isinstance(payload, Mapping) else None
    return str(nonce) if nonce else None
