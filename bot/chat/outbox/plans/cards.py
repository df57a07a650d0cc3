"""The cards that people decide on, and calls while nobody has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import break_glass
from bot.chat.messages import reminders as calls
from bot.chat.messages.gate_card import gate_card
from bot.chat.outbox.plans.planning import (
    OVER,
    PlannedMessage,
    PlanningInput,
    failed,
    for_channel,
    own_channels,
    rendered,
)
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage
from workflows.core.destination import is_person
from workflows.core.records.chat import Posting
from workflows.core.records.oversight import ReviewState


def cards_of(planning: PlanningInput) -> list[PlannedMessage]:
    return [_card(planning, channel) for channel in card_channels(planning)]


def is_card(planned: PlannedMessage) -> bool:
    """Of a request that is to be decided; of break-glass it is an announcement."""
    return planned.slot.startswith("card:") and not planned.urgent


def card_channels(planning: PlanningInput) -> list[str]:
    """Where its card stands, or has to."""
    posted = [slot for slot in planning.chat.postings if slot.startswith("card:")]
    channels = [slot.removeprefix("card:") for slot in posted if planning.chat.postings[slot].error is None]
    if planning.view.resolved and _wants_more_cards(planning, channels):
        channels += [channel for channel in _new_card_channels(planning) if channel not in channels]
    return channels


def _wants_more_cards(planning: PlanningInput, channels: Sequence[str]) -> bool:
    unseen = planning.view.stage not in OVER or _review_owed(planning)
    if channels and all(map(is_person, channels)):
        # Who may decide by now, and could not when it was asked: a delegate, the next group, another shift.
        return planning.view.stage is Stage.WAITING
    own = own_channels(planning.environment)
    return unseen and (not channels or any(channel in own for channel in channels))


def _new_card_channels(planning: PlanningInput) -> list[str]:
    """The approvals channels; the approvers themselves where there is none, or none of them can be posted to."""
    own = own_channels(planning.environment)
    if taking := [channel for channel in own if not failed(planning, f"card:{channel}")]:
        return taking
    if planning.request.break_glass:
        # Its owners are told directly anyway.
        return []
    users = dict.fromkeys(planning.place("card:{}", user) for user in planning.approver_ids)
    return [user for user in users if not failed(planning, f"card:{user}")]


def _card(planning: PlanningInput, channel: str) -> PlannedMessage:
    owners = planning.environment.owners if planning.environment else ()
    mentions = planning.calls.at(channel).mentions
    if planning.request.break_glass:
        announced = rendered(
            planning,
            f"card:{channel}",
            channel,
            lambda view: break_glass.break_glass_card(view, mentions, owners),
        )
        return replace(announced, urgent=True)
    return rendered(
        planning,
        f"card:{channel}",
        channel,
        lambda view: card_of(view)(view, mentions, to_owner=is_person(channel)),
    )


def card_of(view: RequestView) -> Callable[..., Message]:
    return gate_card if view.gate is not None else cards.approval_card


def _review_owed(planning: PlanningInput) -> bool:
    return planning.review is not None and planning.review.state is ReviewState.OWED


# ---------------------------------------------------------------- calls, while nobody has answered


def calls_to(planning: PlanningInput) -> list[PlannedMessage]:
    """The newest reminder alone: one that Slack did not take in time is not sent after the next."""
    if planning.view.stage is not Stage.WAITING:
        return []
    return [*_reminders(planning), *_escalation(planning)]


def _reminders(planning: PlanningInput) -> list[PlannedMessage]:
    reminders = planning.view.reminded_at
    if not reminders:
        return []
    found = []
    for channel in _posted_cards(planning, before=reminders[-1]):
        if not is_person(channel) or channel in planning.reminded:
            ids = [channel] if is_person(channel) else planning.calls.at(channel).reminded
            message = calls.reminder(for_channel(planning, channel), ids)
            found.append(
                PlannedMessage(
                    f"reminder:{len(reminders)}:{channel}", channel, message, key="once", under=f"card:{channel}"
                )
            )
    return found


def _escalation(planning: PlanningInput) -> list[PlannedMessage]:
    """Under the card; where the card went to people, to each of those who are called and have none."""
    if planning.view.escalated_at is None:
        return []
    posted = frozenset(cards := _posted_cards(planning))
    found = [
        PlannedMessage(
            f"escalated:{channel}",
            channel,
            calls.escalated(for_channel(planning, channel), planning.calls.at(channel).called),
            key="once",
            under=f"card:{channel}",
        )
        for channel in cards
        if not is_person(channel)
    ]
    if found:
        return found
    called = planning.called_people if not planning.view.escalation_approves else ()
    return [
        PlannedMessage(f"escalated:{user}", user, calls.escalated(planning.view, [user], on_card=False), key="once")
        for user in dict.fromkeys(planning.place("escalated:{}", one) for one in called)
        if posted.isdisjoint((user, *planning.elsewhere.get(user, ())))
    ]


def _posted_cards(planning: PlanningInput, before: datetime | None = None) -> list[str]:
    """Where the card stands; `before`: those that stood there by then, because a newer one is no old news."""
    found = planning.chat.postings.items()
    stands = {slot.removeprefix("card:"): post.posted_at_s for slot, post in found if _is_card(slot, post) and post.ts}
    return [channel for channel, at_s in stands.items() if before is None or at_s < before.timestamp()]


def _is_card(slot: str, posting: Posting) -> bool:
    return slot.startswith("card:") and posting.error is None
