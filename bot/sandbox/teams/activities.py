"""What Teams sends to a bot, as JSON: the shapes of "Activity" and "Conversation events", learn.microsoft.com."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.sandbox.clock import system_clock
from bot.sandbox.teams.login import ISSUER, Keys, sign
from bot.sandbox.teams.people import Conversation, Json, Message, Person
from bot.sandbox.teams.world import BOT_NAME, World, as_bot

MENTION = re.compile(r"<at>(.*?)</at>")
TOKEN_LIFE_S = 3600


def usual(world: World, service_url: str, person: Person, to: Conversation, root: str | None = None) -> Json:
    """What every activity of somebody in a conversation has. `root`: of the thread, in a channel."""
    at = datetime.fromtimestamp(world.clock(), UTC)
    local = at.astimezone(ZoneInfo(person.timezone))
    return {
        "channelId": "msteams",
        "serviceUrl": service_url,
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "localTimestamp": local.isoformat(timespec="milliseconds"),
        "localTimezone": person.timezone,
        "locale": person.locale,
        "from": person.as_account(),
        "recipient": as_bot(world),
        "conversation": _conversation(to, root),
        "channelData": _channel_data(to),
        "entities": [
            {
                "type": "clientInfo",
                "locale": person.locale,
                "country": person.locale[-2:],
                "platform": "Web",
                "timezone": person.timezone,
            }
        ],
    }


def _conversation(to: Conversation, root: str | None) -> Json:
    said: Json = {"conversationType": to.kind, "tenantId": to.tenant, "id": to.id}
    if to.kind == "channel":
        said |= {"isGroup": True, "id": f"{to.id};messageid={root}" if root else to.id}
    elif to.kind == "groupChat":
        said |= {"isGroup": True}
    return said


def _channel_data(to: Conversation) -> Json:
    said: Json = {"tenant": {"id": to.tenant}}
    if to.kind == "channel":
        said |= {
            "teamsChannelId": to.id,
            "teamsTeamId": to.team,
            "channel": {"id": to.id},
            "team": {"id": to.team},
            "settings": {"selectedChannel": {"id": to.id}},
        }
    return said


def message(world: World, service_url: str, person: Person, to: Conversation, said: Message) -> Json:
    """Something typed; `<at>NAME</at>` of the bot or of a member is a mention."""
    activity = usual(world, service_url, person, to, said.root or said.id)
    mentions = [mention for name in MENTION.findall(said.text) if (mention := _mention(world, to, name))]
    return activity | {
        "type": "message",
        "id": said.id,
        "textFormat": "plain",
        "text": said.text,
        "attachments": [{"contentType": "text/html", "content": f"<p>{said.text}</p>"}],
        "entities": [*mentions, *activity["entities"]],
    }


def _mention(world: World, to: Conversation, name: str) -> Json | None:
    whom = as_bot(world) if name == BOT_NAME else None
    for aad in to.members:
        member = world.people[aad]
        if whom is None and member.name == name:
            whom = {"id": member.teams_id, "name": member.name}
    return {"type": "mention", "mentioned": whom, "text": f"<at>{name}</at>"} if whom else None


def invoke(world: World, service_url: str, person: Person, to: Conversation, on: Message, action: Json) -> Json:
    """A press of an Action.Execute. `action`: with `verb` and `data`, the inputs merged in."""
    activity = usual(world, service_url, person, to, on.root or on.id)
    return activity | {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "id": f"f:{uuid.uuid4()}",
        "replyToId": on.id,
        "value": {"action": {"type": "Action.Execute", **action}, "trigger": "manual"},
    }


def submit(world: World, service_url: str, person: Person, to: Conversation, on: Message, data: Json) -> Json:
    """A press of an Action.Submit: a message without words."""
    activity = usual(world, service_url, person, to, on.root or on.id)
    said = {"type": "message", "id": f"f:{uuid.uuid4()}", "replyToId": on.id, "value": data}
    return activity | said


def installation(world: World, service_url: str, person: Person, to: Conversation, action: str) -> Json:
    """`action`: `add`, `remove`, `add-upgrade`, `remove-upgrade`."""
    activity = usual(world, service_url, person, to)
    return activity | {"type": "installationUpdate", "action": action, "id": f"f:{uuid.uuid4()}"}


def update(world: World, service_url: str, person: Person, to: Conversation, **what: Any) -> Json:
    """A `conversationUpdate`: `membersAdded=[...]`, `membersRemoved=[...]`, `event="channelRenamed"`."""
    activity = usual(world, service_url, person, to)
    event = what.pop("event", None)
    if to.kind == "channel":
        named = {"team": {"id": to.team, "name": to.team_name}, "channel": {"id": to.id, "name": to.name}}
        activity["channelData"] |= named | ({"eventType": event} if event else {})
    return activity | {"type": "conversationUpdate", "id": f"f:{uuid.uuid4()}", **what}


def token(world: World, keys: Keys, service_url: str, **claims: Any) -> str:
    """What Teams puts into the Authorization header. `claims`: in place of the usual ones; None leaves one out.

    Real time, whatever the world's clock says: the bot compares it with its own.
    """
    now = int(system_clock())
    usual_ones = {
        "iss": ISSUER,
        "aud": world.app_id,
        "serviceurl": service_url,
        "nbf": now,
        "iat": now,
        "exp": now + TOKEN_LIFE_S,
    }
    said = {name: value for name, value in (usual_ones | claims).items() if value is not None}
    return sign(said, keys.names[-1])
