"""A Change as keys and arguments of commit.lua, and its answer as a result. commit.lua says what stands where."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.core.absent_words import NUMBERS, NumberRanges
from workflows.core.keys import CLOCK, LEDGER_DOUBT, OLDER, SEAL
from workflows.ledger.codec import encode, event_body, event_private
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Argument, text
from workflows.ledger.times import micros, score
from workflows.ports import STALE_S_MAX, Change, Committed, CorruptLedger, Lost

AHEAD_S_MAX = 1.0
"""A decision from further in the future than this was not made on a snapshot of this ledger."""


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    subject: str
    body: bytes
    digest: str
    private: bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """The parts of a change that need encoding; both ledgers store exactly these bytes."""

    puts: Mapping[str, bytes]
    due: Mapping[str, float | None]
    audit: tuple[EncodedEvent, ...]


def encode_change(change: Change) -> Encoded:
    """Check and encode, before anything is sent. Raises ValueError where the change is not one."""
    _check(change)
    return Encoded(
        puts={key: encode(key, record) for key, record in change.puts.items()},
        due={item: None if when is None else score(when) for item, when in change.due.items()},
        audit=tuple(_encode_event(event, change) for event in change.audit),
    )


def _encode_event(event: Any, change: Change) -> EncodedEvent:
    if event.at != change.at:
        raise ValueError(f"entry {event.event} has another time than the change that it is part of")
    body = event_body(event)
    return EncodedEvent(event.subject, body, hashlib.sha256(body).hexdigest(), event_private(event))


def _check(change: Change) -> None:
    if not change.commit_id:
        raise ValueError("a change needs a commit id, or a repeated one would be applied twice")
    blind = (change.puts.keys() | change.deletes) - change.reads.keys()
    if blind:
        raise ValueError(f"written without having been read: {', '.join(sorted(blind))}")
    both = change.puts.keys() & change.deletes
    if both:
        raise ValueError(f"put and deleted in one change: {', '.join(sorted(both))}")
    # Words of entries that go themselves are not missed.
    unsaid = tuple(number for number in change.forget if change.trim is None or number >= change.trim.first)
    if unsaid and str(NumberRanges.of(unsaid)) not in (one.facts.get(NUMBERS) for one in change.audit):
        raise ValueError("words are deleted, and no entry lists of which entries")
    for entry in change.index:
        if entry.score is not None and not math.isfinite(entry.score):
            raise ValueError(f"{entry.member} cannot stand at {entry.score} in the index {entry.name}")


def commit_call(keys: Keys, change: Change, *, refuse_access: bool, seen: str = "") -> tuple[list[str], list[Argument]]:
    """`seen`: `<number>:<link>` of the newest audit entry that this process saw."""
    parts = encode_change(change)
    access = ("refuse" if refuse_access else "give") if change.gives_access else ""
    names = [keys.commit(change.commit_id), keys.tick, keys.due, keys.woken, keys.audit, keys.private, keys.durable]
    names += [keys.lease(change.fence.lease if change.fence else ""), keys.record(CLOCK), keys.audit_head]
    names += [keys.record(OLDER), keys.record(LEDGER_DOUBT), keys.record(SEAL)]
    names += [keys.record(key) for key in (*change.reads, *parts.puts, *change.deletes)]
    names += [keys.index(entry.name) for entry in change.index]
    names += [keys.audit_of(event.subject) for event in parts.audit]
    names += [keys.audit_of(subject) for subject in (change.trim.subjects if change.trim else ())]
    args: list[Argument] = [micros(change.at), _micros(STALE_S_MAX), _micros(AHEAD_S_MAX)]
    args += [change.fence.number if change.fence else "", access, change.answer, int(change.remembered_s * 1000)]
    args += map(len, (change.reads, parts.puts, change.deletes, parts.due, change.index, parts.audit))
    args.append(f"{change.sooner.total_seconds():.6f}" if change.sooner else 0)
    args += [seen, "" if change.sealed is None else change.sealed, len(change.forget)]
    args += [change.trim.first, len(change.trim.subjects)] if change.trim else ["", 0]
    args += [*change.reads.values(), *parts.puts.values(), *_pairs(parts.due.items())]
    args += _pairs((entry.member, entry.score) for entry in change.index)
    for event in parts.audit:
        args += [event.body, event.digest, event.private]
    return names, [*args, *change.forget]


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _pairs(items: Any) -> list[Argument]:
    return [part for name, value in items for part in (name, "" if value is None else repr(float(value)))]


def commit_result(reply: Sequence[Any], change: Change) -> Committed | Lost:
    outcome = text(reply[0])
    if outcome == "lost":
        reads = tuple(change.reads)
        return Lost(text(reply[1]), tuple(reads[int(place) - 1] for place in reply[2:]))
    first, count, answer = _stored(reply[1])
    numbers = tuple(range(first, first + count))
    return Committed(numbers, answer, replayed=outcome == "replayed")


def aside(reply: Sequence[Any]) -> list[str]:
    """Keys that were of another type than ours and stand beside the new ones now, as `<key>:strange`."""
    return [text(name) for name in reply[3:]] if text(reply[0]) == "committed" else []


def newest(reply: Sequence[Any]) -> str:
    """`<number>:<link>` of the newest audit entry now; empty where nothing was written, or what was seen is not there."""
    return text(reply[2]) if text(reply[0]) == "committed" else ""


def stored_answer(stored: Any) -> str:
    """The answer in what commit.lua keeps under a commit id. Raises CorruptLedger."""
    return _stored(stored)[2]


def _stored(stored: Any) -> tuple[int, int, str]:
    try:
        first, count, answer = text(stored).split(":", 2)
        return int(first), int(count), answer
    except ValueError:
        raise CorruptLedger("the answer that is kept for this act cannot be read") from None
