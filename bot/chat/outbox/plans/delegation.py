"""Which messages a delegate has by now, and what becomes of those of an earlier delegation: pure, as `plan` is."""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Message, stamp
from bot.chat.messages.delegation import ended, over, to_the_delegate
from bot.chat.outbox.plans.planning import PlannedMessage
from workflows.core.people import Delegation
from workflows.core.records.chat import ChatRecord

DELEGATED = "delegation:"


def delegation_planned(
    record: ChatRecord, user: str, by_name: str, found: Delegation | None, now: datetime, command: str
) -> list[PlannedMessage]:
    """What the account `user` is told: `found` where it decides in the place of `by_name` now, None where it does not.

    What was said of an earlier one is brought up to date, and that it is over is news.
    """
    current = f"{DELEGATED}{_stamp(found)}" if found else ""
    told = to_the_delegate(found, now, command) if found else None
    planned = [PlannedMessage(current, user, told, key="once")] if told else []
    for slot, posting in record.postings.items():
        if not slot.startswith(DELEGATED) or slot == current or posting.ts is None or _over_at(slot) <= now.timestamp():
            continue
        planned.append(_kept(slot, user, told or over(by_name)))
        if told is None:
            planned.append(PlannedMessage(f"ended:{slot}", user, ended(by_name), key="once"))
    return planned


def _stamp(found: Delegation) -> str:
    return f"{int(found.at.timestamp())}-{int(found.until.timestamp())}"


def _over_at(slot: str) -> float:
    """When that delegation ended by itself: its message said so, and stays true."""
    _, _, until = slot.removeprefix(DELEGATED).partition("-")
    return float(until) if until.isdigit() else 0.0


def _kept(slot: str, user: str, current: Message) -> PlannedMessage:
    return PlannedMessage(slot, user, current, key=stamp(current))
