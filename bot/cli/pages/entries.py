"""Audit entries as a table, each with the digest that it must have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from bot.chat.wording.events import event_words
from bot.chat.wording.labels import flatten
from bot.cli.pages.markup import BREAK, NONE, Html, items, join, table, tag, under
from workflows.core.audit import AuditEntry
from workflows.core.people import PersonId

When = Callable[[datetime], str]


def entries_of(
    entries: Sequence[AuditEntry], names: Mapping[PersonId, str], deadline: datetime | None, when: When
) -> Html:
    """`names`: of people whom an entry does not name itself. `deadline`: the grant's, for what was active until then."""
    if not entries:
        return tag("p", "There is none.", class_="quiet")
    heads = ("Number", "When (UTC)", "What", "Facts", "Digest")
    told = (flatten(event_words(entry, names, deadline=deadline), when) for entry in entries)
    return table(heads, (_cells(entry, words) for entry, words in zip(entries, told, strict=True)))


def _cells(entry: AuditEntry, words: str) -> Iterable[object]:
    yield f"#{entry.number}"
    yield f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    yield under(words, entry.event.value)
    yield join((tag("code", f"{name}: {value}") for name, value in entry.facts.items()), BREAK)
    fits = sha256(entry.body.encode()).hexdigest() == entry.digest
    yield join((tag("code", entry.digest), NONE if fits else tag("b", " does not fit its entry")))


def how_to_check() -> Html:
    return items(
        (
            "Each digest is SHA-256 over the entry as it is stored, without its words; the entries of the whole log are linked.",
            "prodaccess audit verify looks at all of them.",
            "The receipts in chat show number and the first 12 digits: they stand outside of this record.",
            "prodaccess audit export prints the entries as they are stored.",
        ),
        "",
    )
