"""What is said of a break-glass: its card, to whom it is told directly, and the review until it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.chat.message import Button, Line, Message, Small, buttons, fields, message, quote, value_of
from bot.chat.messages.approval_card import deny_button, end_button, fallback, said, small_print, ticket, top
from bot.chat.messages.gate_card import gate_details
from bot.chat.rich import NOTHING, Mentions, Rich, Time, call, lines, ours, say, short
from bot.chat.views import state_lines
from bot.chat.views.request_view import RequestView
from bot.chat.views.state_lines import stop
from bot.chat.wording.labels import Asked, Stage
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.records.oversight import ReviewState

# action_ids of what can be pressed.
ACKNOWLEDGE, FLAG = "acknowledge", "flag"

_OPEN = frozenset({Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING, Stage.STUCK})


def break_glass_card(
    view: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = (), *, directly: bool = False
) -> Message:
    """The card in the channel, and each owner's own. `owners`: group names to call while the review is owed. `directly`: one of
    those who review it reads it alone; not all of them may deny what waits at a gate.
    """
    if view.hidden:
        line = say("🚨 {} · {} · {} · {}", short(view.environment), view.tier_words, view.state, view.id)
        return message(line, Line(line))
    if view.pipeline:
        return _opened_card(view, mentions, owners, directly=directly)
    is_open = view.stage in _OPEN
    end = end_button(view, "End early") if view.stage is Stage.ACTIVE else None
    return message(
        fallback(view),
        Line(lines((top(view), review_line(view, mentions, owners)))),
        quote(view.reason),
        fields(_details(view)) if is_open else None,
        buttons(end, *review_buttons(view)),
        Small(small_print(view)),
    )


def _opened_card(view: RequestView, mentions: Mentions | None, owners: Sequence[str], *, directly: bool) -> Message:
    """Of a gate: what its pipeline does, who opened it and why, and how the review stands."""
    emergency = view.gate.emergency if view.gate is not None else None
    alive = view.stage in _OPEN or view.stage is Stage.AGREED
    call_off = deny_button(view) if view.stage is Stage.AGREED and not directly else None
    end = end_button(view, "End early") if view.stage is Stage.ACTIVE else None
    return message(
        fallback(view),
        Line(lines((top(view), review_line(view, mentions, owners)))),
        quote(view.reason),
        Line(say("🚨 Opened in an emergency by {}:", short(view.broke, 100))),
        quote(emergency.reason) if emergency is not None else None,
        fields([*gate_details(view), ("Ticket", ticket(view))]) if alive else None,
        buttons(call_off, end, *review_buttons(view)),
        Small(small_print(view)),
    )


def _details(view: RequestView) -> list[tuple[str, Rich]]:
    return [
        ("For", say("{}", format_duration(view.duration))),
        ("Allows", say("{}", short(view.allows))),
        ("Ticket", ticket(view)),
        ("⚠️ Dangerous", say("{}", short(view.danger or ""))),
    ]


def review_buttons(view: RequestView) -> list[Button]:
    """While the review is owed. A press on one's own is refused; a card in a channel looks the same to all."""
    if view.review is not ReviewState.OWED:
        return []
    value = value_of(view.id, view.terms.hash)
    return [
        Button("Acknowledge...", ACKNOWLEDGE, value, said=said(view, "Acknowledge")),
        Button("Flag...", FLAG, value, style="danger", said=said(view, "Flag")),
    ]


def review_line(view: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = ()) -> Rich:
    """How the review stands."""
    note = say(": {}", short(view.review_note, 300)) if view.review_note else NOTHING
    if view.review is ReviewState.ACKNOWLEDGED:
        return say("📝 Review: acknowledged by {}{}", short(view.reviewed_by, 100), note)
    if view.review is ReviewState.FLAGGED:
        return say("📝 Review: ⚠️ flagged by {}{}", short(view.reviewed_by, 100), note)
    if view.review is None:
        return NOTHING
    who = call(Asked(tuple(owners)), mentions or {}, names=view.called_names) if owners else ours("an owner")
    return say("📝 Needs review by {}{}", who, _due(view))


def _due(view: RequestView) -> Rich:
    if view.review_due is None:
        return NOTHING
    when = Time(view.review_due, view.now, with_day=True)
    return say(", overdue since {}", when) if view.review_overdue else say(" before {}", when)


def _what(view: RequestView) -> Rich:
    if view.hidden:
        return say("*{}* ({})", short(view.title, 100), view.tier_words)
    what = view.what if view.pipeline else view.role
    return say("*{}* in *{}* ({})", short(what, 80), short(view.title, 100), view.tier_words)


def _whose(view: RequestView) -> Rich:
    return ours("A break-glass") if view.hidden else say("{}'s break-glass", short(view.broke, 100))


def chase(
    view: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = (), command: str = "/prodaccess"
) -> Message:
    """Somebody has to review it. `owners`: group names to call, where it stands in a channel."""
    called = say("{}: ", call(Asked(tuple(owners)), mentions or {}, names=view.called_names)) if owners else NOTHING
    line = say("📝 {}{}, {}, needs a review{}.", called, _whose(view), _what(view), _due(view))
    how = say(
        "`{command} acknowledge {id}` where it was in order, `{command} flag {id} NOTE` where it was not",
        command=command,
        id=view.id,
    )
    return message(say("{} {}", line, view.id), Line(line), buttons(*review_buttons(view)), Small(how))


def reviewed(view: RequestView) -> Message:
    """What a reminder becomes when the review is done."""
    line = say("{}, {} · {}", _whose(view), _what(view), review_line(view))
    return message(say("{} {}", line, view.id), Small(say("{} · {}", line, view.id)))


def flagged(view: RequestView, *, to_holder: bool, command: str = "/prodaccess") -> Message:
    """To security, and to the holder."""
    by = short(view.reviewed_by or "Somebody", 100)
    whose = ours("your break-glass") if to_holder else _whose(view)
    line = say("⚠️ {} flagged {}, {}{}", by, whose, _what(view), _why(view.review_note, 500))
    then = (
        ours("You cannot use break-glass until security lifts that. Talk to them.")
        if to_holder
        else say("They cannot use break-glass until one of you lifts that: `{} lift WHO REASON`.", command)
    )
    return message(say("{} {}", line, view.id), Line(lines((line, then))), Small(say("{}", view.id)))


def _why(text: str, length_max: int = 300) -> Rich:
    """The end of a sentence: what was given as its reason, if anything was."""
    return say(": {}", short(stop(state_lines.short(text, length_max)), length_max + 10)) if text else ours(".")


def unannounced(view: RequestView, *, command: str = "/prodaccess") -> Message:
    """No channel could be told of it: to everybody concerned, and to the channel as soon as it takes messages again."""
    line = say("🚨 {}, {}, could not be announced in any channel for two minutes.", _whose(view), _what(view))
    until = say(" until {}", Time(view.until, view.now)) if view.until and view.stage is Stage.ACTIVE else NOTHING
    look = say("`{} show {}`", command, view.id)
    then = say("{}{}. Tell each other by other means, and look: {}.", view.state, until, look)
    emergency = view.gate.emergency if view.gate is not None else None
    why = emergency.reason if emergency is not None else view.reason
    return message(say("{} {}", line, view.id), Line(line), quote(why), Line(then), Small(say("{}", view.id)))


def lifted(entry: AuditEntry, now: datetime) -> Message:
    """To the person, after security has lifted a bar or a block."""
    by = short(entry.private.get("actor_name") or "Security", 100)
    why = _why(entry.private.get("reason", ""))
    line = say("✅ {} lifted what kept you from asking or using break-glass{}", by, why)
    return message(line, Line(line), Small((Time(entry.at, now),)))


def lifted_receipt(entry: AuditEntry, mark: str) -> Message:
    """The same for the receipts channel."""
    by = short(entry.private.get("actor_name") or "Security", 100)
    whom = short(entry.private.get("person_name") or "somebody", 100)
    reason = short(entry.private.get("reason", ""), 300)
    line = say("{} lifted what kept {} from asking or using break-glass: {}", by, whom, reason)
    return message(line, Line(line), Small(say("{} · {}", Time(entry.at, entry.at), mark)))
