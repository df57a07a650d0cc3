"""Where messages go: a channel, or a person."""

from __future__ import annotations

ALL = "all"


def is_person(place: str) -> bool:
    return place.startswith(("U", "W"))
