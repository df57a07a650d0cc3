"""`chat.*`: what the bot writes."""

from typing import Any

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import method
from bot.sandbox.slack.blockkit.limits import (
    MESSAGE_TEXT_MAX,
    METADATA_BYTES_MAX,
    UPDATE_TEXT_MAX,
    check_blocks,
    completed,
)
from bot.sandbox.slack.blockkit.values import initial_state
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Channel, Json, Message
from bot.sandbox.slack.workspace import Workspace


def checked_blocks(arguments: Arguments) -> list[Json] | None:
    """The blocks of a call, None where there are none. Raise `invalid_blocks_format`, `invalid_blocks`."""
    blocks = arguments.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    check_blocks(blocks)
    return blocks


def checked_metadata(arguments: Arguments) -> Json | None:
    """Raise `invalid_metadata_format`, `metadata_too_large`. `{}` takes metadata away in an update."""
    metadata: Any = arguments.structure("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return metadata or None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    if len(repr(metadata)) > METADATA_BYTES_MAX:
        raise ApiError("metadata_too_large")
    return metadata


def checked_text(arguments: Arguments, blocks: list[Json] | None, most: int) -> str:
    """Raise `no_text` where there is nothing to show, `msg_too_long`."""
    text = arguments.text("text") or ""
    if not text and not blocks and not arguments.structure("attachments", "invalid_attachments"):
        raise ApiError("no_text")
    if len(text) > most:
        raise ApiError("msg_too_long")
    return text


def writable(ws: Workspace, target: str, *, as_member: bool = False) -> Channel:
    """The conversation to write in. A user's id means the direct messages with them.

    Raise `channel_not_found` (also for a private channel that the bot is not in), `is_archived`, `not_in_channel`,
    `user_not_found`, `user_disabled`, `cannot_dm_bot`.
    """
    if target in ws.users:
        return _direct(ws, target)
    channel = ws.channel(target)
    inside = ws.app.bot_user_id in channel.members
    if not inside and (channel.is_private or channel.is_im):
        raise ApiError("channel_not_found")
    if channel.is_archived:
        raise ApiError("is_archived")
    if not inside and (as_member or not ws.app.chat_write_public):
        raise ApiError("not_in_channel")
    if channel.refuses:
        raise ApiError(channel.refuses)
    return channel


def _direct(ws: Workspace, user_id: str) -> Channel:
    user = ws.user(user_id)
    if user.deleted:
        raise ApiError("user_disabled")
    if user.is_bot:
        raise ApiError("cannot_dm_bot")
    return ws.direct(ws.app.bot_user_id, user_id)


def by_bot(ws: Workspace, channel: Channel, text: str, blocks: list[Json] | None, thread_ts: str | None) -> Message:
    """A message of the bot's that has not been posted yet."""
    complete = completed(blocks or [], ws.new_id)
    app = ws.app
    message = Message(ws.next_ts(), channel.id, app.bot_user_id, text, complete, bot_id=app.bot_id, app_id=app.app_id)
    message.thread_ts = thread_ts
    message.state = initial_state(complete)
    return message


def thread_of(channel: Channel, arguments: Arguments) -> str | None:
    """Raise `thread_not_found` unless it is the ts of a message that stands in the channel itself.

    Raise `cannot_reply_to_message` where that was deleted, `restricted_action_thread_locked` where an administrator locked
    it. Slack warns "avoid using a reply's ts value; use its parent instead": here that is refused, to be noticed.
    """
    thread_ts = arguments.text("thread_ts")
    if thread_ts is None:
        return None
    root = channel.messages.get(thread_ts)
    if root is None or root.is_reply:
        raise ApiError("thread_not_found")
    if root.deleted:
        raise ApiError("cannot_reply_to_message")
    if thread_ts in channel.locked_threads:
        raise ApiError("restricted_action_thread_locked")
    return thread_ts


@method("chat.postMessage", per_minute=600, scope="chat:write")
def post_message(ws: Workspace, arguments: Arguments) -> Json:
    channel = writable(ws, arguments.needed("channel"))
    blocks = checked_blocks(arguments)
    text = checked_text(arguments, blocks, MESSAGE_TEXT_MAX)
    message = by_bot(ws, channel, text, blocks, thread_of(channel, arguments))
    message.metadata = checked_metadata(arguments)
    message.attachments = arguments.structure("attachments", "invalid_attachments") or []
    message.broadcast = arguments.flag("reply_broadcast")
    ws.post(message, link_names=_links_names(arguments))
    return {"channel": channel.id, "ts": message.ts, "message": message.to_json()}


def _links_names(arguments: Arguments) -> bool:
    return arguments.flag("link_names") or arguments.text("parse") == "full"


@method("chat.postEphemeral", per_minute=100, scope="chat:write")
def post_ephemeral(ws: Workspace, arguments: Arguments) -> Json:
    channel = writable(ws, arguments.needed("channel"), as_member=True)
    user = arguments.needed("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    blocks = checked_blocks(arguments)
    text = checked_text(arguments, blocks, MESSAGE_TEXT_MAX)
    message = by_bot(ws, channel, text, blocks, thread_of(channel, arguments))
    message.ephemeral_to = user
    ws.post(message, link_names=_links_names(arguments))
    return {"message_ts": message.ts}


@method("chat.update", scope="chat:write")
def update(ws: Workspace, arguments: Arguments) -> Json:
    """Docs: text without blocks takes the blocks away; blocks without text keep the text; "edited" shows for text only."""
    message = _own(ws, arguments, "cant_update_message")
    blocks = checked_blocks(arguments)
    text = checked_text(arguments, blocks, UPDATE_TEXT_MAX)
    change(ws, message, text if "text" in arguments else None, blocks)
    if "metadata" in arguments:
        message.metadata = checked_metadata(arguments)
    answer = {"channel": message.channel, "ts": message.ts, "text": message.text}
    return answer | {"message": message.to_json()}


def change(ws: Workspace, message: Message, text: str | None, blocks: list[Json] | None) -> None:
    """Edit a message in place. Slack rings nobody for a mention that an edit brings in."""
    if text is not None:
        message.text = text
    if blocks is not None or text is not None:
        message.blocks = completed(blocks or [], ws.new_id)
        message.state = initial_state(message.blocks, message.state)
    if not blocks:
        message.edited = {"user": ws.app.bot_user_id, "ts": ws.next_ts()}


def _own(ws: Workspace, arguments: Arguments, refusal: str) -> Message:
    """The bot's message at channel and ts. Raise `channel_not_found`, `message_not_found`, or the refusal."""
    target = arguments.needed("channel")
    channel = ws.channel(target)
    message = ws.message(channel.id, arguments.needed("ts"))
    if message.user != ws.app.bot_user_id:
        raise ApiError(refusal)
    if channel.is_archived:
        raise ApiError("is_archived" if refusal == "cant_update_message" else refusal)
    return message


@method("chat.delete", scope="chat:write")
def delete(ws: Workspace, arguments: Arguments) -> Json:
    message = _own(ws, arguments, "cant_delete_message")
    message.deleted = True
    return {"channel": message.channel, "ts": message.ts}


@method("chat.getPermalink", per_minute=600)
def get_permalink(ws: Workspace, arguments: Arguments) -> Json:
    channel, ts = arguments.needed("channel"), arguments.needed("message_ts")
    message = ws.message(channel, ts)
    link = f"https://{ws.app.team_domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel}"
    return {"channel": channel, "permalink": link}
