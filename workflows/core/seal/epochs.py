"""Heads of an older epoch against the log as it is now. An epoch ends where an older copy of the ledger was accepted, so from
some entry on the log may be another one; before that it may not, and it has to say so itself.

Whoever can write to Redis can begin an epoch, too: then the whole log is signed anew, and only the older epoch's heads know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from workflows.core.audit import Event
from workflows.core.audit_check import StoredEntry
from workflows.core.seal.check import GAP_MAX
from workflows.core.seal.layout import ArchivedEntry, BadRun
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import Head, leaf_of

# The log's entries behind a number, in their order.
Log = Callable[[int], Iterable[StoredEntry]]
Runs = Callable[[], Iterable[ArchivedEntry]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence. `is_fault`: else it is only to be read: something that people did, and that the log tells of."""

    words: str
    is_fault: bool = True


def against(head: Head, log: Log, runs: Runs) -> Finding | None:
    """`head`: the newest of the older epoch, signed by a key that is believed. `runs`: what the archive has of that epoch. None
    where the log has all of it still.
    """
    if _root(((entry.number, entry.digest) for entry in log(0)), head.size) == head.root:
        return None
    of_then = f"head {head.shown} of {head.at:%Y-%m-%d %H:%M:%S} UTC, of epoch {head.epoch}"
    try:
        if _root(((copy.number, copy.digest) for copy in runs()), head.size) != head.root:
            return Finding(f"Neither the log's nor the archive's entries are those of {of_then}.")
        first = _first_difference(log, runs())
    except BadRun as problem:
        return Finding(str(problem))
    return _what_became(head, first, log, of_then)


def _what_became(head: Head, first: int, log: Log, of_then: str) -> Finding:
    accepted, past = 0, ""
    for entry in log(first - 1):
        at, event, epoch = _said(entry)
        if not past and entry.number <= head.size and (at is None or at <= head.at):
            when = f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "a time that cannot be read"
            past = f"#{entry.number} is not what was sealed up to {of_then}, and says that it was written at {when}, before that"
        if event == Event.LEDGER_ACCEPTED.value and epoch > head.epoch:
            accepted = entry.number
            break
    if past and accepted:
        # Nobody can tell the two apart from here: whoever rewrites the log can write that it was accepted, too.
        return Finding(
            f"{past}: the past was rewritten, or two copies of the ledger were written to at that time, of which #{accepted} "
            "accepted one. Compare these entries with the receipts in the chat."
        )
    if past:
        return Finding(f"{past}: the past was rewritten.")
    gone = f"#{head.size}" if first == head.size else f"#{first} to #{head.size}"
    if not accepted:
        return Finding(
            f"{gone} of {of_then}, is no more what it was, and no entry says that an older copy of the ledger was accepted: "
            "somebody cut or rewrote the log."
        )
    return Finding(
        f"An older copy of the ledger was accepted in #{accepted}: the archive alone has {gone} of {of_then}.",
        is_fault=False,
    )


def _root(leaves: Iterable[tuple[int, str]], size: int) -> str:
    """Of the first `size` entries; empty where there are not so many."""
    tree = Tree()
    for number, digest in leaves:
        if number > tree.size + GAP_MAX:
            break
        while tree.size + 1 < min(number, size + 1):
            tree.append(leaf_of(tree.size + 1, None))
        if tree.size == size:
            break
        if number == tree.size + 1:
            tree.append(leaf_of(number, digest or None))
    return tree.root().hex() if tree.size == size else ""


def _first_difference(log: Log, copies: Iterable[ArchivedEntry]) -> int:
    there: Iterator[StoredEntry] = iter(log(0))
    now = next(there, None)
    number = 0
    for copy in copies:
        number = copy.number
        while now is not None and now.number < number:
            now = next(there, None)
        same = now.digest if now is not None and now.number == number else ""
        if same != copy.digest:
            return number
    return number


def _said(entry: StoredEntry) -> tuple[datetime | None, str, int]:
    """When it was written, its event, and the epoch that it names; None, empty and 0 where it does not say."""
    try:
        body = json.loads(entry.body)
        epoch = str(body["facts"].get("epoch", ""))
        at = datetime.fromisoformat(body["at"])
        return (
            (at if at.tzinfo else None),
            str(body["event"]),
            int(epoch) if epoch.isdecimal() and len(epoch) < 10 else 0,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, "", 0
