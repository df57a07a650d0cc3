"""Text for Slack. The one place where what people wrote is escaped, cut and made harmless."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.chat.wording.labels import Asked, Exactly, Moment, Words

# Slack's limits in characters, from docs.slack.dev/reference/block-kit.
SECTION_LENGTH_MAX = 3000
FIELD_LENGTH_MAX = 2000
CONTEXT_LENGTH_MAX = 2000
# chat.update takes 4,000 where chat.postMessage takes 40,000.
FALLBACK_LENGTH_MAX = 2900
# Calling more people than this for one request wakes everybody and moves nobody.
MENTIONS_MAX = 8

# A time further away than this needs its day.
_SAME_DAY = timedelta(hours=18)

Mentions = Mapping[str, Sequence[str]]
"""Group name of the policy -> Slack ids to call: one `S...` of a user group, or the `U...` of its people."""


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
# Characters that change the writing direction, or that are not seen at all; a zero-width joiner holds emoji together.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def one_line(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", text).split())


def plain(text: str, length_max: int, otherwise: str = "–") -> str:
    """For plain_text objects, which parse nothing; Slack refuses empty ones."""
    return cut(one_line(text), length_max) or otherwise


def cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[: max(0, length_max - 1)].rstrip() + "…"


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
    near = abs(at - reference) < _SAME_DAY and not with_day
    token = time if near else f"{{date_short_pretty}}, {time}"
    return f"<!date^{int(at.timestamp())}^{token}|{clock(moment, reference, with_day=with_day)}>"


def clock(moment: Moment, reference: datetime, *, with_day: bool = False) -> str:
    """As `when`, in UTC and plain text."""
    at, form = (moment.at, "%H:%M:%S") if isinstance(moment, Exactly) else (moment, "%H:%M")
    near = abs(at - reference) < _SAME_DAY and not with_day
    return f"{at.astimezone(UTC):{form if near else f'%d %b, {form}'}} UTC"


# ---------------------------------------------------------------- people


def mention(slack_id: str) -> str:
    """Calls one person (`U...`, `W...`) or one user group (`S...`)."""
    return f"<!subteam^{slack_id}>" if slack_id.startswith("S") else f"<@{slack_id}>"


def call(asked: Asked, mentions: Mentions) -> str:
    """Everybody behind these groups, called once; by name where nobody is known."""
    ids = list(dict.fromkeys(id_ for group in asked.groups for id_ in mentions.get(group, ())))
    if not ids:
        return literal(asked.label)
    called = [mention(id_) for id_ in ids[:MENTIONS_MAX]]
    more = f" and {len(ids) - MENTIONS_MAX} more" if len(ids) > MENTIONS_MAX else ""
    return f"{' or '.join(called)}{more}" if len(called) < 3 else f"{', '.join(called[:-1])} or {called[-1]}{more}"


def render(words: Words, reference: datetime, mentions: Mentions | None = None) -> str:
    """A sentence in mrkdwn: text escaped, times as the reader's clock, people called where `mentions` has them."""
    return "".join(_part(part, reference, mentions or {}) for part in words)


def _part(part: str | Moment | Asked, reference: datetime, mentions: Mentions) -> str:
    if isinstance(part, str):
        return _keep_edges(part)
    return call(part, mentions) if isinstance(part, Asked) else when(part, reference)


def _keep_edges(part: str) -> str:
    """Blanks at the ends of a part separate it from its neighbours."""
    lead, tail = (" " if part[:1] == " " else ""), (" " if part[-1:] == " " else "")
    return lead + literal(part, 1200) + tail if part.strip() else " " * bool(part)


def link(url: str, label: str) -> str:
    safe = escape(url).replace("|", "%7C").replace(" ", "%20")
    return f"<{safe}|{literal(label, 100).replace('|', '¦')}>"


# ---------------------------------------------------------------- typed on a phone

_TYPOGRAPHY = str.maketrans("‐‑‒–—―−﹣－“”„«»‘’‚‹›＇＂", "---------\"\"\"\"\"''''''\"")


def straight(text: str) -> str:
    """Typographic dashes and quotes as a keyboard has them. Digits of other scripts stay what they are."""
    return text.translate(_TYPOGRAPHY)


_TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_BROADCASTS = {"!channel": "@channel", "!here": "@here", "!everyone": "@everyone"}


def typed(text: str) -> str:
    """What somebody typed, out of Slack's escaped form: tokens as their names, entities as their characters."""
    return unescape(_TOKEN.sub(_token, text))


def _token(match: re.Match[str]) -> str:
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
