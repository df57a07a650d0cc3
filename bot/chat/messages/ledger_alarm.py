"""The record is perhaps an older copy of itself: what that means, told to the receipts channel and to security."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, Small, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import Rich, Time, lines, ours, say, short
from workflows.core.audit import AuditEntry, Event
from workflows.core.ledger_doubt import Sign

# So much is listed; `prodaccess list` has the rest.
LISTED_MAX = 20


def ledger_told(entry: AuditEntry) -> Message:
    """One message for each of the events about a doubt of the ledger."""
    head, then = _SAID[entry.event](entry)
    small = say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))
    return message(say("{} {}", head, then), Line(lines((head, then))), Small(small))


def _rolled_back(entry: AuditEntry) -> tuple[Rich, Rich]:
    head = say("⚠️ *My record is perhaps an older copy of itself.* Nobody is given access now.")
    what_to_do = ours(
        "What was given after that copy is not known to me, and I cannot take it away. What I know of ends on time. "
        "Whoever runs me: where the audit log is archived, `prodaccess ledger rebuild` puts back what is lacking, and ends "
        "what was given; all steps are in docs/runbook.md, ProdaccessLedgerRolledBack. When nothing is open that should not be, "
        "`prodaccess ledger accept` lets access be given again."
    )
    return head, lines((_how_it_shows(entry), what_to_do))


def _how_it_shows(entry: AuditEntry) -> Rich:
    """How far back it is, as far as that is known."""
    seen, newest = (int(entry.facts.get(name, "0")) for name in ("seen", "newest"))
    match entry.facts.get("why"):
        case Sign.GONE:
            at = datetime.fromisoformat(entry.facts["seen_at"])
            return say("Audit entry #{} was there at {}, and now {}.", seen, Time(at, entry.at), _newest(newest))
        case Sign.REPLACED:
            at = datetime.fromisoformat(entry.facts["seen_at"])
            return say("Audit entry #{}, which was there at {}, is another one now.", seen, Time(at, entry.at))
        case Sign.ARCHIVE_AHEAD:
            return say("The archive has entries up to #{}, and in the record {}.", seen, _newest(newest))
        case Sign.ARCHIVE_DIFFERS:
            return say("The archive has other entries than the record, up to #{}.", seen)
        case Sign.CHANGED:
            return say("Audit entry #{}, or what was signed up to it, was changed.", seen)
        case _:
            by = short(entry.private.get("actor_name") or "An operator", 100)
            return say("{} says so: {}", by, short(entry.private.get("reason", ""), 300))


def _newest(number: int) -> Rich:
    return say("#{} is the newest", number) if number else say("there is none")


def _accepted(entry: AuditEntry) -> tuple[Rich, Rich]:
    by = short(entry.private.get("actor_name") or "An operator", 100)
    reason = short(entry.private.get("reason", ""), 300)
    return say("✅ *{} accepted my record as it is.* Access is given again.", by), say("Why: {}", reason)


def _rebuilt(entry: AuditEntry) -> tuple[Rich, Rich]:
    first, last = int(entry.facts["from"]), int(entry.facts["to"])
    by = short(entry.private.get("actor_name") or "An operator", 100)
    head = say("*{} made my record again from the archive.* Still nobody is given access.", by)
    back = say("Entries #{} to #{} are back.", first, last) if first <= last else say("It lacked no entry.")
    parts = [back, *_listed("Ending now:", entry.private.get("ending", ""))]
    parts += _listed("⚠️ To be taken away by hand:", entry.private.get("by_hand", ""))
    then = ours("When all of it has ended, `prodaccess ledger accept` lets access be given again.")
    return head, lines((*parts, then))


def _listed(title: str, words: str) -> list[Rich]:
    found = words.splitlines()
    more = [say("and {} more", len(found) - LISTED_MAX)] if len(found) > LISTED_MAX else []
    listed = [say("• {}", short(line, 200)) for line in found[:LISTED_MAX]]
    return [ours(title), *listed, *more] if found else []


_SAID = {Event.LEDGER_ROLLED_BACK: _rolled_back, Event.LEDGER_ACCEPTED: _accepted, Event.LEDGER_REBUILT: _rebuilt}
