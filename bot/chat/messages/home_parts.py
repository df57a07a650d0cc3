"""What the sections of a home are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.chat.message import Heading, Part, Small
from bot.chat.messages.approval_card import headline, status
from bot.chat.rich import NOTHING, Rich, Time, join, lines, say, short
from bot.chat.views.home_view import Owners
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import BREAK_GLASS, TIER_WORDS, Stage, people, rounded
from workflows.core.durations import format_duration
from workflows.core.policy import Tier

T = TypeVar("T")
Home = tuple[Part, ...]


def part(title: str, items: Sequence[T], items_max: int, show: Callable[[T], Iterable[Part]], more: Rich) -> list[Part]:
    """A section; nothing where it would be empty. `more`: what can be typed to see the rest."""
    if not items:
        return []
    shown = [each for item in items[:items_max] for each in show(item)]
    left = len(items) - items_max
    return [Heading(title), *shown, *([Small(say("… and {} more: {}", left, more))] if left > 0 else [])]


def asked_line(view: RequestView) -> Rich:
    """What the reader asked for: `You asked for *read-only* for *Nia* in *Payments* · 🔴 production, for 1 h`."""
    return _asked(view, "You", " for *{}*" if view.on_behalf else "", view.holder)


def asked_for_you_line(view: RequestView) -> Rich:
    return _asked(view, view.requester, " for you{}", "")


def _asked(view: RequestView, who: str, whom: str, name: str) -> Rich:
    for_whom = say(whom, short(name, 100)) if whom else NOTHING
    what = say("{} asked for {}*{}*{}", short(who, 100), view.more, short(view.what, 80), for_whom)
    how_long = NOTHING if view.extends else say(", for {}", format_duration(view.duration))
    return say("{} in *{}* · {}{}", what, short(view.title, 100), view.tier_words, how_long)


def line(view: RequestView, more: Rich = NOTHING) -> Rich:
    """One request in two lines. `more`: at the end of the first."""
    if view.hidden:
        return say("{} · {} · {} · {}", short(view.title, 100), view.tier_words, view.state, view.id)
    return lines((headline(view) + more, say("{} · {}", status(view, left=True), view.id)))


def place_of(title: str, tier: Tier) -> Rich:
    """`*Payments* · 🔴 production`."""
    return say("*{}* · {}", short(title, 100), TIER_WORDS[tier])


def owners_of(one: Owners) -> Rich:
    return say("Owners of {}: {}", place_of(one.title, one.tier), short(people(one.names), 300))


_YOU = {
    Stage.SETTING_UP: "You get",
    Stage.ACTIVE: "You have",
    Stage.REMOVING: "You have",
    Stage.STUCK: "You may still have",
}


def own_line(view: RequestView) -> Rich:
    if view.stage not in _YOU:
        return headline(view)
    what = say("{} *{}* in *{}* · {}", _YOU[view.stage], short(view.role, 80), short(view.title, 100), view.tier_words)
    until = say(" until {}", Time(view.until, view.now)) if view.until and view.stage is Stage.ACTIVE else NOTHING
    line = say("{}{}", what, until)
    return say("{} · {}", BREAK_GLASS, line) if view.break_glass else line


def how_it_stands(view: RequestView) -> Rich:
    """Beside that line, which has its end. The minutes are told: a page is drawn again when it is opened, a list read now."""
    if view.stage is not Stage.ACTIVE or view.time_left is None:
        return say("{} · {}", status(view, left=True), view.id)
    more = say("more time asked: {}", view.more_asked) if view.more_asked else NOTHING
    return join((say("{}, {} left", view.state, rounded(view.time_left)), more, view.id))
