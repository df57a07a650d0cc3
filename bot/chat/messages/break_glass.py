"""What is said of a break-glass: its card, to whom it is told directly, and the review until it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.chat.message import Button, Line, Message, Small, buttons, fields, message, quote, value_of
from bot.chat.messages.approval_card import end_button, fallback, headline, small_print, ticket
from bot.chat.rich import NOTHING, Mentions, Quoted, Rich, Time, call, join, lines, ours, say, short
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


def glass_card(story: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = ()) -> Message:
    """The card in the channel, and each owner's own. `owners`: group names to call while the review is owed."""
    if story.hidden:
        line = say("🚨 {} · {} · {} · {}", short(story.environment), story.tier_words, story.state, story.id)
        return message(line, Line(line))
    is_open = story.stage in _OPEN
    end = end_button(story, "End early") if story.stage is Stage.ACTIVE else None
    return message(
        fallback(story),
        Line(headline(story)),
        quote(story.reason),
        fields(_details(story)) if is_open else None,
        buttons(end, *review_buttons(story)),
        Small(lines((small_print(story), review_line(story, mentions, owners)))),
    )


def _details(story: RequestView) -> list[tuple[str, Rich]]:
    return [
        ("For", say("{}", format_duration(story.duration))),
        ("Allows", say("{}", short(story.allows))),
        ("Ticket", ticket(story)),
        ("⚠️ Dangerous", say("{}", short(story.danger or ""))),
    ]


def review_buttons(story: RequestView) -> list[Button]:
    """While the review is owed. A press on one's own is refused; a card in a channel looks the same to all."""
    if story.review is not ReviewState.OWED:
        return []
    value = value_of(story.id, story.terms.hash)
    return [Button("Acknowledge", ACKNOWLEDGE, value), Button("Flag...", FLAG, value, style="danger")]


def review_line(story: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = ()) -> Rich:
    """How the review stands."""
    if story.review is ReviewState.ACKNOWLEDGED:
        return say("📝 Review: acknowledged by {}", short(story.reviewed_by, 100))
    if story.review is ReviewState.FLAGGED:
        note = say(": {}", short(story.review_note, 300)) if story.review_note else NOTHING
        return say("📝 Review: ⚠️ flagged by {}{}", short(story.reviewed_by, 100), note)
    if story.review is None:
        return NOTHING
    who = call(Asked(tuple(owners)), mentions or {}) if owners else ours("an owner")
    return join((say("📝 Review owed by {}", who), _due(story)), " ")


def _due(story: RequestView) -> Rich:
    if story.review_due is None:
        return NOTHING
    when = Time(story.review_due, story.now, with_day=True)
    return say("since {}: overdue", when) if story.review_overdue else say("until {}", when)


def _what(story: RequestView) -> Rich:
    if story.hidden:
        return say("*{}* ({})", short(story.title, 100), story.tier_words)
    return say("*{}* in *{}* ({})", short(story.role, 80), short(story.title, 100), story.tier_words)


def _whose(story: RequestView) -> Rich:
    return ours("A break-glass") if story.hidden else say("{}'s break-glass", short(story.holder, 100))


def chase(
    story: RequestView, mentions: Mentions | None = None, owners: Sequence[str] = (), command: str = "/prodaccess"
) -> Message:
    """Somebody has to review it. `owners`: group names to call, where it stands in a channel."""
    called = say("{}: ", call(Asked(tuple(owners)), mentions or {})) if owners else NOTHING
    line = say("📝 {}{}, {}, waits for its review {}.", called, _whose(story), _what(story), _due(story))
    how = say(
        "`{command} acknowledge {id}` where it was in order, `{command} flag {id} NOTE` where it was not",
        command=command,
        id=story.id,
    )
    return message(say("{} {}", line, story.id), Line(line), buttons(*review_buttons(story)), Small(how))


def reviewed(story: RequestView) -> Message:
    """What a reminder becomes when the review is done."""
    line = say("{}, {} · {}", _whose(story), _what(story), review_line(story))
    return message(say("{} {}", line, story.id), Small(say("{} · {}", line, story.id)))


def flagged(story: RequestView, *, to_holder: bool, command: str = "/prodaccess") -> Message:
    """To security, and to the holder."""
    by = short(story.reviewed_by or "Somebody", 100)
    whose = ours("your break-glass") if to_holder else _whose(story)
    line = say("⚠️ {} flagged {}, {}{}", by, whose, _what(story), _why(story.review_note, 500))
    then = (
        ours("You can break no glass until security lifts that. Talk to them.")
        if to_holder
        else say("They can break no glass until one of you lifts that: `{} lift WHO REASON`.", command)
    )
    return message(say("{} {}", line, story.id), Line(lines((line, then))), Small(say("{}", story.id)))


def _why(text: str, length_max: int = 300) -> Rich:
    """The end of a sentence: what was given as its reason, if anything was."""
    return say(": {}", short(stop(state_lines.short(text, length_max)), length_max + 10)) if text else ours(".")


def unannounced(story: RequestView, *, command: str = "/prodaccess") -> Message:
    """No channel could be told of it: to everybody concerned, and to the channel as soon as it takes messages again."""
    line = say("🚨 {}, {}, could not be announced in any channel for two minutes.", _whose(story), _what(story))
    reason = NOTHING if story.hidden else (Quoted(say("{}", short(story.reason, 300))),)
    until = say(" until {}", Time(story.until, story.now)) if story.until and story.stage is Stage.ACTIVE else NOTHING
    look = say("`{} show {}`", command, story.id)
    then = say("{}{}. Tell each other by other means, and look: {}.", story.state, until, look)
    return message(say("{} {}", line, story.id), Line(lines((line, reason, then))), Small(say("{}", story.id)))


def lifted(entry: AuditEntry, now: datetime) -> Message:
    """To the person, after security has lifted a bar or a block."""
    by = short(entry.private.get("actor_name") or "Security", 100)
    why = _why(entry.private.get("reason", ""))
    line = say("✅ {} lifted what kept you from asking or breaking the glass{}", by, why)
    return message(line, Line(line), Small((Time(entry.at, now),)))


def lifted_receipt(entry: AuditEntry, mark: str) -> Message:
    """The same for the receipts channel."""
    by = short(entry.private.get("actor_name") or "Security", 100)
    whom = short(entry.private.get("person_name") or "somebody", 100)
    reason = short(entry.private.get("reason", ""), 300)
    line = say("{} lifted what kept {} from breaking the glass: {}", by, whom, reason)
    return message(line, Line(line), Small(say("{} · {}", Time(entry.at, entry.at), mark)))
