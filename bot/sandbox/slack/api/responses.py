"""What the app says back: in the acknowledgement of a command, or later at a response_url."""

from typing import Any

from bot.sandbox.slack.api import chat
from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.blockkit.limits import MESSAGE_TEXT_MAX, check_blocks
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json, Message
from bot.sandbox.slack.triggers import ResponseUrl
from bot.sandbox.slack.workspace import Workspace

HTTP_STATUS = {"invalid_url": 404, "expired_url": 404, "used_url": 404}
"""Of a refused use of a response_url; anything else is 400. The body is the bare error, as text."""


def command_answer(ws: Workspace, user: str, channel: str, body: Json | str | None) -> None:
    """What a command's acknowledgement says. Raise ApiError for what Slack calls `invalid_command_response`."""
    if body is None or body == {}:
        return
    with ws.lock:
        _say(ws, ResponseUrl("", user, channel, 0.0), Arguments({"text": body} if isinstance(body, str) else body))


def at_url(ws: Workspace, token: str, body: Any) -> None:
    """One use of a response_url. Raise ApiError: `used_url`, `expired_url`, `invalid_payload`, `no_text`...

    `replace_original` and `delete_original` mean the message that was pressed; a command has none, so its answers are
    always new messages (slackapi/bolt-python#1268). A replaced message stays as public or private as it was.
    """
    with ws.lock:
        url = ws.response_urls.use(token)
        if not isinstance(body, dict):
            raise ApiError("invalid_payload")
        arguments = Arguments(body)
        original = _original(ws, url)
        if arguments.flag("delete_original"):
            _delete(ws, original)
        elif arguments.flag("replace_original") and original is not None:
            blocks = _blocks(arguments)
            chat.change(ws, original, chat.checked_text(arguments, blocks, MESSAGE_TEXT_MAX), blocks)
        else:
            _say(ws, url, arguments)
        ws.touch()


def _original(ws: Workspace, url: ResponseUrl) -> Message | None:
    channel = ws.channel(url.channel)
    mine = [m for m in channel.ephemerals if m.ts == url.message_ts and m.ephemeral_to == url.user]
    candidates = [*mine, *(m for m in [channel.messages.get(url.message_ts or "")] if m is not None)]
    return next((message for message in candidates if not message.deleted), None)


def _delete(ws: Workspace, original: Message | None) -> None:
    if original is None:
        raise ApiError("message_not_found")
    original.deleted = True
    ephemerals = ws.channel(original.channel).ephemerals
    ephemerals[:] = [message for message in ephemerals if message is not original]


def _blocks(arguments: Arguments) -> list[Json] | None:
    blocks: list[Json] | None = arguments.structure("blocks", "invalid_blocks_format")
    if blocks is not None:
        check_blocks(blocks, weigh=False)
    return blocks


def _say(ws: Workspace, url: ResponseUrl, arguments: Arguments) -> None:
    channel = ws.channel(url.channel)
    blocks = _blocks(arguments)
    text = chat.checked_text(arguments, blocks, MESSAGE_TEXT_MAX)
    message = chat.by_bot(ws, channel, text, blocks, chat.thread_of(channel, arguments))
    if arguments.text("response_type") != "in_channel":
        message.ephemeral_to = url.user
    ws.post(message)
