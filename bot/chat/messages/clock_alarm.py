"""The ledger's own clock was set: what that means, told to the receipts channel and to security."""

from __future__ import annotations

from datetime import timedelta

from bot.chat.messages.receipts import mark
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry, Event
from workflows.core.durations import format_duration


def clock_told(entry: AuditEntry) -> Message:
    """One message for each of the three events about the clock."""
    head, then = _SAID[entry.event](entry)
    small = f"{t.when(entry.at, entry.at)} · {mark(entry.number, entry.digest)}"
    return b.message(f"{head} {then}", [b.section(f"{head}\n{then}"), b.context(small)])


def _jumped(entry: AuditEntry) -> tuple[str, str]:
    off = timedelta(seconds=round(float(entry.facts.get("off_s", "0"))))
    back = off < timedelta(0)
    ends = (
        "What is open ends as much sooner by that clock, so that it lasts no longer than was agreed."
        if back
        else "What is open ends by that clock, which is sooner than was agreed."
    )
    return (
        f"⚠️ *Redis's clock was set {'back' if back else 'forward'} by {format_duration(abs(off))}.* Nobody is given access now.",
        f"{ends} Find out why the clock jumped. Where it is right now, `prodaccess clock accept` lets access be given again; "
        "else that happens after ten minutes without another jump.",
    )


def _steady(_entry: AuditEntry) -> tuple[str, str]:
    return "✅ *Redis's clock has been steady for ten minutes.*", "Access is given again."


def _accepted(entry: AuditEntry) -> tuple[str, str]:
    by = t.literal(entry.private.get("actor_name") or "An operator", 100)
    reason = t.literal(entry.private.get("reason", ""), 300)
    return f"✅ *{by} accepted Redis's clock as right.* Access is given again.", f"Why: {reason}"


_SAID = {Event.CLOCK_JUMPED: _jumped, Event.CLOCK_STEADY: _steady, Event.CLOCK_ACCEPTED: _accepted}
