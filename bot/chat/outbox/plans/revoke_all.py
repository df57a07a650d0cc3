"""Which messages a bulk revocation has, and where."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import stamp
from bot.chat.messages.revoke_all import progress
from bot.chat.outbox.plans.planning import PlannedMessage, seen_in
from bot.chat.outbox.plans.webhook import told_of_all
from bot.chat.places import direct_to
from bot.chat.views.request_view import RequestView
from workflows.core.policy import Policy
from workflows.core.records.oversight import BulkRevocation


def revoke_all_planned(
    bulk_revocation: BulkRevocation, views: Sequence[RequestView], policy: Policy, command: str
) -> list[PlannedMessage]:
    """Where it is told: the receipts channels, which see no more of hidden environments than they may, and whoever pressed."""
    told = {channel: [seen_in(view, policy, channel) for view in views] for channel in policy.receipts_channels}
    told[direct_to(bulk_revocation.by_slack)] = list(views)
    if bulk_revocation.finished_at is not None:
        # It fills up no more.
        told |= {place: [seen_in(view, policy, place) for view in views] for place in told_of_all(policy)}
    group = policy.panic_group or ""
    found = []
    for place, shown in told.items():
        message = progress(bulk_revocation, shown, command, panic_group=group)
        found.append(PlannedMessage(f"panic:{place}", place, message, key=stamp(message)))
    return found
