"""Text for Slack. The one place where what people wrote is escaped, cut and made harmless."""

from __future__ import annotations

import re
from datetime import datetime

from bot.chat.commands.typed import TOKEN, name_in
from bot.chat.text import clock, cut, far, one_line
from bot.chat.wording.labels import Exactly, Moment

# Slack's limits in characters, from docs.slack.dev/reference/block-kit.
SECTION_LENGTH_MAX = 3000
FIELD_LENGTH_MAX = 2000
CONTEXT_LENGTH_MAX = 2000
# chat.update takes 4,000 where chat.postMessage takes 40,000.
FALLBACK_LENGTH_MAX = 2900

# ---------------------------------------------------------------- escaping


def escape(text: str) -> str:
    """For mrkdwn: only these three steer Slack's parser into mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str, length_max: int = 300) -> str:
    """What somebody wrote, in a line of mrkdwn: escaped, on one line, cut, and formatting nothing.

    Slack has no escape for its formatting characters, so look-alikes stand in for those that would format.
    """
    plain = cut(one_line(text), length_max)
    for sign, alike in _LOOKALIKES:
        plain = plain.replace(sign, alike)
    return escape(_EDGE_UNDERSCORE.sub("ˍ", plain))


_LOOKALIKES = (("`", "ˋ"), ("*", "∗"), ("~", "∼"))
# Inside a word Slack leaves an underscore alone: `some_name` stays as it is.
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def plain(text: str, length_max: int, otherwise: str = "–") -> str:
    """For plain_text objects, which parse nothing; Slack refuses empty ones."""
    return cut(one_line(text), length_max) or otherwise


def cut_mrkdwn(text: str, length_max: int) -> str:
    """Cut text that is escaped already, never inside a token or an entity."""
    if len(text) <= length_max:
        return text
    head = text[: length_max - 1]
    if head.rfind("<") > head.rfind(">"):
        head = head[: head.rfind("<")]
    ampersand = head.rfind("&")
    if ampersand > head.rfind(";") and ampersand >= len(head) - 5:
        head = head[:ampersand]
    return head + "…"


# ---------------------------------------------------------------- time


def when(moment: Moment, reference: datetime, *, with_day: bool = False) -> str:
    """The reader's own clock; the day, too, where it is far from `reference`. Clients that know no tokens see UTC.

    `reference` is a time of the record for what is over, so that a card that is done never changes again.
    """
    at, time = (moment.at, "{time_secs}") if isinstance(moment, Exactly) else (moment, "{time}")
    token = f"{{date_short_pretty}}, {time}" if with_day or far(moment, reference) else time
    return f"<!date^{int(at.timestamp())}^{token}|{clock(moment, reference, with_day=with_day)}>"


# ---------------------------------------------------------------- people


def mention(slack_id: str) -> str:
    """Calls one person (`U...`, `W...`) or one user group (`S...`)."""
    return f"<!subteam^{slack_id}>" if slack_id.startswith("S") else f"<@{slack_id}>"


def link(url: str, label: str) -> str:
    safe = escape(url).replace("|", "%7C").replace(" ", "%20")
    return f"<{safe}|{literal(label, 100).replace('|', '¦')}>"


# ---------------------------------------------------------------- what was typed


def read_typed(text: str) -> str:
    """What Slack escaped, in the form in which every chat hands in what was typed: of Slack's tokens only people are left."""
    return TOKEN.sub(lambda match: match[0] if match[1].startswith("@") else name_in(match), text)
