"""Calls to those who can decide, while nobody has: the reminder, and the next group. Each is one message, sent once."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import Line, Message, Small, buttons, message
from bot.chat.messages.approval_card import approve_button, deny_button, headline
from bot.chat.rich import NOTHING, Mention, Rich, Time, call, lines, ours, say, short
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Asked, people, rounded
from workflows.core.durations import format_duration


def reminder(view: RequestView, ids: Sequence[Mention]) -> Message:
    """Under the card. `ids`: those who can decide and have not, as this chat calls them."""
    line = say("⏳ {}: {}", _called(ids, view), _still(view))
    return message(say("{} {}", line, view.id), Line(line), _expires(view))


def escalated(view: RequestView, ids: Sequence[Mention], *, on_card: bool = True) -> Message:
    """To the next group: under the card, or with buttons of its own where there is no channel."""
    waited = rounded((view.escalated_at or view.now) - view.created_at)
    # Who has agreed has answered.
    so_far = f"not enough people have agreed in {waited}" if view.agreed_by else f"nobody has answered for {waited}"
    line = say("🔔 {}: {}. {}", _called(ids, view), ours(so_far), _still(view))
    press = None
    if view.escalation_approves:
        then = ours("You may approve or deny it, on the card above." if on_card else "You may approve or deny it.")
        press = None if on_card else buttons(approve_button(view), deny_button(view))
    else:
        owners = people(view.owners, "or") or "its owners"
        then = say("Please find somebody of {}: they can decide, and you cannot.", short(owners, 200))
    return message(say("{} {} {}", line, then, view.id), Line(lines((line, then))), _expires(view), press)


def _expires(view: RequestView) -> Small:
    return Small(say("expires {} · {}", Time(view.expires, view.now), view.id))


def _still(view: RequestView) -> Rich:
    """Who waits for what, and why: whoever reads this may never have seen the card."""
    time = NOTHING if view.pipeline else say(" for {}", format_duration(view.duration))
    return say("{}{}: {}.", headline(view), time, short(view.reason, 200))


def _called(ids: Sequence[Mention], view: RequestView) -> Rich:
    """By mention; by the group's name where nobody is known."""
    groups = view.escalated_to or tuple(need.label for need in view.needs if need.open)
    return call(Asked(groups), {groups[0]: ids} if groups else {}, names=view.called_names)
