"""What the archive holds, and under which names. Numbers have 16 digits there, so that names are in the order of numbers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from workflows.core.audit_check import StoredEntry
from workflows.core.canonical_json import canonical_json
from workflows.core.seal.hidden import NO_WORDS, HiddenWords, hidden_from

# No run has more entries.
RUN_MAX = 5_000
# What stands aside (see `aside`) has some digits of its content behind it.
_RUN = re.compile(r"(\d{16})-(\d{16})(?:-[0-9a-f]{16})?\.jsonl")
_HEAD = re.compile(r"(\d{16})(?:-[0-9a-f]{16})?\.json")
_ASIDE = re.compile(r"\d{16}-\d{16}-[0-9a-f]{16}\.jsonl")


def folder(log: str, epoch: int) -> str:
    """Of one installation. Where its past became another one (see `Installation.epoch`) it begins a folder of its own, because
    nothing in the old one is ever written over.
    """
    return f"{log}/" if epoch == 1 else f"{log}-{epoch}/"


def runs(log_folder: str) -> str:
    return f"{log_folder}runs/"


def heads(log_folder: str) -> str:
    return f"{log_folder}heads/"


def keys(log_folder: str) -> str:
    return f"{log_folder}keys/"


def run_name(log_folder: str, first: int, last: int) -> str:
    return f"{runs(log_folder)}{first:016d}-{last:016d}.jsonl"


def head_name(log_folder: str, size: int) -> str:
    return f"{heads(log_folder)}{size:016d}.json"


def key_change_name(log_folder: str, size: int) -> str:
    return f"{keys(log_folder)}{size:016d}.json"


def carried_change_name(log_folder: str, size: int, new: str) -> str:
    """Of another epoch's change, or of a second one at this size. `new`: the fingerprint of its new key."""
    return f"{keys(log_folder)}{size:016d}-{new[:12]}.json"


def public_key_name(log_folder: str, fingerprint: str) -> str:
    return f"{keys(log_folder)}{fingerprint}.pem"


def aside(name: str, content: bytes) -> str:
    """Where this goes if somebody has taken its name: right before that in the order of names."""
    stem, dot, kind = name.rpartition(".")
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}{dot}{kind}"


def stands_aside(name: str) -> bool:
    """Whether this is a run whose own name was taken."""
    return _ASIDE.fullmatch(name.rpartition("/")[2]) is not None


def numbers_of_run(name: str) -> tuple[int, int] | None:
    """The first and the last; None where it is no run's name."""
    found = _RUN.fullmatch(name.rpartition("/")[2])
    return (int(found[1]), int(found[2])) if found else None


def size_of_head(name: str) -> int | None:
    found = _HEAD.fullmatch(name.rpartition("/")[2])
    return int(found[1]) if found else None


# ---------------------------------------------------------------- runs


@dataclass(frozen=True, slots=True)
class ArchivedEntry:
    """An entry as it was when it was sealed. `digest`: empty where there was none of this number. `words`: as stored, or None.
    `hidden`: the words as the archive has them, or None.
    """

    number: int
    body: str
    digest: str
    link: str
    words: str | None = None
    hidden: HiddenWords | None = None

    @property
    def is_intact(self) -> bool:
        return not self.digest or hashlib.sha256(self.body.encode()).hexdigest() == self.digest


class BadRun(ValueError):
    """The message is one sentence."""


def run_of(entries: Iterable[StoredEntry | int], hidden: Mapping[int, HiddenWords] = NO_WORDS) -> bytes:
    """One line each; a bare number stands for an entry that is missing. `hidden`: words by number.

    Raises UnicodeDecodeError for a body that is no text.
    """
    return b"".join(canonical_json(_line(entry, hidden)) + b"\n" for entry in entries)


def _line(entry: StoredEntry | int, hidden: Mapping[int, HiddenWords]) -> dict[str, Any]:
    if isinstance(entry, int):
        return {"number": entry, "body": "", "digest": "", "link": ""}
    line = {"number": entry.number, "body": entry.body.decode(), "digest": entry.digest, "link": entry.link}
    words = hidden.get(entry.number)
    return line if words is None else line | {"hidden": words.as_json()}


def same_entries(run: bytes, other: bytes, name: str) -> bool:
    """Whether two runs of this name hold the same entries, whatever words stand beside them: words are erased, and keys."""
    try:
        pair = zip(entries_in(run, name), entries_in(other, name), strict=True)
        return all(replace(a, hidden=None) == replace(b, hidden=None) for a, b in pair)
    except BadRun:
        return False


def has_some_of(run: bytes, other: bytes, name: str) -> bool:
    """Whether an entry of the one stands in the other as well, as far as they can be read."""
    return not _digests(run, name).isdisjoint(_digests(other, name))


def _digests(run: bytes, name: str) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    with suppress(BadRun):
        for entry in entries_in(run, name):
            if entry.digest:
                found.add((entry.number, entry.digest))
    return found


def entries_in(run: bytes, name: str) -> Iterator[ArchivedEntry]:
    """Raises BadRun, which names the run, where it does not hold what its name says."""
    first, last = numbers_of_run(name) or (0, -1)
    number = first - 1
    try:
        for number, line in enumerate(run.splitlines(), first):
            said = json.loads(line)
            hidden = hidden_from(said.get("hidden"))
            found = ArchivedEntry(said["number"], said["body"], said["digest"], said["link"], said.get("words"), hidden)
            if found.number != number or not all(isinstance(x, str) for x in (found.body, found.digest, found.link)):
                raise ValueError
            yield found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadRun(f"{name} in the archive cannot be read from #{number} on.") from None
    if number != last:
        raise BadRun(f"{name} in the archive ends at #{number}.")
