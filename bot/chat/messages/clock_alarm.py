"""The ledger's own clock was set: what that means, told to the receipts channel and to security."""

from __future__ import annotations

from datetime import timedelta

from bot.chat.message import Line, Message, Small, message
from bot.chat.messages.receipts import mark
from bot.chat.rich import Rich, Time, lines, ours, say, short
from workflows.core.audit import AuditEntry, Event
from workflows.core.durations import format_duration


def clock_told(entry: AuditEntry) -> Message:
    """One message for each of the three events about the clock."""
    head, then = _SAID[entry.event](entry)
    small = say("{} · {}", Time(entry.at, entry.at), mark(entry.number, entry.digest))
    return message(say("{} {}", head, then), Line(lines((head, then))), Small(small))


def _jumped(entry: AuditEntry) -> tuple[Rich, Rich]:
    off = timedelta(seconds=round(float(entry.facts.get("off_s", "0"))))
    back = off < timedelta(0)
    ends = (
        "What is open ends as much sooner by that clock, so that it lasts no longer than was agreed."
        if back
        else "What is open ends by that clock, which is sooner than was agreed."
    )
    way = "back" if back else "forward"
    return (
        say("⚠️ *Redis's clock was set {} by {}.* Nobody is given access now.", way, format_duration(abs(off))),
        say(
            "{} Find out why the clock jumped. Where it is right now, `prodaccess clock accept` lets access be given again; "
            "else that happens after ten minutes without another jump.",
            ours(ends),
        ),
    )


def _steady(_entry: AuditEntry) -> tuple[Rich, Rich]:
    return say("✅ *Redis's clock has been steady for ten minutes.*"), ours("Access is given again.")


def _accepted(entry: AuditEntry) -> tuple[Rich, Rich]:
    by = short(entry.private.get("actor_name") or "An operator", 100)
    reason = short(entry.private.get("reason", ""), 300)
    return say("✅ *{} accepted Redis's clock as right.* Access is given again.", by), say("Why: {}", reason)


_SAID = {Event.CLOCK_JUMPED: _jumped, Event.CLOCK_STEADY: _steady, Event.CLOCK_ACCEPTED: _accepted}
