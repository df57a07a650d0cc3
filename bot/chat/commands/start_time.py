"""When access shall begin, as it is typed (`at 22:00`, `tomorrow 07:00`, `at 2026-12-01 22:00`) and as it is echoed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.chat.commands.model import Begin
from workflows.core.dates import is_day, zone_of
from workflows.core.refusal import Code, Refused
from workflows.core.slips import start_slip

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def read_begin(words: Sequence[str]) -> tuple[Begin | Refused | None, int]:
    """The start that these words begin with, and how many words it takes. What is no time is the reason's first word."""
    rest = [word.rstrip(",;") for word in words[:4]]
    at = 1 if rest[:1] == ["at"] else 0
    day = rest[at] if len(rest) > at and is_day(rest[at]) else ""
    used = at + bool(day)
    if day and not at and rest[used : used + 1] == ["at"]:
        at, used = 1, used + 1
    clock = rest[used] if len(rest) > used else ""
    if (at or day) and _CLOCK.fullmatch(clock):
        return Begin(day, clock), used + 1
    if slip := start_slip(words):
        return Refused(Code.START_UNREADABLE, {"text": slip[:40]}, audited=False), 0
    return None, 0


def with_zone(moment: datetime, zone: str) -> str:
    """`Sat 21 Nov 2026 22:00 (Europe/Berlin)`: nobody has to guess which day and whose clock."""
    return f"{moment.astimezone(zone_of(zone)):%a %d %b %Y %H:%M} ({zone})"
