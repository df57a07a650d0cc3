"""`conversations.*`: where things are written, and reading them back."""

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import method, page
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Channel, Json, Message
from bot.sandbox.slack.workspace import Workspace

_KINDS = frozenset({"public_channel", "private_channel", "im", "mpim"})


def kind_of(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def visible(ws: Workspace, channel_id: str) -> Channel:
    """Raise `channel_not_found`, also for private conversations that the bot is not in."""
    channel = ws.channel(channel_id)
    if kind_of(channel) != "public_channel" and ws.app.bot_user_id not in channel.members:
        raise ApiError("channel_not_found")
    return channel


def _readable(ws: Workspace, arguments: Arguments) -> Channel:
    channel = visible(ws, arguments.needed("channel"))
    if ws.app.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    needed = _HISTORY[kind_of(channel)]
    if needed not in ws.app.scopes:
        raise ApiError("missing_scope", extra={"needed": needed, "provided": ",".join(sorted(ws.app.scopes))})
    return channel


_HISTORY = {"im": "im:history", "private_channel": "groups:history", "public_channel": "channels:history"}


@method("conversations.join", scope="channels:join")
def join(ws: Workspace, arguments: Arguments) -> Json:
    """Docs: public channels only; who is in it already gets a warning and no error."""
    channel = ws.channel(arguments.needed("channel"))
    if kind_of(channel) != "public_channel":
        raise ApiError("method_not_supported_for_channel_type" if channel.is_im else "channel_not_found")
    if channel.is_archived:
        raise ApiError("is_archived")
    bot, answer = ws.app.bot_user_id, {"channel": channel.to_json(bot_user=ws.app.bot_user_id)}
    if bot in channel.members:
        return answer | {"warning": "already_in_channel"}
    channel.members.append(bot)
    return answer


@method("conversations.open", scope="im:write")
def open_direct(ws: Workspace, arguments: Arguments) -> Json:
    users = [name for name in arguments.needed("users").split(",") if name]
    if len(users) != 1:
        raise ApiError("method_not_supported_for_channel_type")
    user = ws.user(users[0])
    if user.deleted:
        raise ApiError("user_disabled")
    known = {channel.id for channel in ws.channels.values()}
    channel = ws.direct(ws.app.bot_user_id, user.id)
    full = channel.to_json(bot_user=ws.app.bot_user_id)
    return {
        "no_op": channel.id in known,
        "already_open": channel.id in known,
        "channel": full if arguments.flag("return_im") else {"id": channel.id},
    }


@method("conversations.info", scope="channels:read")
def info(ws: Workspace, arguments: Arguments) -> Json:
    channel = visible(ws, arguments.needed("channel"))
    answer = channel.to_json(bot_user=ws.app.bot_user_id)
    if not arguments.flag("include_num_members"):
        answer.pop("num_members", None)
    return {"channel": answer}


@method("conversations.list", per_minute=20, scope="channels:read")
def list_channels(ws: Workspace, arguments: Arguments) -> Json:
    kinds = set((arguments.text("types") or "public_channel").split(","))
    if not kinds <= _KINDS:
        raise ApiError("invalid_types")
    bot = ws.app.bot_user_id
    seen = [
        c for c in ws.channels.values() if kind_of(c) in kinds and (kind_of(c) == "public_channel" or bot in c.members)
    ]
    if arguments.flag("exclude_archived"):
        seen = [channel for channel in seen if not channel.is_archived]
    part, cursor = page(seen, arguments)
    return {"channels": [c.to_json(bot_user=bot) for c in part], "response_metadata": {"next_cursor": cursor}}


@method("conversations.members", per_minute=100, scope="channels:read")
def members(ws: Workspace, arguments: Arguments) -> Json:
    channel = visible(ws, arguments.needed("channel"))
    part, cursor = page(channel.members, arguments)
    return {"members": part, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history")
def history(ws: Workspace, arguments: Arguments) -> Json:
    """Newest first, without replies (unless also sent to the channel) and without what only one person saw."""
    channel = _readable(ws, arguments)
    posts = [m for m in channel.messages.values() if not m.deleted and (not m.is_reply or m.broadcast)]
    chosen = _between(sorted(posts, key=lambda m: float(m.ts), reverse=True), arguments)
    return _messages(channel, chosen, arguments)


@method("conversations.replies")
def replies(ws: Workspace, arguments: Arguments) -> Json:
    """The root, then its replies, oldest first. Raise `thread_not_found`."""
    channel = _readable(ws, arguments)
    root = channel.messages.get(arguments.needed("ts"))
    if root is None or root.deleted:
        raise ApiError("thread_not_found")
    thread = channel.thread(root.thread_ts or root.ts)
    return _messages(channel, [root, *_between(thread, arguments)], arguments)


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = _moment(arguments, "oldest", "0"), _moment(arguments, "latest", "inf")
    if arguments.flag("inclusive"):
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


def _moment(arguments: Arguments, name: str, default: str) -> float:
    """Raise `invalid_ts_oldest`, `invalid_ts_latest`."""
    try:
        return float(arguments.text(name) or default)
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _messages(channel: Channel, chosen: list[Message], arguments: Arguments) -> Json:
    part, cursor = page(chosen, arguments, most=999)
    with_metadata = arguments.flag("include_all_metadata")
    answer: Json = {
        "messages": [_listed(channel, message, with_metadata) for message in part],
        "has_more": bool(cursor),
        "pin_count": 0,
    }
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _listed(channel: Channel, message: Message, with_metadata: bool) -> Json:
    answer = message.to_json(with_metadata=with_metadata)
    thread = channel.thread(message.ts)
    if message.is_reply:
        answer["parent_user_id"] = channel.messages[str(message.thread_ts)].user
    elif thread:
        users = list(dict.fromkeys(reply.user for reply in thread))
        answer |= {
            "reply_count": len(thread),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": thread[-1].ts,
        }
    return answer
