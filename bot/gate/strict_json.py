"""JSON of strangers, read so that no two readers see two things in it."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def object_of(text: bytes | str) -> dict[str, Any]:
    """Raises ValueError: also for a name that stands there twice, for NaN, and for what is nested too deep."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one name one reader takes the first, and another one the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(_word: str) -> NoReturn:
    raise ValueError("no number")
