"""Reads what came back of a form. The counterpart of `form_view`. Whoever has a client of their own sends what they like: odd
values are none, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import islice

from bot.chat.form import Filled, Value
from bot.teams.cards.form_fields import ADDRESS, DAY, NONE, TIME
from bot.teams.cards.pressing import PICK_PREFIX
from workflows.core.dates import zone_of

# A client keeps to what the form says; whoever has one of their own need not. No choice of ours has more, no text may be longer.
_TEXT_MAX, _TEXTS_MAX, _CHOSEN_MAX = 10_000, 500, 100
# What a card carries beside its inputs.
_CARRIED = frozenset({"form", "carries", "name", "zone", "action", "value"})


def filled(data: object, now: datetime | None = None) -> Filled:
    """`data`: what the press brought, inputs merged in. `now`: so that a time without a day is today's."""
    found = _texts(data)
    return Filled(found.get("form", ""), found.get("carries", ""), tuple(_values(found, now)))


def picked(data: object) -> str:
    """What was chosen in a menu; empty where nothing was."""
    found = _texts(data)
    chosen = found.get(PICK_PREFIX + found.get("action", ""), "")
    return "" if chosen == NONE else chosen


def _texts(data: object) -> dict[str, str]:
    pairs = data.items() if isinstance(data, Mapping) else ()
    texts = ((name, text) for name, text in pairs if isinstance(name, str) and isinstance(text, str))
    return {name: text[:_TEXT_MAX] for name, text in islice(texts, _TEXTS_MAX)}


def _values(found: Mapping[str, str], now: datetime | None) -> Iterator[Value]:
    """Those of one field are one."""
    ids = dict.fromkeys(name.partition("#")[0] for name in found if name not in _CARRIED)
    for id_ in ids:
        name, _, of = id_.partition("@")
        if name and not name.startswith(PICK_PREFIX):
            yield _value(name, of or None, id_, found, now)


def _value(name: str, of: str | None, id_: str, found: Mapping[str, str], now: datetime | None) -> Value:
    text = found.get(id_, "")
    # A menu of several gives them with commas between them; no value of ours has one.
    chosen = tuple(value for value in text.split(",") if value not in ("", NONE))[:_CHOSEN_MAX]
    # One, as it was typed: with commas it would be read as several.
    typed = "" if "," in found.get(id_ + ADDRESS, "") else found.get(id_ + ADDRESS, "").strip()
    moment = _moment(found.get(id_ + DAY, ""), found.get(id_ + TIME, ""), found.get("zone", ""), now)
    return Value(name, of, text, chosen or ((typed,) if typed else ()), moment)


def _moment(day: str, clock: str, zone: str, now: datetime | None) -> datetime | None:
    """On the clock that the form named. A day alone is its beginning, so that what was meant for later is never now."""
    there = zone_of(zone)
    try:
        today = now.astimezone(there).date() if now and clock else None
        on = date.fromisoformat(day) if day else today
        if on is None:
            return None
        at = time.fromisoformat(clock) if clock else time()
        return datetime.combine(on, at.replace(tzinfo=None), there).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
