"""Calls to those who can decide, while nobody has: the reminder, and the next group. Each is one message, sent once."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.messages.approval_card import approve_button, deny_button, headline
from bot.chat.views.request_view import RequestStory
from bot.chat.wording.labels import Asked, people, rounded
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.durations import format_duration


def reminder(story: RequestStory, ids: Sequence[str]) -> Message:
    """Under the card. `ids`: Slack ids of those who can decide and have not."""
    who = _called(ids, story)
    line = f"⏳ {who}: {_still(story)}"
    return b.message(
        f"{line} {story.id}",
        [b.section(line), b.context(f"expires {t.when(story.expires, story.now)} · {story.id}")],
    )


def escalated(story: RequestStory, ids: Sequence[str], *, on_card: bool = True) -> Message:
    """To the next group: under the card, or with buttons of its own where there is no channel."""
    waited = rounded((story.escalated_at or story.now) - story.created_at)
    # Who has agreed has answered.
    so_far = f"not enough people have agreed in {waited}" if story.agreed_by else f"nobody has answered for {waited}"
    line = f"🔔 {_called(ids, story)}: {so_far}. {_still(story)}"
    buttons = None
    if story.escalation_approves:
        then = "You may approve or deny it, on the card above." if on_card else "You may approve or deny it."
        buttons = None if on_card else b.actions(approve_button(story), deny_button(story))
    else:
        owners = people(story.owners, "or") or "its owners"
        then = f"Please find somebody of {t.literal(owners, 200)}: they can decide, and you cannot."
    return b.message(
        f"{line} {then} {story.id}",
        [
            b.section(f"{line}\n{then}"),
            b.context(f"expires {t.when(story.expires, story.now)} · {story.id}"),
            buttons,
        ],
    )


def _still(story: RequestStory) -> str:
    """Who waits for what, and why: whoever reads this may never have seen the card."""
    return f"{headline(story)} for {format_duration(story.duration)}: {t.literal(story.reason, 200)}."


def _called(ids: Sequence[str], story: RequestStory) -> str:
    """By mention; by the group's name where nobody is known."""
    groups = story.escalated_to or tuple(need.label for need in story.needs if need.open)
    return t.call(Asked(groups), {groups[0]: ids} if groups else {})
