"""News of the audit log's seal: that it began, that another key signs, that an entry is gone."""

from __future__ import annotations

from bot.chat.message import Line, Message, Small, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import Rich, Time, lines, ours, say, short
from workflows.core.audit import AuditEntry, Event

# So many digits of a key's fingerprint are shown.
SHOWN = 12


def audit_told(entry: AuditEntry) -> Message:
    """One message for each of the events about the seal."""
    head, then = _SAID[entry.event](entry)
    small = say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))
    return message(say("{} {}", head, then), Line(lines((head, then))), Small(small))


def _begun(entry: AuditEntry) -> tuple[Rich, Rich]:
    key = short(entry.facts.get("key", "")[:SHOWN])
    then = (
        "Whoever changes, removes or inserts a sealed entry is found by `prodaccess audit verify`. Keep the key's whole "
        "fingerprint, or its public half, where nobody who runs me can change it: `prodaccess audit verify --key` wants it."
    )
    return say("🔏 *The audit log is sealed from now on*, by the key {}.", key), ours(then)


def _changed(entry: AuditEntry) -> tuple[Rich, Rich]:
    old, new = (short(entry.facts.get(name, "")[:SHOWN]) for name in ("old", "new"))
    by = short(entry.private.get("actor_name") or "An operator", 100)
    head = say("🔏 *{} changed the key that seals the audit log*: {} in place of {}.", by, new, old)
    return head, say("The old key has signed that. Why: {}", short(entry.private.get("reason", ""), 300))


def _missing(entry: AuditEntry) -> tuple[Rich, Rich]:
    first, count = int(entry.facts.get("first", "0")), int(entry.facts.get("count", "1"))
    one, last = say("entry #{} is", first), first + count - 1
    gone = one if count == 1 else say("entries #{} to #{} are", first, last)
    return (
        say("⚠️ *Audit {} missing.*", gone),
        ours(
            "The number was given out, and nothing stands under it: somebody removed it from Redis before it was sealed. "
            "The seal says that it was missing. Find out who can write to Redis; receipts in this channel may tell what it said."
        ),
    )


_SAID = {
    Event.AUDIT_SEALING_STARTED: _begun,
    Event.AUDIT_KEY_CHANGED: _changed,
    Event.AUDIT_ENTRY_MISSING: _missing,
}
