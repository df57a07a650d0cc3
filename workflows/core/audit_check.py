"""What can be found wrong with the audit log from itself alone, before anybody has signed it.

Each entry's link is a digest over the link before it, its own number and its own digest, so that a changed, removed, exchanged
or renumbered one no longer fits; the ledger's own count, the subjects' lists and the words are second copies. Somebody who can
rewrite all of them can make a new log that fits: those are found by the receipts in the chat, which stand outside.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.core.absent_words import Absent, NumberRanges, without_words
from workflows.core.audit import Event
from workflows.core.canonical_json import digest

# The first form of a body whose entry has a link.
LINKED_FROM = 2


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it stands there, whatever somebody has made of it. `private` is None where its words are gone."""

    number: int
    body: bytes
    digest: str
    private: bytes | None
    link: str = ""


@dataclass(frozen=True, slots=True)
class AuditState:
    """What the ledger says of its log: all of it at one instant.

    `counted` and `link` are the ledger's own note of its newest entry, 0 and empty where there is none. `newest` is the last
    number that the log itself ever had. `words`: how many entries' words there are. `problems`: what of all that cannot be read.
    """

    counted: int = 0
    link: str = ""
    newest: int = 0
    words: int = 0
    problems: tuple[str, ...] = ()

    @property
    def upto(self) -> int:
        return max(self.counted, self.newest)


def linking(link: str, number: int, entry_digest: str) -> str:
    """The next link: SHA-1 over SHA-256 digests, because the ledger itself, which gives the numbers, has no other."""
    return hashlib.sha1(f"{link}:{number}:{entry_digest}".encode(), usedforsecurity=False).hexdigest()


def subject_of(entry: StoredEntry) -> str:
    """Of an entry whose body is as it was written."""
    return str(json.loads(entry.body)["subject"])


class AuditCheck:
    """Takes all entries up to `state.upto`, page by page, then the lists. Each method yields one sentence for each fault.

    Where the oldest have left for the archive, either `archived` takes them first, or `begin_at` says where the log begins.
    """

    def __init__(self, state: AuditState) -> None:
        self._state = state
        self.count = 0
        # How many have no words any more, and an entry that says so; known once `counts` is through.
        self.erased = 0
        # Those of which an entry says that the archive alone has their words; known then, too.
        self.away = NumberRanges()
        # The first entry that stands in the ledger: those before it are in the archive.
        self.first = 1
        self._firsts: set[int] = set()
        self._absent = Absent()
        self._last = 0
        # The link to the newest entry so far; None after a gap, where nobody can know it.
        self._link: str | None = ""
        self._link_at_count: str | None = None
        self._any_link = False
        self._words = 0
        # Subject -> how many entries, and the sum of their numbers: enough to see a difference, and small.
        self._subjects: dict[str, tuple[int, int]] = {}
        self._unreadable: set[int] = set()
        self._beyond: dict[str, int] = {}

    # ------------------------------------------------------------ entries

    def begin_at(self, first: int, link: str) -> None:
        """What came before is not looked at. `link`: of the last of it, empty where it has none."""
        self.first, self._last, self._link = first, first - 1, link or None

    def archived(self, page: Iterable[StoredEntry]) -> Iterator[str]:
        """Of those that have left, as the archive has them. Their words are there, under keys."""
        for entry in page:
            if entry.number > self._last + 1:
                yield _missing(self._last + 1, entry.number - 1) + " in the archive"
                self._link = None
            self._last, self.first = entry.number, entry.number + 1
            if not entry.digest:
                # There was none of this number when it was sealed.
                self._link = None
                continue
            self.count += 1
            body, intact = _body(entry.body), hashlib.sha256(entry.body).hexdigest() == entry.digest
            if not intact:
                yield f"#{entry.number} was changed in the archive: its digest is another one"
            yield from self._chain(entry, body)

    def entries(self, page: Iterable[StoredEntry]) -> Iterator[str]:
        for entry in page:
            if entry.number > self._last + 1:
                yield _missing(self._last + 1, entry.number - 1)
                self._link = None
            self.count += 1
            if entry.number <= self._last:
                yield f"#{entry.number} stands there twice"
                continue
            self._last = entry.number
            yield from self._entry(entry)

    def _entry(self, entry: StoredEntry) -> Iterator[str]:
        intact = hashlib.sha256(entry.body).hexdigest() == entry.digest
        if not intact:
            yield f"#{entry.number} was changed: its digest is another one"
        body = _body(entry.body)
        if body is None:
            self._unreadable.add(entry.number)
            if intact:
                yield f"#{entry.number} cannot be read"
        else:
            self._absent.heard(body["event"], entry)
            if body["event"] == Event.AUDIT_RETAINED.value:
                self._firsts.add(_count(body["facts"].get("first")))
            count, total = self._subjects.get(body["subject"], (0, 0))
            self._subjects[body["subject"]] = (count + 1, total + entry.number)
        yield from self._chain(entry, body)
        yield from self._private(entry, body)

    def _chain(self, entry: StoredEntry, body: dict[str, Any] | None) -> Iterator[str]:
        fits = self._link is None or entry.link == linking(self._link, entry.number, entry.digest)
        if entry.link:
            if not fits:
                yield f"#{entry.number} does not follow the entry before it: something was exchanged, renumbered or replaced"
            self._link, self._any_link = entry.link, True
        else:
            if body is not None and body["v"] >= LINKED_FROM:
                yield f"#{entry.number} has lost its link to the entry before it"
            if self._link:
                # Of an older version, beside a newer one: the next link binds it.
                self._link = linking(self._link, entry.number, entry.digest)
        if entry.number == self._state.counted:
            self._link_at_count = self._link

    def _private(self, entry: StoredEntry, body: dict[str, Any] | None) -> Iterator[str]:
        if entry.private is None:
            self._absent.add(entry.number)
            return
        self._words += 1
        if body is not None and _private_digest(entry.private) != body["private"]:
            yield f"#{entry.number}: its names or words were changed"

    # ------------------------------------------------------------ what stands beside them

    def counts(self, later: Iterable[StoredEntry] = ()) -> Iterator[str]:
        """After the last page: whether as much is there as the ledger has counted. `later`: entries that came meanwhile."""
        state = self._state
        yield from state.problems
        if state.upto > self._last:
            yield _missing(self._last + 1, state.upto) + ", at the end"
        # An older copy begins with the one before; what came after it may have been put back.
        if self.first > 1 and self.first not in self._firsts:
            yield _missing(1, self.first - 1) + ", and no entry says that they left for the archive"
        if self._any_link and not state.counted:
            yield "The ledger's own count of its entries is gone."
        elif state.counted and self._link_at_count is not None and self._link_at_count != state.link:
            yield f"#{state.counted} is not the entry that the ledger has noted as its newest"
        fine, unknown, just_now = self._absent.judged(later)
        self.away = self._absent.away().below(state.upto + 1)
        self.erased = len(
            fine.without(self.away).without(NumberRanges.joined(((1, max(self._firsts, default=1) - 1),)))
        )
        yield from without_words(unknown)
        if state.words > self._words + just_now:
            yield f"There are names and words of {state.words - self._words - just_now} more entries than there are."

    def lists(self, lists: Iterable[tuple[str, Sequence[int | None]]]) -> Iterator[str]:
        """Each subject with the numbers in its own list; None is one that cannot be read."""
        for subject, named in lists:
            numbers = [number for number in named if number is not None]
            if len(numbers) < len(named):
                yield f"The list of {subject}'s entries cannot be read."
                self._subjects.pop(subject, None)
                continue
            known = [n for n in numbers if n <= self._state.upto and n not in self._unreadable]
            if len(known) < len(numbers) and max(numbers) > self._state.upto:
                self._beyond[subject] = max(numbers)
            if self._subjects.pop(subject, (0, 0)) != (len(known), sum(known)):
                yield f"The list of {subject}'s entries names others than there are."
        for subject in self._subjects:
            yield f"The list of {subject}'s entries is gone."

    def beyond(self, upto: int) -> Iterator[str]:
        """Last: what the lists name behind the last entry. `upto`: what the ledger counts by now, which may be more."""
        for subject, number in self._beyond.items():
            if number > upto:
                yield f"The list of {subject}'s entries names #{number}, which is not there."


def _missing(first: int, last: int) -> str:
    return f"#{first} is missing" if first == last else f"#{first} to #{last} are missing"


def _body(stored: bytes) -> dict[str, Any] | None:
    """The body, where it is one that this version can read."""
    try:
        body = json.loads(stored)
        Event(body["event"])
        datetime.fromisoformat(body["at"])
        plain = isinstance(body["subject"], str) and isinstance(body["v"], int) and isinstance(body["facts"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return {"private": "", **body} if plain else None


def _private_digest(stored: bytes) -> str:
    try:
        words = json.loads(stored)
        return digest([words["salt"], words["private"]])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _count(said: object) -> int:
    text = str(said)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else 0


def by_number(sentences: Iterable[str]) -> list[str]:
    """In the order of the first entry that each names."""
    return sorted(sentences, key=number_in)


def number_in(sentence: str) -> int:
    """The first entry at which a fault is, by what it says; 0 where it names none. What ends at an entry lacks the next one."""
    found = re.search(r"(ends at )?#(\d+)", sentence)
    return int(found[2]) + (found[1] is not None) if found else 0
