"""A user in a target that is another person's from now on, because whoever runs the installation said so."""

from __future__ import annotations

from bot.chat.message import Line, Message, Small, message
from bot.chat.rich import Time, join, lines, say, short
from bot.chat.views.state_lines import stop
from workflows.core.audit import AuditEntry
from workflows.core.provider import NAME, spoken


def moved(entry: AuditEntry, mark: str = "") -> Message:
    """For the receipts channel (with its mark), security, and both people."""
    said = {name: short(text, 300) for name, text in entry.private.items()}
    line = say(
        "🔁 {} says that the {} user {} is {}'s from now on, and no longer {}'s.",
        said.get("actor_name") or "An operator",
        spoken(NAME, entry.facts.get("user", "")),
        short(entry.facts.get("user", "").rpartition(":")[2], 100),
        said.get("person_name") or "somebody",
        said.get("before_name") or "somebody else",
    )
    why = say("Why: {} Where that is not right, tell security.", stop(said.get("reason", "")))
    small = join((Time(entry.at, entry.at), mark))
    return message(say("{} {}", line, why), Line(lines((line, why))), Small(small))
