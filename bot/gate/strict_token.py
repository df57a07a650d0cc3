"""A JSON web token taken apart, before anybody has proved anything."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

from bot.gate.strict_json import object_of

# GitHub's have about 2,000 characters, GitLab's as many; a group in `groups_direct` adds its path.
LENGTH_MAX = 16_384
_PART = re.compile(r"[A-Za-z0-9_-]+")


class OddToken(Exception):
    """What is wrong with its form, in words that hold nothing of it."""


@dataclass(frozen=True, slots=True)
class Parts:
    head: dict[str, Any]
    claims: dict[str, Any]


def parts_of(token: str) -> Parts:
    """Raises OddToken."""
    pieces = token.split(".") if len(token) <= LENGTH_MAX else []
    if len(pieces) != 3 or not all(_PART.fullmatch(piece) for piece in pieces):
        raise OddToken("it is no signed token")
    found = Parts(_object(pieces[0]), _object(pieces[1]))
    # Extensions that a reader must understand; nobody here does.
    if "crit" in found.head or found.head.get("b64", True) is not True:
        raise OddToken("its head asks for what is not known here")
    return found


def _object(piece: str) -> dict[str, Any]:
    try:
        return object_of(urlsafe_b64decode(piece + "=" * (-len(piece) % 4)).decode())
    except ValueError:
        raise OddToken("it cannot be read") from None
