"""A request in the receipts channels: a root that follows it, and its entries in the thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.messages import receipts
from bot.chat.outbox.plans.planning import OVER, PlannedMessage, PlanningInput, for_channel, rendered
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.chat import ChatRecord
from workflows.core.records.request import Request

# Entries that say nothing to people beside the ones around them.
# What the root says by itself.
ASKED = frozenset({Event.REQUEST_MADE, Event.GATE_ASKED})
_SILENT = frozenset({Event.REQUEST_RESOLVED, Event.REQUEST_REMINDED})


def receipts_of(planning: PlanningInput) -> list[PlannedMessage]:
    if not (planning.view.resolved or planning.view.stage in OVER):
        return []
    channels = receipt_channels(planning.request, planning.receipts_channels)
    return [item for channel in channels for item in _thread(planning, channel)]


def receipt_channels(request: Request, everywhere: Sequence[str]) -> list[str]:
    """Where its receipts stand: those of the policy, and the channel of an incident in which it was asked for."""
    origin = request.origin
    here = origin.channel if origin.receipts_here else ""
    return list(dict.fromkeys(filter(None, [here, *everywhere])))


def root_slot(channel: str) -> str:
    return f"receipts:{channel}"


def is_receipt(planned: PlannedMessage) -> bool:
    return planned.slot.startswith(("receipts:", "lines:")) and not planned.urgent


def news_of(chat: ChatRecord, entries: Sequence[AuditEntry], channel: str) -> list[AuditEntry]:
    """The entries that this channel has not been told yet, by the thread or by a summary (see `summary`)."""
    told = chat.told.get(root_slot(channel), 0)
    return [entry for entry in entries if entry.number > told and entry.event not in _SILENT]


def _thread(planning: PlanningInput, channel: str) -> list[PlannedMessage]:
    root = root_slot(channel)
    lines = _lines(planning, channel, root)
    if lines is None and root in planning.chat.told and root not in planning.chat.postings:
        # A summary told all there is; a thread begins with what happens next.
        return []
    found = [replace(rendered(planning, root, channel, receipts.receipt_root), urgent=planning.request.break_glass)]
    return [*found, lines] if lines else found


def _lines(planning: PlanningInput, channel: str, root: str) -> PlannedMessage | None:
    """The entries that the thread has not told yet. While somebody is waited for, the root says it all."""
    news = news_of(planning.chat, planning.entries, channel)
    if not news or (planning.view.stage is Stage.WAITING and all(entry.event in ASKED for entry in news)):
        return None
    shown = news[: receipts.ENTRIES_MAX]
    view = for_channel(planning, channel)
    who = planning.request
    names = {who.holder: who.holder_name, who.requester: who.requester_name}
    deadline, provider = planning.view.deadline, view.provider
    message = receipts.receipt_replies(shown, names, deadline=deadline, hidden=view.hidden, provider=provider)
    slot = f"lines:{shown[0].number}:{channel}"
    return PlannedMessage(slot, channel, message, key="once", under=root, told=shown[-1].number)
