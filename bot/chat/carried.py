"""What buttons and forms carry, read back. Whoever has a client of their own sends what they like: no value is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


def read_carried(text: str) -> Mapping[str, Any]:
    """What a button or a form carries as JSON; empty where it is none of ours, whatever somebody made of it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_seconds(value: object) -> timedelta | None:
    """Of digits, or of a whole number; None for what nobody could have chosen."""
    text = str(value)
    fits = re.fullmatch("[0-9]{1,9}", text, re.ASCII) and not isinstance(value, bool)
    return timedelta(seconds=int(text)) if fits else None


def read_moment(value: object) -> datetime | None:
    """Of seconds since the epoch, of ten digits as a chat gives them; None for everything else."""
    text = str(value)
    fits = re.fullmatch("[1-9][0-9]{9}", text, re.ASCII) and not isinstance(value, bool)
    return datetime.fromtimestamp(int(text), UTC) if fits else None
