"""Durations as people write and read them: `1 h 30 min`, `90m`, `2d`, `45s`."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
UNITS = frozenset(_SECONDS)
_PART = re.compile(r"([0-9]{1,6})\s*([a-z]+)")
_WHOLE = re.compile(r"(?:[0-9]{1,6}\s*[a-z]+\s*)+")
# No access is meant to last longer; it also keeps the arithmetic far from overflow.
LONGEST = timedelta(days=366)


def parse_duration(text: str) -> timedelta | None:
    """Read a duration, in whole seconds.

    Returns None where `text` is not a duration at all. Units may not repeat ("1h 2h" is a slip, not three hours).
    Zero is returned as zero: whether that is allowed is for the caller to say.
    """
    folded = text.strip().lower()
    if not _WHOLE.fullmatch(folded):
        return None
    seen: set[int] = set()
    total_s = 0
    for number, unit in _PART.findall(folded):
        unit_s = _SECONDS.get(unit)
        if unit_s is None or unit_s in seen:
            return None
        seen.add(unit_s)
        total_s += int(number) * unit_s
    return min(timedelta(seconds=total_s), LONGEST)


def format_duration(value: timedelta) -> str:
    """Write a duration in its two largest parts, rounded down to whole seconds: `1 h 30 min`, `2 d`, `45 s`."""
    left_s = max(0, int(value.total_seconds()))
    parts: list[str] = []
    for name, unit_s in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left_s = divmod(left_s, unit_s)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
