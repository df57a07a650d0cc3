"""What is said of a break-glass: its card, to whom it is told directly, and the review until it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.chat.messages.approval_card import end_button, fallback, headline, small_print, ticket
from bot.chat.views.request_view import RequestStory
from bot.chat.views.state_lines import short, stop
from bot.chat.wording.labels import Asked, Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.records.oversight import ReviewState

# action_ids of what can be pressed.
ACKNOWLEDGE, FLAG = "acknowledge", "flag"

_OPEN = frozenset({Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING, Stage.STUCK})


def glass_card(story: RequestStory, mentions: t.Mentions | None = None, owners: Sequence[str] = ()) -> Message:
    """The card in the channel, and each owner's own. `owners`: group names to call while the review is owed."""
    if story.hidden:
        line = f"🚨 {t.literal(story.environment)} · {story.tier_words} · {story.state} · {story.id}"
        return b.message(line, [b.section(line)])
    is_open = story.stage in _OPEN
    end = end_button(story, "End early") if story.stage is Stage.ACTIVE else None
    return b.message(
        fallback(story),
        (
            b.section(headline(story)),
            b.quote(story.reason),
            b.fields(_details(story)) if is_open else None,
            b.actions(end, *review_buttons(story)),
            b.context(f"{small_print(story)}\n{review_line(story, mentions, owners)}".rstrip()),
        ),
    )


def _details(story: RequestStory) -> list[tuple[str, str]]:
    return [
        ("For", format_duration(story.duration)),
        ("Allows", t.literal(story.allows)),
        ("Ticket", ticket(story)),
        ("⚠️ Dangerous", t.literal(story.danger) if story.danger else ""),
    ]


def review_buttons(story: RequestStory) -> list[dict[str, Any]]:
    """While the review is owed. A press on one's own is refused; a card in a channel looks the same to all."""
    if story.review is not ReviewState.OWED:
        return []
    value = b.value_of(story.id, story.terms.hash)
    return [b.button("Acknowledge", ACKNOWLEDGE, value), b.button("Flag...", FLAG, value, style="danger")]


def review_line(story: RequestStory, mentions: t.Mentions | None = None, owners: Sequence[str] = ()) -> str:
    """How the review stands, as mrkdwn."""
    if story.review is ReviewState.ACKNOWLEDGED:
        return f"📝 Review: acknowledged by {t.literal(story.reviewed_by, 100)}"
    if story.review is ReviewState.FLAGGED:
        note = f": {t.literal(story.review_note, 300)}" if story.review_note else ""
        return f"📝 Review: ⚠️ flagged by {t.literal(story.reviewed_by, 100)}{note}"
    if story.review is None:
        return ""
    who = t.call(Asked(tuple(owners)), mentions or {}) if owners else "an owner"
    return f"📝 Review owed by {who} {_due(story)}"


def _due(story: RequestStory) -> str:
    if story.review_due is None:
        return ""
    when = t.when(story.review_due, story.now, with_day=True)
    return f"since {when}: overdue" if story.review_overdue else f"until {when}"


def _what(story: RequestStory) -> str:
    if story.hidden:
        return f"*{t.literal(story.title, 100)}* ({story.tier_words})"
    return f"*{t.literal(story.role, 80)}* in *{t.literal(story.title, 100)}* ({story.tier_words})"


def _whose(story: RequestStory) -> str:
    return "A break-glass" if story.hidden else f"{t.literal(story.holder, 100)}'s break-glass"


def chase(
    story: RequestStory, mentions: t.Mentions | None = None, owners: Sequence[str] = (), command: str = "/prodaccess"
) -> Message:
    """Somebody has to review it. `owners`: group names to call, where it stands in a channel."""
    called = f"{t.call(Asked(tuple(owners)), mentions or {})}: " if owners else ""
    line = f"📝 {called}{_whose(story)}, {_what(story)}, waits for its review {_due(story)}."
    how = f"`{command} acknowledge {story.id}` where it was in order, `{command} flag {story.id} NOTE` where it was not"
    return b.message(f"{line} {story.id}", [b.section(line), b.actions(*review_buttons(story)), b.context(how)])


def reviewed(story: RequestStory) -> Message:
    """What a reminder becomes when the review is done."""
    line = f"{_whose(story)}, {_what(story)} · {review_line(story)}"
    return b.message(f"{line} {story.id}", [b.context(f"{line} · {story.id}")])


def flagged(story: RequestStory, *, to_holder: bool, command: str = "/prodaccess") -> Message:
    """To security, and to the holder."""
    note = f": {t.literal(stop(short(story.review_note, 500)), 510)}" if story.review_note else "."
    by = t.literal(story.reviewed_by or "Somebody", 100)
    whose = "your break-glass" if to_holder else _whose(story)
    line = f"⚠️ {by} flagged {whose}, {_what(story)}{note}"
    lift = f"`{command} lift WHO REASON`"
    then = (
        "You can break no glass until security lifts that. Talk to them."
        if to_holder
        else f"They can break no glass until one of you lifts that: {lift}."
    )
    return b.message(f"{line} {story.id}", [b.section(f"{line}\n{then}"), b.context(story.id)])


def unannounced(story: RequestStory, *, command: str = "/prodaccess") -> Message:
    """No channel could be told of it: to everybody concerned, and to the channel as soon as it takes messages again."""
    line = f"🚨 {_whose(story)}, {_what(story)}, could not be announced in any channel for two minutes."
    reason = "" if story.hidden else f"\n> {t.literal(story.reason, 300)}"
    until = f" until {t.when(story.until, story.now)}" if story.until and story.stage is Stage.ACTIVE else ""
    then = f"{story.state}{until}. Tell each other by other means, and look: `{command} show {story.id}`."
    return b.message(f"{line} {story.id}", [b.section(f"{line}{reason}\n{then}"), b.context(story.id)])


def lifted(entry: AuditEntry, now: datetime) -> Message:
    """To the person, after security has lifted a bar or a block."""
    by = t.literal(entry.private.get("actor_name") or "Security", 100)
    reason = entry.private.get("reason", "")
    why = f": {t.literal(stop(short(reason)), 310)}" if reason else "."
    line = f"✅ {by} lifted what kept you from asking or breaking the glass{why}"
    return b.message(line, [b.section(line), b.context(t.when(entry.at, now))])


def lifted_receipt(entry: AuditEntry, mark: str) -> Message:
    """The same for the receipts channel."""
    by = t.literal(entry.private.get("actor_name") or "Security", 100)
    whom = t.literal(entry.private.get("person_name") or "somebody", 100)
    reason = t.literal(entry.private.get("reason", ""), 300)
    line = f"{by} lifted what kept {whom} from breaking the glass: {reason}"
    return b.message(line, [b.section(line), b.context(f"{t.when(entry.at, entry.at)} · {mark}")])
