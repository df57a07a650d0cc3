"""The key under which somebody's names and words stand in the archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WordsKey:
    """`id`: a person's, or `named_words.NOBODY`. `key`: 64 hex digits of chance.

    It stands nowhere but here: once it is gone, and the backups that have it are, nobody can read in the archive what names them.
    """

    id: str
    key: str = field(repr=False)
    made_at: datetime
