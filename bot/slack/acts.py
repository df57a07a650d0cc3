"""Reads what people did out of Slack's payloads. Who acted is in the signed payload, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.chat.forms.request import Where
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.slack.mrkdwn import read_typed
from workflows.core.identity import SLACK, Account

Body = Mapping[str, Any]


def typed(body: Body) -> Interaction:
    return Interaction(
        id=f"command:{body['trigger_id']}",
        kind=COMMAND,
        who=Account(SLACK, str(body["team_id"]), str(body["user_id"])),
        text=read_typed(str(body.get("text") or "")[:10_000]),
        channel=str(body.get("channel_id") or ""),
        channel_name=str(body.get("channel_name") or ""),
        response_url=str(body.get("response_url") or ""),
    )


def pressed(body: Body) -> Interaction:
    """A button, or a choice of a menu. The clicked element names itself."""
    action = body["actions"][0]
    chosen = action.get("selected_option") or {}
    channel = body.get("channel") or {}
    who = actor(body)
    return Interaction(
        id=f"press:{who.tenant}:{who.user}:{action['action_id']}:{action['action_ts']}:{body['trigger_id']}",
        kind=PRESS,
        who=who,
        action=str(action["action_id"]),
        value=str(action.get("value") or chosen.get("value") or ""),
        channel=str(channel.get("id") or ""),
        channel_name=str(channel.get("name") or ""),
        response_url=str(body.get("response_url") or ""),
    )


def pressed_message(body: Body) -> str:
    """The id of the message with the button; empty where there is none, or the actor alone sees it."""
    if (body.get("container") or {}).get("is_ephemeral"):
        return ""
    return str((body.get("message") or {}).get("ts") or "")


def sent(body: Body, kind: str, fields: dict[str, str], where: Where) -> Interaction:
    view = body["view"]
    return Interaction(
        # A form that was refused and corrected is sent again under the same id: what was taken is not taken twice.
        id=f"view:{view['id']}",
        kind=kind,
        who=actor(body),
        fields=fields,
        channel=where.channel,
        channel_name=where.channel_name,
        thread_ts=where.thread_ts,
    )


def by_shortcut(body: Body) -> tuple[Interaction, Where]:
    channel = body.get("channel") or {}
    message = body.get("message") or {}
    thread = message.get("thread_ts") or message.get("ts")
    where = Where(str(channel.get("id", "")), str(channel.get("name", "")), str(thread) if thread else None)
    act = Interaction(
        id=f"shortcut:{body['trigger_id']}",
        kind=PRESS,
        who=actor(body),
        channel=where.channel,
        response_url=str(body.get("response_url") or ""),
    )
    return act, where


def actor(body: Body) -> Account:
    """In the actor's own team: somebody of another organisation in a shared channel has another one than the channel."""
    team = str((body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id") or "")
    return Account(SLACK, team, str(body["user"]["id"]))
