"""What whoever asked, and whoever holds the access, is told by direct messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.message import Message
from bot.chat.messages import notices
from bot.chat.outbox.plans.cards import card_channels
from bot.chat.outbox.plans.planning import OVER, QUIET, PlannedMessage, PlanningInput, Render, rendered
from bot.chat.places import direct_to
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage
from workflows.core.destination import is_channel


def nobody_there(planning: PlanningInput) -> list[PlannedMessage]:
    """Everybody was looked up, and too few are there: whoever asked hears that it cannot be approved as it is."""
    waits = planning.view.stage is Stage.WAITING and planning.view.resolved and not planning.request.break_glass
    user = planning.asker

    def render(view: RequestView) -> Message:
        return notices.nobody_there(view, planning.command, alone=not planning.request.batch)

    wanted = waits and planning.view.nobody and not planning.view.hidden
    return [_to_asker(planning, f"nobody:{user}", user, render)] if wanted or _settles(planning, "nobody") else []


def unreached(planning: PlanningInput) -> list[PlannedMessage]:
    """Nobody who can decide got the card: whoever asked must hear that it waits for nobody."""
    user = planning.asker

    def render(view: RequestView) -> Message:
        return notices.unreached(view, planning.deciders, planning.command, alone=not planning.request.batch)

    wanted = _reaches_nobody(planning) or _settles(planning, "unreached")
    return [_to_asker(planning, f"unreached:{user}", user, render)] if wanted else []


def _reaches_nobody(planning: PlanningInput) -> bool:
    view, tried = planning.view, [slot for slot in planning.chat.postings if slot.startswith("card:")]
    waits = view.stage is Stage.WAITING and view.resolved and not planning.request.break_glass
    found = planning.look_again_s is not None or bool(card_channels(planning))
    return waits and bool(tried) and not view.nobody and not found


def _to_asker(planning: PlanningInput, slot: str, user: str, render: Render) -> PlannedMessage:
    """Kept current where it has a button; of what was asked for in one go each is told once."""
    if planning.request.batch:
        return PlannedMessage(slot, user, render(planning.view), key="once")
    return rendered(planning, slot, user, render, hide=False)


def _settles(planning: PlanningInput, kind: str) -> bool:
    """What it warned of is over: it says so, and offers nothing any more."""
    posting = planning.chat.postings.get(f"{kind}:{planning.asker}")
    over = planning.view.stage in OVER and not planning.request.batch
    return over and posting is not None and posting.ts is not None


# ---------------------------------------------------------------- while it is given, and what became of it


def to_holder(planning: PlanningInput) -> list[PlannedMessage]:
    asker, view, user = planning.asker, planning.view, planning.holder
    found = [_asked(planning, asker)] if planning.request.origin.by_form else []
    if user != asker:
        found += _on_behalf(planning, asker, user)
    active, outcome = f"holder:{user}", f"outcome:{user}"
    number = f":{planning.extended}" if planning.extended else ""
    warn = planning.place("warning:{}" + number, planning.warned_at or user)
    warning = f"warning:{warn}{number}"
    if view.stage is Stage.AGREED or (
        f"agreed:{user}" in planning.chat.postings and view.stage in OVER | {Stage.ACTIVE}
    ):
        found.append(rendered(planning, f"agreed:{user}", user, notices.agreed, hide=False))
    if view.stage is Stage.ACTIVE:
        found.append(rendered(planning, active, user, notices.active, hide=False))
        if planning.warned:
            message = notices.ending(view, planning.command)
            found.append(PlannedMessage(warning, warn, message, key="once"))
    elif active in planning.chat.postings and (view.stage in OVER | {Stage.STUCK} or _removal_drags_on(view)):
        found.append(rendered(planning, active, user, notices.over_active, hide=False))
    found += _old_warnings(planning, warning)
    # For whom somebody else asked, the message that said so says what became of it.
    told = user != asker and active not in planning.chat.postings
    if not told and view.stage in OVER and (view.stage not in QUIET or _missed_its_end(planning, active)):
        found.append(PlannedMessage(outcome, user, notices.outcome(view, planning.command), key="once"))
    return found


def _removal_drags_on(view: RequestView) -> bool:
    """What is taken away in seconds is told when it is gone."""
    return view.stage is Stage.REMOVING and view.error is not None


def _old_warnings(planning: PlanningInput, current: str) -> list[PlannedMessage]:
    """What they warned of has come, or was put off: they say so, and offer nothing any more."""
    over = planning.view.stage in OVER
    sent = {slot: post for slot, post in planning.chat.postings.items() if slot.startswith("warning:") and post.ts}
    old = [slot for slot in sent if over or (slot != current and planning.view.stage is Stage.ACTIVE)]
    return [rendered(planning, slot, sent[slot].channel, notices.settled, hide=False) for slot in old]


def _on_behalf(planning: PlanningInput, asker: str, holder: str) -> list[PlannedMessage]:
    """The holder is told at once; who asked is told what became of it, unless they did that themselves."""
    found = [
        rendered(planning, f"behalf:{holder}", holder, lambda s: notices.asked_for_you(s, planning.command), hide=False)
    ]
    view = planning.view
    news = view.stage in OVER and (view.stage not in QUIET or view.declined)
    if news and not planning.request.origin.by_form:
        found.append(PlannedMessage(f"outcome:{asker}", asker, notices.settled(view), key="once"))
    return found


def _missed_its_end(planning: PlanningInput, active: str) -> bool:
    """It ended, and the holder was never told that it had begun."""
    return planning.view.stage is Stage.ENDED and active not in planning.chat.postings


def _asked(planning: PlanningInput, user: str) -> PlannedMessage:
    """The form's answer, which afterwards shrinks to the state like the card does."""
    slot = f"asked:{user}"

    def render(view: RequestView) -> Message:
        if view.stage is Stage.WAITING:
            return notices.asked(view, planning.deciders)
        return notices.settled(view)

    return rendered(planning, slot, user, render, hide=False)


def beside(planning: PlanningInput, own: Sequence[PlannedMessage]) -> list[PlannedMessage]:
    """Whoever asked in a channel may hear of it there alone, where they get no direct messages."""
    asker, channel = direct_to(planning.request.requester_slack), planning.request.origin.channel
    if not is_channel(channel):
        return [*own]
    return [replace(item, beside=channel) if item.channel == asker else item for item in own]
