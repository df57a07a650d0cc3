"""Somebody was erased: a receipt that does not say who."""

from __future__ import annotations

from bot.chat.message import Line, Message, Small, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import Time, lines, ours, say, short
from workflows.core.audit import AuditEntry


def erased_told(entry: AuditEntry) -> Message:
    """Of the last entry about one person, which counts for all of them."""
    by = short(entry.private.get("actor_name") or "An operator", 100)
    head = say("*{} had a person erased from my record.*", by)
    records, words = entry.facts.get("all", "0"), entry.facts.get("entries", "0")
    what = ours(
        f"Their name is in no record any more ({records} changed), and the names and words of {words} audit entries are gone. "
        "What I wrote in chat before is still there: whoever runs this chat can delete it."
    )
    then = say("{} Why: {}", what, short(entry.private.get("reason", ""), 300))
    small = say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))
    return message(say("{} {}", head, then), Line(lines((head, then))), Small(small))
