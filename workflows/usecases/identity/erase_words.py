"""The words of one entry, as they stand beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from workflows.core.audit_check import StoredEntry


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    words: tuple[str, ...]


def words_of(entry: StoredEntry) -> Words | None:
    """None where they are gone, or cannot be read."""
    if entry.private is None:
        return None
    try:
        body, stored = json.loads(entry.body), json.loads(entry.private)
        return Words(str(body["subject"]), tuple(str(text) for text in stored["private"].values() if text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
