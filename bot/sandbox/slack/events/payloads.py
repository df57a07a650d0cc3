"""The payloads that reach an app, in Slack's shapes (docs: reference/interaction-payloads, slash commands)."""

from typing import Any

from bot.sandbox.slack.model import Channel, Json, Message, User, View
from bot.sandbox.slack.workspace import Workspace


def command(ws: Workspace, user: User, channel: Channel, name: str, text: str) -> Json:
    """A slash command: a flat form."""
    app = ws.app
    return {
        "token": app.verification_token,
        # Of the workspace in which it is typed: nothing else says to which one the person belongs.
        "team_id": user.team_id if app.enterprise_id and user.enterprise_id == app.enterprise_id else app.team_id,
        "team_domain": app.team_domain,
        **({"enterprise_id": app.enterprise_id, "enterprise_name": app.enterprise_name} if app.enterprise_id else {}),
        "channel_id": channel.id,
        "channel_name": channel.name_in_payload,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": app.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(ws, user, channel),
        "trigger_id": ws.triggers.issue(user.id),
    }


def response_url(ws: Workspace, user: User, channel: Channel, message: Message | None = None) -> str:
    ts, thread = (message.ts, message.thread_ts) if message else (None, None)
    return f"{ws.base_url}/response/{ws.response_urls.issue(user.id, channel.id, ts, thread)}"


def _common(ws: Workspace, kind: str, user: User) -> Json:
    app = ws.app
    return {
        "type": kind,
        "team": {"id": app.team_id, "domain": app.team_domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": app.app_id,
        "token": app.verification_token,
        "enterprise": {"id": app.enterprise_id, "name": app.enterprise_name} if app.enterprise_id else None,
        "is_enterprise_install": False,
    }


def in_message(ws: Workspace, kind: str, user: User, message: Message) -> Json:
    """`block_actions` or `block_suggestion` from a message. An ephemeral one is not sent along, only pointed at."""
    channel = ws.channel(message.channel)
    ephemeral = message.ephemeral_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return (
        _common(ws, kind, user)
        | {"container": container, "channel": {"id": channel.id, "name": channel.name_in_payload}}
        | ({} if ephemeral else {"message": message.to_json()})
        | {"state": {"values": message.state}}
    )


def in_view(ws: Workspace, kind: str, user: User, view: View) -> Json:
    """`block_actions`, `block_suggestion`, `view_submission` or `view_closed`."""
    payload = _common(ws, kind, user) | {"view": view.to_json()}
    if kind in ("block_actions", "block_suggestion"):
        payload["container"] = {"type": "view", "view_id": view.id}
    return payload


def view_trigger(ws: Workspace, user: User, view: View) -> str:
    """A trigger from a modal may push onto its stack; one from a home may only open."""
    return ws.triggers.issue(user.id, view.root_id if view.type == "modal" else None)


def action(ws: Workspace, block: Json, element: Json, value: Json) -> Json:
    """One entry of `actions`."""
    shown = {key: element[key] for key in ("text", "value", "style", "placeholder", "url") if key in element}
    identity: dict[str, Any] = {"action_id": element["action_id"], "block_id": block["block_id"]}
    return identity | shown | {"type": element["type"]} | value | {"action_ts": ws.next_ts()}


def shortcut(ws: Workspace, user: User, callback_id: str) -> Json:
    """A global shortcut: no channel, no response_url."""
    return _common(ws, "shortcut", user) | {
        "callback_id": callback_id,
        "trigger_id": ws.triggers.issue(user.id),
        "action_ts": ws.next_ts(),
    }


def message_shortcut(ws: Workspace, user: User, callback_id: str, message: Message) -> Json:
    channel = ws.channel(message.channel)
    return _common(ws, "message_action", user) | {
        "callback_id": callback_id,
        "trigger_id": ws.triggers.issue(user.id),
        "response_url": response_url(ws, user, channel, message),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name_in_payload},
        "message": message.to_json(),
        "action_ts": ws.next_ts(),
    }


def home_opened(ws: Workspace, user: User, home: View | None, tab: str) -> Json:
    channel = ws.direct(ws.app.bot_user_id, user.id)
    event = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab, "event_ts": ws.next_ts()}
    return event | ({"view": home.to_json()} if home else {})
