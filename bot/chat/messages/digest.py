"""The digest: what is open now, most dangerous first, then what needs a hand, then the sums and the record's head."""

from __future__ import annotations

from datetime import timedelta

from bot.chat.message import Line, Listing, Message, Part, Small, message
from bot.chat.messages.approval_card import status
from bot.chat.messages.break_glass import review_line
from bot.chat.messages.certification import unanswered_line
from bot.chat.messages.drift import drift_lines
from bot.chat.messages.lists import cannot_be_read
from bot.chat.rich import Bold, Rich, Time, join, lines, marked, ours, say, short
from bot.chat.views.overviews import DigestView, Place
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage

_REASON_LENGTH_MAX = 60
# A time of day alone is enough for so long.
_TODAY = timedelta(hours=12)


def digest(view: DigestView, command: str = "/prodaccess") -> Message:
    """Reasons are cut to 60 characters; what does not fit is counted."""
    hands = _hands(view)
    more = marked(f"… and {{}} more: `{command} pending`")
    more_lines = marked(f"… and {{}} more lines: `{command} list`")
    parts: list[Part] = [Line((Bold(_head(view)),)), Listing(_places(view), more_lines, room=8000)]
    if view.agreed:
        later = [say("• {} · {} · {}", _who(item), status(item), item.id) for item in view.agreed]
        parts += [Line(say("*Begins later*")), Listing(later, more, room=2000)]
    if hands:
        parts += [Line(say("*Needs a hand*")), Listing(hands, more, room=3000)]
    rows = lines((_fallback(view), *_places(view), *hands))
    return message(rows, *parts, Small(_sums(view)))


def _head(view: DigestView) -> Rich:
    if view.active:
        return say("Active access: {}", view.active)
    if view.stuck or view.unread:
        return ours("Nothing else is active")
    if view.last_ended is None:
        return ours("Nothing active.")
    return say("Nothing active. Last access ended {}.", Time(view.last_ended, view.now, with_day=True))


def _fallback(view: DigestView) -> Rich:
    hands = f" · ⚠️ {len(view.stuck)} could not be removed" if view.stuck else ""
    hands += f" · ⚠️ {len(view.unread)} cannot be read" if view.unread else ""
    late = sum(item.review_overdue for item in view.reviews)
    hands += f" · 📝 {late} review{'s' if late > 1 else ''} overdue" if late else ""
    waits = f" · {len(view.waiting)} unanswered" if view.waiting else ""
    return say("{}{}{}", _head(view), hands, waits)


def _places(view: DigestView) -> list[Rich]:
    return [line for place in view.places for line in (_title(place), *map(_line, place.views))]


def _title(place: Place) -> Rich:
    return say("*{}* · {}", short(place.title, 100), TIER_WORDS[place.tier])


def _line(view: RequestView) -> Rich:
    """Who, role, until, approved by, reason."""
    if view.hidden:
        return say("• {} · {}", view.state, view.id)
    parts = (
        say("{} · {}", short(view.holder, 80), short(view.role, 60)),
        _until(view),
        short(view.approved_by, 120),
        short(view.reason, _REASON_LENGTH_MAX),
        say("since {}", Time(view.activated_at, view.now)) if view.activated_at else "",
        view.id,
    )
    return say("• {}", join(parts))


def _until(view: RequestView) -> Rich:
    if view.until is None or view.stage is not Stage.ACTIVE:
        return say("{}", view.state)
    return say("until {}", Time(view.until, view.now))


def _hands(view: DigestView) -> list[Rich]:
    lost = [cannot_be_read(view.unread)] if view.unread else []
    stuck = [say("• {} · {} · {}", _who(item), status(item), item.id) for item in view.stuck]
    waiting = [say("• {} · {} · {}", _who(item), _since(item), item.id) for item in view.waiting]
    certify = [unanswered_line(one) for one in view.certify]
    return lost + stuck + drift_lines(view.drift) + [_review(item) for item in view.reviews] + certify + waiting


def _review(view: RequestView) -> Rich:
    """A review that somebody owes."""
    return say("• 🚨 {} · {} · {}", _who(view), review_line(view), view.id)


def _since(view: RequestView) -> Rich:
    return say("waits since {}, expires {}", Time(view.created_at, view.now), Time(view.expires, view.now))


def _who(view: RequestView) -> Rich:
    place = short(view.title, 80)
    if view.hidden:
        return say("{}", place)
    return say("{} · {} in {}", short(view.broke, 80), short(view.role, 60), place)


def _sums(view: DigestView) -> Rich:
    overdue = sum(item.review_overdue for item in view.reviews)
    owed = len(view.reviews) - overdue
    counts = (
        (overdue, "reviews overdue" if overdue > 1 else "review overdue"),
        (owed, "reviews open" if owed > 1 else "review open"),
        *((len(view.waiting), "unanswered"), (len(view.stuck), "could not be removed")),
        (len(view.unread), "cannot be read"),
        (sum(one.open for one in view.certify), "not certified"),
        (len(view.drift), "accesses differ from my record" if len(view.drift) > 1 else "access differs from my record"),
    )
    said = [f"{count} {word}" for count, word in counts if count] or ["Nothing needs a hand"]
    return join((*said, _sealed(view)))


def _sealed(view: DigestView) -> Rich | str:
    """What an auditor needs later, where nobody who can write to Redis can change it."""
    sealed = view.sealed
    if sealed is None:
        return ""
    if sealed.at is None:
        return say("audit #{} {}, not sealed: there is no key", sealed.number, short(sealed.digest[:12]))
    when = Time(sealed.at, view.now, with_day=view.now - sealed.at > _TODAY)
    return say("audit log sealed up to #{}, head {}, {}", sealed.number, sealed.head, when)
