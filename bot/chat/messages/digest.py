"""The digest: what is open now, most dangerous first, then what needs a hand, then the sums and the record's head."""

from __future__ import annotations

from bot.chat.messages.approval_card import status
from bot.chat.messages.break_glass import review_line
from bot.chat.messages.lists import cannot_be_read
from bot.chat.views.overviews import DigestStory, Place
from bot.chat.views.request_view import RequestStory
from bot.chat.wording.labels import TIER_WORDS, Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message

_REASON_LENGTH_MAX = 60


def digest(story: DigestStory, command: str = "/prodaccess") -> Message:
    """Reasons are cut to 60 characters; what does not fit is counted."""
    hands = _hands(story)
    parts = [
        b.section(f"*{_head(story)}*"),
        *b.paragraphs(_places(story), 8000, f"… and {{}} more lines: `{command} list`"),
    ]
    if story.agreed:
        later = [f"• {_who(item)} · {status(item)} · {item.id}" for item in story.agreed]
        parts += [b.section("*Begins later*"), *b.paragraphs(later, 2000, f"… and {{}} more: `{command} pending`")]
    if hands:
        parts += [b.section("*Needs a hand*"), *b.paragraphs(hands, 3000, f"… and {{}} more: `{command} pending`")]
    return b.message(_fallback(story), [*parts, b.context(_sums(story))])


def _head(story: DigestStory) -> str:
    if story.active:
        return f"Active access: {story.active}"
    if story.stuck or story.unread:
        return "Nothing else is active"
    last = f" Last access ended {t.when(story.last_ended, story.now, with_day=True)}." if story.last_ended else ""
    return f"Nothing active.{last}"


def _fallback(story: DigestStory) -> str:
    hands = f" · ⚠️ {len(story.stuck)} could not be removed" if story.stuck else ""
    hands += f" · ⚠️ {len(story.unread)} cannot be read" if story.unread else ""
    late = sum(item.review_overdue for item in story.reviews)
    hands += f" · 📝 {late} review{'s' if late > 1 else ''} overdue" if late else ""
    waits = f" · {len(story.waiting)} unanswered" if story.waiting else ""
    return f"{_head(story)}{hands}{waits}"


def _places(story: DigestStory) -> list[str]:
    return [line for place in story.places for line in (_title(place), *map(_line, place.stories))]


def _title(place: Place) -> str:
    return f"*{t.literal(place.title, 100)}* · {TIER_WORDS[place.tier]}"


def _line(story: RequestStory) -> str:
    """Who, role, until, approved by, reason."""
    if story.hidden:
        return f"• {story.state} · {story.id}"
    until = _until(story)
    age = f"since {t.when(story.activated_at, story.now)}" if story.activated_at else ""
    parts = [
        f"{t.literal(story.holder, 80)} · {t.literal(story.role, 60)}",
        until,
        t.literal(story.approved_by, 120),
        t.literal(story.reason, _REASON_LENGTH_MAX),
        age,
        story.id,
    ]
    return "• " + " · ".join(part for part in parts if part)


def _until(story: RequestStory) -> str:
    if story.until is None or story.stage is not Stage.ACTIVE:
        return story.state
    return f"until {t.when(story.until, story.now)}"


def _hands(story: DigestStory) -> list[str]:
    lost = [cannot_be_read(story.unread)] if story.unread else []
    stuck = [f"• {_who(item)} · {status(item)} · {item.id}" for item in story.stuck]
    waiting = [f"• {_who(item)} · {_since(item)} · {item.id}" for item in story.waiting]
    return lost + stuck + [_review(item) for item in story.reviews] + waiting


def _review(story: RequestStory) -> str:
    """A review that somebody owes."""
    return f"• 🚨 {_who(story)} · {review_line(story)} · {story.id}"


def _since(story: RequestStory) -> str:
    return f"waits since {t.when(story.created_at, story.now)}, expires {t.when(story.expires, story.now)}"


def _who(story: RequestStory) -> str:
    place = t.literal(story.title, 80)
    return place if story.hidden else f"{t.literal(story.holder, 80)} · {t.literal(story.role, 60)} in {place}"


def _sums(story: DigestStory) -> str:
    overdue = sum(item.review_overdue for item in story.reviews)
    owed = len(story.reviews) - overdue
    counts = (
        (overdue, "reviews overdue" if overdue > 1 else "review overdue"),
        (owed, "reviews owed" if owed > 1 else "review owed"),
        *((len(story.waiting), "unanswered"), (len(story.stuck), "could not be removed")),
        (len(story.unread), "cannot be read"),
    )
    said = [f"{count} {word}" for count, word in counts if count] or ["Nothing needs a hand"]
    head = story.sealed
    return " · ".join([*said, *([f"audit #{head.number} {t.literal(head.digest[:12])}".rstrip()] if head else [])])
