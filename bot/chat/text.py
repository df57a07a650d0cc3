"""Text of people and for people, in every chat: on one line, cut, and with the signs that a keyboard has."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.chat.wording.labels import Exactly, Moment

# Calling more people than this for one request wakes everybody and moves nobody.
MENTIONS_MAX = 8


# A time further away than this needs its day.
_SAME_DAY = timedelta(hours=18)


# Characters that change the writing direction, or that are not seen at all; a zero-width joiner holds emoji together.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def one_line(text: str) -> str:
    # Nearly every text, and there are thousands in a report: what can be printed has neither, and its one space is " ".
    if text.isprintable() and "  " not in text and text == text.strip():
        return text
    return " ".join(_INVISIBLE.sub("", text).split())


def cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[: max(0, length_max - 1)].rstrip() + "…"


def far(moment: Moment, reference: datetime) -> bool:
    """Whether its time of day alone would not tell which day is meant."""
    at = moment.at if isinstance(moment, Exactly) else moment
    return abs(at - reference) >= _SAME_DAY


def clock(moment: Moment, reference: datetime, *, with_day: bool = False) -> str:
    """As `when`, in UTC and plain text."""
    at, form = (moment.at, "%H:%M:%S") if isinstance(moment, Exactly) else (moment, "%H:%M")
    day = with_day or far(moment, reference)
    return f"{at.astimezone(UTC):{f'%d %b, {form}' if day else form}} UTC"


_TYPOGRAPHY = str.maketrans("‐‑‒–—―−﹣－“”„«»‘’‚‹›＇＂", "---------\"\"\"\"\"''''''\"")


def straight(text: str) -> str:
    """Typographic dashes and quotes as a keyboard has them. Digits of other scripts stay what they are."""
    return text.translate(_TYPOGRAPHY)
