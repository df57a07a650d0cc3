"""The digest: what is open now, most dangerous first, then what needs a hand, then the sums and the record's head."""

from __future__ import annotations

from bot.chat.message import Line, Listing, Message, Part, Small, message
from bot.chat.messages.approval_card import status
from bot.chat.messages.break_glass import review_line
from bot.chat.messages.lists import cannot_be_read
from bot.chat.rich import Bold, Rich, Time, join, marked, ours, say, short
from bot.chat.views.overviews import DigestView, Place
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage

_REASON_LENGTH_MAX = 60


def digest(story: DigestView, command: str = "/prodaccess") -> Message:
    """Reasons are cut to 60 characters; what does not fit is counted."""
    hands = _hands(story)
    more = marked(f"… and {{}} more: `{command} pending`")
    more_lines = marked(f"… and {{}} more lines: `{command} list`")
    parts: list[Part] = [Line((Bold(_head(story)),)), Listing(_places(story), more_lines, room=8000)]
    if story.agreed:
        later = [say("• {} · {} · {}", _who(item), status(item), item.id) for item in story.agreed]
        parts += [Line(say("*Begins later*")), Listing(later, more, room=2000)]
    if hands:
        parts += [Line(say("*Needs a hand*")), Listing(hands, more, room=3000)]
    return message(_fallback(story), *parts, Small(_sums(story)))


def _head(story: DigestView) -> Rich:
    if story.active:
        return say("Active access: {}", story.active)
    if story.stuck or story.unread:
        return ours("Nothing else is active")
    if story.last_ended is None:
        return ours("Nothing active.")
    return say("Nothing active. Last access ended {}.", Time(story.last_ended, story.now, with_day=True))


def _fallback(story: DigestView) -> Rich:
    hands = f" · ⚠️ {len(story.stuck)} could not be removed" if story.stuck else ""
    hands += f" · ⚠️ {len(story.unread)} cannot be read" if story.unread else ""
    late = sum(item.review_overdue for item in story.reviews)
    hands += f" · 📝 {late} review{'s' if late > 1 else ''} overdue" if late else ""
    waits = f" · {len(story.waiting)} unanswered" if story.waiting else ""
    return say("{}{}{}", _head(story), hands, waits)


def _places(story: DigestView) -> list[Rich]:
    return [line for place in story.places for line in (_title(place), *map(_line, place.stories))]


def _title(place: Place) -> Rich:
    return say("*{}* · {}", short(place.title, 100), TIER_WORDS[place.tier])


def _line(story: RequestView) -> Rich:
    """Who, role, until, approved by, reason."""
    if story.hidden:
        return say("• {} · {}", story.state, story.id)
    parts = (
        say("{} · {}", short(story.holder, 80), short(story.role, 60)),
        _until(story),
        short(story.approved_by, 120),
        short(story.reason, _REASON_LENGTH_MAX),
        say("since {}", Time(story.activated_at, story.now)) if story.activated_at else "",
        story.id,
    )
    return say("• {}", join(parts))


def _until(story: RequestView) -> Rich:
    if story.until is None or story.stage is not Stage.ACTIVE:
        return say("{}", story.state)
    return say("until {}", Time(story.until, story.now))


def _hands(story: DigestView) -> list[Rich]:
    lost = [cannot_be_read(story.unread)] if story.unread else []
    stuck = [say("• {} · {} · {}", _who(item), status(item), item.id) for item in story.stuck]
    waiting = [say("• {} · {} · {}", _who(item), _since(item), item.id) for item in story.waiting]
    return lost + stuck + [_review(item) for item in story.reviews] + waiting


def _review(story: RequestView) -> Rich:
    """A review that somebody owes."""
    return say("• 🚨 {} · {} · {}", _who(story), review_line(story), story.id)


def _since(story: RequestView) -> Rich:
    return say("waits since {}, expires {}", Time(story.created_at, story.now), Time(story.expires, story.now))


def _who(story: RequestView) -> Rich:
    place = short(story.title, 80)
    if story.hidden:
        return say("{}", place)
    return say("{} · {} in {}", short(story.holder, 80), short(story.role, 60), place)


def _sums(story: DigestView) -> Rich:
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
    sealed = join((f"audit #{head.number}", short(head.digest[:12])), " ") if head else ""
    return join((*said, sealed))
