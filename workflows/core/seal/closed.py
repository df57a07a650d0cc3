"""Requests that have left the ledger, as the archive has them: files of one line each, below `LOG/closed/`.

A name says what is in the file, so that whoever looks for one request, or for a time, opens no other one; and it has the first
digits of the content's own SHA-256, so that the same requests written again are another file, and nothing is ever written over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from workflows.core.canonical_json import canonical_json
from workflows.core.seal.hidden import HiddenWords, hidden_from

_NAME = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9]{10})-([0-9]{10})-([0-9a-f]{12})\.jsonl")


@dataclass(frozen=True, slots=True)
class ClosedLine:
    """One request. `asked`: when it was made; `ended`: when its grant was over, None where it had none. `story`: its records,
    hidden from whoever has not the keys of all whom they name.
    """

    id: str
    story: HiddenWords
    asked: datetime
    ended: datetime | None = None

    def as_json(self) -> dict[str, object]:
        times = {"asked": self.asked.isoformat(), "ended": self.ended.isoformat() if self.ended else None}
        return {"id": self.id, "story": self.story.as_json(), **times}


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """What a file's name says: `asked` is when the first of its requests was made, `over` when the last was over, both in whole
    seconds; `least` and `most`: the lowest and highest of their numbers.
    """

    name: str
    asked: datetime
    over: datetime
    least: int
    most: int

    def may_have(self, id_: str) -> bool:
        return self.least <= number_of(id_) <= self.most


class BadClosed(ValueError):
    """The message is one sentence."""


def closed(log_folder: str) -> str:
    return f"{log_folder}closed/"


def number_of(id_: str) -> int:
    """`PA-1042` -> 1042; 0 for what is no id."""
    digits = id_.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else 0


def about(id_: str) -> bytes:
    """What the cipher binds the records to."""
    return f"closed:{id_}".encode()


def content_of(lines: Iterable[ClosedLine]) -> bytes:
    return b"".join(canonical_json(line.as_json()) + b"\n" for line in lines)


def name_of(log_folder: str, content: bytes, ids: Iterable[str], asked: datetime, over: datetime) -> str:
    numbers = sorted(map(number_of, ids))
    times = f"{int(asked.timestamp()):012d}-{int(over.timestamp()) + 1:012d}"
    digits = hashlib.sha256(content).hexdigest()[:12]
    return f"{closed(log_folder)}{times}-{numbers[0]:010d}-{numbers[-1]:010d}-{digits}.jsonl"


def file_named(name: str) -> ClosedFile | None:
    """None where it is no such file's name."""
    found = _NAME.fullmatch(name.rpartition("/")[2])
    if found is None:
        return None
    asked, over = (datetime.fromtimestamp(int(found[part]), UTC) for part in (1, 2))
    return ClosedFile(name, asked, over, int(found[3]), int(found[4]))


def lines_in(content: bytes, name: str) -> Iterator[ClosedLine]:
    """Raises BadClosed, which names the file."""
    if not name.endswith(f"{hashlib.sha256(content).hexdigest()[:12]}.jsonl"):
        raise BadClosed(f"{name} in the archive was changed.")
    try:
        for line in content.splitlines():
            said = json.loads(line)
            story = hidden_from(said["story"])
            if story is None or not isinstance(said["id"], str):
                raise ValueError
            ended = datetime.fromisoformat(said["ended"]) if said["ended"] is not None else None
            yield ClosedLine(said["id"], story, datetime.fromisoformat(said["asked"]), ended)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadClosed(f"{name} in the archive cannot be read.") from None
