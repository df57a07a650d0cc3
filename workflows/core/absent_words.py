"""Which entries may be without their words: those of which a later entry says so.

Words stand outside the chain, so that they can be erased. Without this, whoever can write there could take any away unseen.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from workflows.core.audit import Event

# The events that say so: those after which nobody has them any more, and all.
ERASED = frozenset({Event.PERSON_ERASED.value, Event.LEDGER_REBUILT.value})
SAYING = ERASED | {Event.AUDIT_RETAINED.value}
# The fact of an entry that lists numbers, as `str(NumberRanges)`.
NUMBERS = "numbers"


class Numbered(Protocol):
    """An entry as it stands there, `audit_check.StoredEntry`."""

    @property
    def number(self) -> int: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class NumberRanges:
    """Numbers of entries. `ranges`: first and last of each run, ascending, none beside another. As text: `3-7,12`."""

    ranges: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(numbers: Iterable[int]) -> NumberRanges:
        return NumberRanges.joined((number, number) for number in numbers)

    @staticmethod
    def joined(ranges: Iterable[tuple[int, int]]) -> NumberRanges:
        """All that is in any of them. One whose last is below its first has nothing."""
        found: list[tuple[int, int]] = []
        for first, last in sorted(one for one in ranges if one[0] <= one[1]):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return NumberRanges(tuple(found))

    @staticmethod
    def read(text: str) -> NumberRanges:
        """What `str` has made. Raises ValueError."""
        parts = [part.partition("-") for part in text.split(",")] if text else []
        return NumberRanges.joined((int(first), int(last if dash else first)) for first, dash, last in parts)

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.ranges, (number, number)) if self.ranges else 0
        beside = (*self.ranges[max(0, at - 1) : at + 1],)
        return any(first <= number <= last for first, last in beside)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def without(self, others: NumberRanges) -> NumberRanges:
        left: list[tuple[int, int]] = []
        for first, last in self.ranges:
            at, start = max(0, bisect_right(others.ranges, (first, first)) - 1), first
            while at < len(others.ranges) and others.ranges[at][0] <= last:
                left.append((start, others.ranges[at][0] - 1))
                start = max(start, others.ranges[at][1] + 1)
                at += 1
            left.append((start, last))
        return NumberRanges.joined(left)

    def below(self, number: int) -> NumberRanges:
        return NumberRanges.joined((first, min(last, number - 1)) for first, last in self.ranges)

    def moved(self, least: int, by: int) -> NumberRanges:
        """The same, where what was `least` or more is so much higher now."""
        cut = self.below(least)
        return NumberRanges.joined((*cut.ranges, *((a + by, b + by) for a, b in self.without(cut).ranges)))


def accounted(entries: Iterable[Numbered], saying: Collection[str] = SAYING, *, oldest: bool = True) -> NumberRanges:
    """The numbers of entries that may be without words, by what these entries say; of others nothing is said.

    Erased: those that stand before the entry which lists them. Put back from an archive (`from` to `to`): its words may be
    lost. What an older copy had written meanwhile was moved behind those then, and the numbers that its entries list with it.
    `saying`: the events that are believed. `oldest`: the entries that have left the ledger themselves count, too.
    """
    listed: list[tuple[int, NumberRanges]] = []
    for number, event, facts in sorted(_said(entries), key=lambda one: one[0]):
        if event not in saying:
            continue
        if event != Event.LEDGER_REBUILT.value:
            gone = NumberRanges.joined(((1, _count(facts.get("first")) - 1),)) if oldest else NumberRanges()
            found = NumberRanges.joined((*numbers_in(facts).ranges, *gone.ranges))
            listed.append((number, found.below(number)))
            continue
        first, last, moved = (_count(facts.get(name)) for name in ("from", "to", "moved"))
        if not 0 < first <= last < number:
            continue
        by = last - first + 1
        listed = [(at, one.moved(first, by) if last < at <= last + moved else one) for at, one in listed]
        listed.append((number, NumberRanges(((first, last),))))
    return NumberRanges.joined(one for _, ranges in listed for one in ranges.ranges)


def numbers_in(facts: Mapping[str, object]) -> NumberRanges:
    """What an entry lists; nothing where that cannot be read."""
    try:
        return NumberRanges.read(str(facts.get(NUMBERS, "")))
    except ValueError:
        return NumberRanges()


def _said(entries: Iterable[Numbered]) -> Iterator[tuple[int, str, dict[str, object]]]:
    for entry in entries:
        try:
            body = json.loads(entry.body)
            event, facts = body["event"], dict(body["facts"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if event in SAYING:
            yield entry.number, event, facts


def _count(said: object) -> int:
    text = str(said)
    return int(text) if text.isdecimal() and len(text) < 20 else 0


class Absent:
    """Gathers the entries without words, in their order, and those that say why."""

    def __init__(self) -> None:
        self._ranges: list[list[int]] = []
        self._saying: list[Numbered] = []

    def add(self, number: int) -> None:
        if self._ranges and self._ranges[-1][1] == number - 1:
            self._ranges[-1][1] = number
        else:
            self._ranges.append([number, number])

    def heard(self, event: str, entry: Numbered) -> None:
        """An entry whose body can be read, with words or without."""
        if event in SAYING:
            self._saying.append(entry)

    def away(self) -> NumberRanges:
        """Those without words of which an entry says that the archive has them, and none that they were erased."""
        absent = NumberRanges.joined((first, last) for first, last in self._ranges)
        left = absent.without(accounted(self._saying, ERASED))
        return left.without(left.without(accounted(self._saying, oldest=False)))

    def judged(self, later: Iterable[Numbered]) -> tuple[NumberRanges, NumberRanges, int]:
        """Numbers that are accounted for, and those that are not; and how many of the first by entries of `later` alone, which
        came while the log was read: it is looked at only where something is missing.
        """
        absent = NumberRanges.joined((first, last) for first, last in self._ranges)
        unknown = absent.without(accounted(self._saying))
        if not unknown.ranges:
            return absent, unknown, 0
        left = absent.without(accounted([*self._saying, *later]))
        return absent.without(left), left, len(unknown) - len(left)


def without_words(absent: NumberRanges) -> Iterator[str]:
    """A sentence for each run of entries whose words nobody accounts for."""
    for first, last in absent.ranges:
        which = f"#{first}" if first == last else f"#{first} to #{last}"
        yield f"The words of {which} are missing, and no entry says that they were erased"
