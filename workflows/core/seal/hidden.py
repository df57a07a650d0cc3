"""An entry's words as the archive has them: so that nobody reads them without the keys of all whom they name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A key's own name, which says nothing of whose it is: 16 hex digits.
TAG = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class HiddenWords:
    """`tags`: of the keys that are needed, all of them, ascending. `content`: what the cipher has made of the words."""

    tags: tuple[str, ...]
    content: bytes

    def as_json(self) -> dict[str, Any]:
        return {"content": base64.b64encode(self.content).decode(), "tags": list(self.tags)}


NO_WORDS: Mapping[int, HiddenWords] = {}


def hidden_from(said: Any) -> HiddenWords | None:
    """None where there are none. Raises ValueError for what is none: an archive is written by whoever may write there."""
    if said is None:
        return None
    tags, content = (said.get("tags"), said.get("content")) if isinstance(said, dict) else (None, None)
    if not isinstance(content, str) or not isinstance(tags, list) or not tags or tags != sorted(set(map(str, tags))):
        raise ValueError("no hidden words")
    if not all(TAG.fullmatch(tag) for tag in tags):
        raise ValueError("no hidden words")
    try:
        return HiddenWords(tuple(tags), base64.b64decode(content, validate=True))
    except binascii.Error:
        raise ValueError("no hidden words") from None


def about(number: int, digest: str) -> bytes:
    """What the cipher binds the words to: those of one entry cannot stand for another's."""
    return f"{number}:{digest}".encode()
