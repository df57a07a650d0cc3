"""What was done with access, in words: how much of it, where it was looked, and what is not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deeds:
    """`things`: what is counted, in the plural; `lacks`: what a count never has in it. `places`: where it is known, `unknown`:
    where not, `stopped`: where there was more than was read. `why`: why it is not known; empty where the readers may not know
    that.
    """

    deeds: int
    changing: int
    refused: int
    unsaid: int
    things: str
    lacks: str
    places: Sequence[str]
    unknown: Sequence[str] = ()
    stopped: Sequence[str] = ()
    why: str = ""


def deeds_words(found: Deeds) -> str:
    """`41 management events in eu-central-1 and us-east-1, 3 changing; data events are not in it`. Not known is never none."""
    if not found.places:
        return f"not known{f' in {_and(found.unknown)}' if found.unknown else ''}{_why(found)}"
    parts = [_counted(found), found.lacks]
    if found.stopped:
        parts.insert(1, f"the oldest in {_and(found.stopped)} were not looked at, because there are more")
    if found.unknown:
        parts.append(f"not known in {_and(found.unknown)}{_why(found)}")
    return "; ".join(parts)


def _counted(found: Deeds) -> str:
    one = found.things.removesuffix("s") if found.deeds == 1 else found.things
    figure = f"{found.deeds:,} {one}" if found.deeds else f"no {found.things}"
    least = "at least " if found.stopped else ""
    more = [
        f"{count:,} {words}"
        for count, words in (
            (found.changing, "changing"),
            (found.refused, "refused"),
            (found.unsaid, "that may change something"),
        )
        if count or (words == "changing" and found.deeds)
    ]
    return ", ".join((f"{least}{figure} in {_and(found.places)}", *more))


def _why(found: Deeds) -> str:
    return f": {found.why.rstrip('.')}" if found.why else ""


def _and(places: Sequence[str]) -> str:
    *others, last = places
    return f"{', '.join(others)} and {last}" if others else last
