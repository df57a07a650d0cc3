"""What somebody typed, as every chat hands it in: one line of text in which people are named so that nobody can be mistaken.

People stand in it as `<@ID|name>` or `<@ID>`, with the chat's own id; `&`, `<` and `>` are written as `&amp;`, `&lt;` and
`&gt;`, so that nobody can type such a name. Acts that wait for a worker are kept in this form. Those of an earlier version
hold Slack's other tokens, too (links, channels, groups), which read the same here.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_BROADCASTS = {"!channel": "@channel", "!here": "@here", "!everyone": "@everyone"}


def typed(text: str) -> str:
    """As it was meant to be read: names in place of tokens, characters in place of entities."""
    return unescape(TOKEN.sub(name_in, text))


def name_in(match: re.Match[str]) -> str:
    """What a token is called."""
    target, label = match[1], match[2]
    if target in _BROADCASTS:
        return _BROADCASTS[target]
    sign = {"@": "@", "#": "#"}.get(target[:1], "")
    if sign:
        return sign + (label or target[1:])
    if target.startswith(("http://", "https://")):
        return target
    return label or target.removeprefix("mailto:").removeprefix("!")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
