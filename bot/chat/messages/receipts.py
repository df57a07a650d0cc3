"""Receipts: the root of a thread, one line with the state, and a line for each audit entry under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.chat.messages.approval_card import fallback, headline, status
from bot.chat.views.request_view import RequestStory
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.people import PersonId

# More entries than this go into the next reply, so that none is cut.
ENTRIES_MAX = 20
UNREADABLE_SHOWN = 10
# Of a break-glass everybody reads why and for how long, as long as it lasts.
_UNDER_WAY = frozenset({Stage.SETTING_UP, Stage.ACTIVE})


def receipt_root(story: RequestStory) -> Message:
    """One line, edited as it goes. It calls nobody."""
    if story.hidden:
        line = f"{t.literal(story.environment)} · {story.tier_words} · {story.state} · {story.id}"
        return b.message(line, [b.section(line)])
    waiting = story.stage is Stage.WAITING or (story.break_glass and story.stage in _UNDER_WAY)
    asked = f" · for {format_duration(story.duration)}: {t.literal(story.reason, 120)}" if waiting else ""
    return b.message(fallback(story), [b.section(f"{headline(story)}{asked} · {status(story)} · {story.id}")])


def receipt_replies(
    entries: Sequence[AuditEntry],
    names: Mapping[PersonId, str],
    *,
    deadline: datetime | None = None,
    hidden: bool = False,
) -> Message:
    """At most `ENTRIES_MAX` entries as one message, a line each, oldest first. The caller sends the others after it.

    `deadline`: the grant's, for "active until". `hidden`: leave out who and why.
    """
    lines = [receipt_line(entry, names, deadline=deadline, hidden=hidden) for entry in entries[:ENTRIES_MAX]]
    return b.message("\n".join(lines), b.paragraphs(lines))


def receipt_line(
    entry: AuditEntry, names: Mapping[PersonId, str], *, deadline: datetime | None = None, hidden: bool = False
) -> str:
    """`03:20 approved by Olu Owner · #1873 9f2c41d07ab3`."""
    words = event_words(entry, names, deadline=deadline, hidden=hidden)
    return f"{t.when(entry.at, entry.at)} {t.render(words, entry.at)} · {mark(entry.number, entry.digest)}"


def mark(number: int, digest: str) -> str:
    """What makes the channel a witness: the entry's number and the first 12 hex digits of its digest."""
    return f"#{number} {t.literal(digest[:12])}".rstrip()


def policy_activated(entry: AuditEntry, command: str = "/prodaccess") -> Message:
    """The rules have changed: which copy is in force, and what is different. Reads the entry that activation wrote."""
    commit = f" (commit {t.literal(entry.facts['commit'][:12])})" if entry.facts.get("commit") else ""
    line = f"📜 Policy {t.literal(entry.facts.get('policy', '')[:12])} is in force{commit}"
    changed = [item for item in entry.private.get("difference", "").splitlines() if item.strip()]
    told = [f"• {t.literal(item, 300)}" for item in changed] or ["Nothing that decides anything has changed."]
    small = f"{t.when(entry.at, entry.at)} · {mark(entry.number, entry.digest)} · `{command} envs` lists what there is"
    return b.message(line, [b.section(line), *b.paragraphs(told, 8000), b.context(small)])


def unreadable(entries: Sequence[AuditEntry]) -> Message:
    """An alarm for the people who run this: what cannot be read, what that means, what to do."""
    line = "⚠️ Something in my records cannot be read"
    shown = [
        f"• {t.literal(item.private.get('why') or item.private.get('what', ''), 200)} · {mark(item.number, item.digest)}"
        for item in entries[:UNREADABLE_SHOWN]
    ]
    more = (
        [f"… and {len(entries) - len(shown)} more: `/readyz` and the log have them"]
        if len(entries) > len(shown)
        else []
    )
    means = (
        "Each harms itself alone: what rests on it is refused, and access that it stands for still ends on time. "
        "The platform team looks it up under *What cannot be read* in docs/operations.md."
    )
    return b.message(line, [b.section(line), *b.paragraphs([*shown, *more]), b.context(means)])


def summary(stories: Sequence[RequestStory], count: int | None = None, command: str = "/prodaccess") -> Message:
    """In place of many messages, when more wait for a channel than it can take: one line each, then the rest as a number."""
    total = len(stories) if count is None else max(count, len(stories))
    head = f"{total} things changed here while messages had to wait. How they stand now:"
    lines = [_summed(story) for story in stories]
    more = f"… and {total - len(stories)} more: `{command} list`" if total > len(stories) else None
    tail = b.context(more) if more else None
    return b.message(head, [b.section(head), *b.paragraphs(lines, 11_000), tail])


def _summed(story: RequestStory) -> str:
    if story.hidden:
        return f"• {t.literal(story.environment)} · {story.state} · {story.id}"
    return f"• {headline(story)} · {status(story)} · {story.id}"
