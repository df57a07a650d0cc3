"""What is no activity of ours is turned away here, by its shape alone: before any key is looked for or signature computed.

The names are those of "Bot Framework - Activity" and of "Conversation events in your Teams bot" (learn.microsoft.com).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from bot.directory.one_answer import may_carry_secrets

# Teams' own messages are at most 100 KB ("Limits and specifications for Microsoft Teams"); a form with all its fields is less.
BODY_BYTES_MAX = 1_000_000
MESSAGE, INVOKE = "message", "invoke"
INSTALLATION, CONVERSATION = "installationUpdate", "conversationUpdate"
# A press on Action.Execute.
CARD_ACTION = "adaptiveCard/action"
PERSONAL, CHANNEL, GROUP_CHAT = "personal", "channel", "groupChat"
_ACTS = frozenset({MESSAGE, INVOKE})
# What tells nothing but that a conversation is there, or no longer.
_NEWS = frozenset({INSTALLATION, CONVERSATION, "messageReaction", "messageUpdate", "messageDelete"})
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HALF = re.compile("[\ud800-\udfff]")
# Ids stand in addresses and in the names of records.
# Dots alone would be a way up in them.
ID_LENGTH_MAX = 400
_ID = re.compile(rf"(?!\.+$)[\x21-\x7e]{{1,{ID_LENGTH_MAX}}}")
_ODD_IN_A_PATH = re.compile(r"[^\x21-\x7e]|[\\@?#]|%2e|%2f|%5c|/\.{1,2}(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`status`: of the answer, which is empty. `why`: for the log; nothing of the sender's stands in it."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Expected:
    """`service_urls`: each https (http on this machine), ending with a slash; see `is_listed`."""

    app_id: str
    tenant: str
    service_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """What came in, as far as anybody reads it. Ids that may be missing are empty then.

    `user`: the sender's object id in the directory; `user_address`: the `29:` id, which is an address and no identity. `bot`:
    how we are called in this conversation. `conversation`: without the message that it may name, which is `thread`. `value`: of
    an invoke. `reply_to`: the message whose button was pressed.
    """

    type: str
    id: str
    name: str
    service_url: str
    tenant: str
    conversation: str
    thread: str
    kind: str
    user: str
    user_address: str
    user_name: str
    bot: str
    text: str
    entities: tuple[Mapping[str, Any], ...]
    value: Mapping[str, Any]
    reply_to: str
    team: str
    channel_name: str
    # The sender's own clock, by its IANA name.
    time_zone: str
    # Of news: what has happened, in Teams' word, and the ids that came or went.
    event: str
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def acts(self) -> bool:
        """Whether somebody wants something: a message, or a press."""
        return self.type in _ACTS

    @property
    def is_known(self) -> bool:
        return self.type == MESSAGE or self.type in _NEWS or (self.type == INVOKE and self.name == CARD_ACTION)


def read(body: bytes, expected: Expected) -> Activity | Refusal:
    """The activity, or why it is none. Whoever sent it is not proved yet."""
    if len(body) > BODY_BYTES_MAX:
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
    try:
        found = json.loads(body)
        found = _whole(found) if b"\\ud" in body.lower() else found
    except (ValueError, RecursionError):
        return Refusal(HTTPStatus.BAD_REQUEST, "the body is not JSON")
    if not isinstance(found, dict):
        return Refusal(HTTPStatus.BAD_REQUEST, "the body is not an object")
    activity = _activity(found)
    wrong = _wrong(found, activity, expected)
    return Refusal(*wrong) if wrong is not None else activity


def _whole(found: Any) -> Any:
    """Half a character, which JSON can carry, could be stored, drawn or answered nowhere. Raises RecursionError."""
    text = json.dumps(found, ensure_ascii=False)
    return json.loads(_HALF.sub("\N{REPLACEMENT CHARACTER}", text)) if _HALF.search(text) else found


def is_listed(url: str, listed: tuple[str, ...]) -> bool:
    """Whether our token may be sent there: scheme, host and port equal to those of one on the list, under its path."""
    if _ODD_IN_A_PATH.search(url) or not may_carry_secrets(url):
        return False
    try:
        where = _origin(url)
        return any(where == _origin(each) and _folder(url).startswith(_folder(each)) for each in listed)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _folder(url: str) -> str:
    return urlsplit(url).path.rstrip("/") + "/"


# ---------------------------------------------------------------- what is wrong with it


def _wrong(found: dict[str, Any], activity: Activity, expected: Expected) -> tuple[int, str] | None:
    if "service_url" in found or not is_listed(activity.service_url, expected.service_urls):
        return HTTPStatus.FORBIDDEN, "its serviceUrl is not on the list"
    if found.get("channelId") != "msteams":
        return HTTPStatus.FORBIDDEN, "it is not of Teams"
    if not _is_of_tenant(found, activity, expected.tenant):
        return HTTPStatus.FORBIDDEN, "it is of another tenant"
    if activity.acts and not (activity.user_address and activity.user and activity.id and activity.conversation):
        return HTTPStatus.BAD_REQUEST, "it does not say who acts, and where"
    return None


def _is_of_tenant(found: dict[str, Any], activity: Activity, tenant: str) -> bool:
    """An act says it twice. News of a channel may leave it out of the conversation."""
    told = _text(_part(_part(found, "channelData"), "tenant").get("id")).lower()
    again = _text(_part(found, "conversation").get("tenantId")).lower()
    return told == tenant and (again == tenant or (again == "" and not activity.acts))


# ---------------------------------------------------------------- reading


def _activity(found: dict[str, Any]) -> Activity:
    sender, recipient, data = _part(found, "from"), _part(found, "recipient"), _part(found, "channelData")
    talk = _part(found, "conversation")
    id_, _, thread = _id(talk.get("id")).partition(";messageid=")
    kind = _text(talk.get("conversationType"))
    return Activity(
        type=_text(found.get("type")),
        id=_id(found.get("id")),
        name=_text(found.get("name")),
        service_url=_text(found.get("serviceUrl")),
        tenant=_text(_part(data, "tenant").get("id")).lower(),
        conversation=id_,
        thread=thread,
        kind=kind if kind in (PERSONAL, CHANNEL, GROUP_CHAT) else kind_of(id_),
        user=_guid(sender.get("aadObjectId")),
        user_address=_id(sender.get("id")),
        user_name=_text(sender.get("name"))[:200],
        bot=_id(recipient.get("id")),
        text=_text(found.get("text")),
        entities=tuple(each for each in _items(found.get("entities")) if isinstance(each, dict)),
        value=_part(found, "value"),
        reply_to=_id(found.get("replyToId")),
        team=_id(_part(data, "team").get("id")),
        channel_name=_text(_part(data, "channel").get("name"))[:200],
        time_zone=_text(found.get("localTimezone"))[:80],
        event=_text(data.get("eventType")) or _text(found.get("action")),
        added=_ids(found.get("membersAdded")),
        removed=_ids(found.get("membersRemoved")),
    )


def kind_of(conversation: str) -> str:
    """By its id, where nobody says: what is not certainly one person's own is read by several."""
    if conversation.startswith("a:"):
        return PERSONAL
    return CHANNEL if conversation.endswith(("@thread.tacv2", "@thread.skype")) else GROUP_CHAT


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _guid(value: object) -> str:
    found = _text(value).lower()
    return found if _GUID.fullmatch(found) else ""


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _ids(value: object) -> tuple[str, ...]:
    return tuple(filter(None, (_id(each.get("id")) for each in _items(value) if isinstance(each, dict))))
