"""A user in AWS that is another person's from now on, because whoever runs the installation said so."""

from __future__ import annotations

from bot.chat.views.state_lines import stop
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry


def moved(entry: AuditEntry, mark: str = "") -> Message:
    """For the receipts channel (with its mark), security, and both people."""
    said = {name: t.literal(text, 300) for name, text in entry.private.items()}
    user = t.literal(entry.facts.get("user", "").rpartition(":")[2], 100)
    line = (
        f"🔁 {said.get('actor_name') or 'An operator'} says that the AWS user {user} is "
        f"{said.get('person_name') or 'somebody'}'s from now on, and no longer {said.get('before_name') or 'somebody else'}'s."
    )
    why = f"Why: {stop(said.get('reason', ''))} Where that is not right, tell security."
    small = " · ".join(filter(None, (t.when(entry.at, entry.at), mark)))
    return b.message(f"{line} {why}", [b.section(f"{line}\n{why}"), b.context(small)])
