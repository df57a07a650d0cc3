"""Whom a message calls. Slack rings for `<!channel>`, `<!here>`, `<!everyone>`, `<@U...>` and `<!subteam^S...>`."""

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.model import Json

_MENTION = re.compile(r"<(?:(!channel|!here|!everyone)|@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+))(?:\|[^<>]*)?>")
_TYPED = re.compile(r"(?<!\S)@([a-z0-9._-]+)")
_BROADCASTS = frozenset({"channel", "here", "everyone"})


def mentions(text: str, blocks: list[Json], *, link_names: bool = False) -> tuple[str, ...]:
    """Every mention in the order of reading, each once.

    Both the fallback `text` and the blocks count: a client shows one and reads out the other. `plain_text` objects
    ping nobody. With `link_names` (or `parse=full`) Slack also turns a typed `@channel` into a mention.
    """
    found = [name for source in (text, *_mrkdwn(blocks)) for name in _in_text(source)]
    found += list(_in_rich_text(blocks))
    if link_names:
        found += [f"!{name}" if name in _BROADCASTS else f"@{name}" for name in _TYPED.findall(text)]
    return tuple(dict.fromkeys(found))


def _in_text(text: str) -> Iterator[str]:
    for match in _MENTION.finditer(text):
        yield match[1] or match[2] or match[3]


def _mrkdwn(node: Any) -> Iterator[str]:
    """The text of every mrkdwn object, however deep. Confirm dialogs and menus are drawn, they ring nobody."""
    if isinstance(node, list):
        for item in node:
            yield from _mrkdwn(item)
    elif isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield node["text"]
        for key, value in node.items():
            if key not in ("confirm", "options", "option_groups"):
                yield from _mrkdwn(value)


def _in_rich_text(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _in_rich_text(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "broadcast":
            yield f"!{node.get('range')}"
        elif kind in ("user", "usergroup"):
            yield str(node.get("user_id") or node.get("usergroup_id"))
        yield from _in_rich_text(list(node.values()))
