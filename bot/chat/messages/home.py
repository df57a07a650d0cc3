"""The App Home: my access with time left, what waits on me, what I asked, what I can ask for. At most 100 blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from bot.chat.message import Button, Heading, Line, Part, Small, buttons, found, quote, value_of
from bot.chat.messages.approval_card import approve_button, deny_button, end_button, headline, status
from bot.chat.messages.break_glass import review_buttons, review_line
from bot.chat.messages.notices import DECLINE
from bot.chat.rich import Rich, lines, marked, ours, say, short
from bot.chat.views.overviews import CanAsk, HomeView
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS, Stage

ASK, WITHDRAW = "ask", "withdraw"
# Blocks: 2 for the head; 10, 3 x 12, 10, 4, 2 x 5 and 10 for the parts, with six titles and six "more".
_MINE_MAX, _WAITING_MAX, _ASKED_MAX, _FOR_ME_MAX, _CAN_ASK_MAX, _REVIEWS_MAX = 10, 12, 10, 4, 10, 5

T = TypeVar("T")
Home = tuple[Part, ...]


def home(view: HomeView, command: str = "/prodaccess") -> Home:
    """The page, from its top down."""
    mine, pending, envs = (say("`{} {}`", command, word) for word in ("mine", "pending", "envs"))
    return (
        Line(say("*Temporary production access*"), Button("Ask for access", ASK, "form", style="primary")),
        *_part("Your access", view.mine, _MINE_MAX, _my_access, mine),
        *_part("Waiting on you", view.waiting_on_me, _WAITING_MAX, _waits, pending),
        *(_part("Reviews that you owe", view.reviews, _REVIEWS_MAX, _owed, mine) if view.reviews else ()),
        *_part("You asked for", view.asked, _ASKED_MAX, _asked, mine),
        *(_part("Asked for you", view.asked_for_me, _FOR_ME_MAX, _for_me, mine) if view.asked_for_me else ()),
        *_part("You can ask for", view.can_ask, _CAN_ASK_MAX, _can_ask, envs),
    )


def _part(
    title: str, items: Sequence[T], items_max: int, show: Callable[[T], Iterable[Part]], more: Rich
) -> list[Part]:
    """Always there, so that "none" is said, too."""
    head = Heading(title)
    if not items:
        return [head, Small(ours("Nothing just now."))]
    shown = [part for item in items[:items_max] for part in show(item)]
    left = len(items) - items_max
    return [head, *shown, *([Small(say("… and {} more: {}", left, more))] if left > 0 else [])]


def _line(view: RequestView) -> Rich:
    if view.hidden:
        return say("{} · {} · {} · {}", short(view.title, 100), view.tier_words, view.state, view.id)
    # It is drawn again whenever it is opened.
    return lines((headline(view), say("{} · {}", status(view, left=True), view.id)))


def _my_access(view: RequestView) -> Home:
    end = end_button(view, "I am done") if view.stage is Stage.ACTIVE else None
    return (Line(_line(view), end),)


def _waits(view: RequestView) -> Home:
    # What cannot be approved now can still be denied. One button of the page stands out, and it is none of these.
    agree = None if view.shut else replace(approve_button(view), style=None)
    deny = replace(deny_button(view), style=None)
    press = buttons(agree, deny) if view.resolved and view.needs else None
    return found((Line(_line(view)), quote(view.reason), press))


def _owed(view: RequestView) -> Home:
    line = lines((headline(view), say("{} · {}", review_line(view), view.id)))
    return found((Line(line), buttons(*review_buttons(view))))


def _asked(view: RequestView) -> Home:
    waiting = view.stage in (Stage.WAITING, Stage.AGREED)
    return (Line(_line(view), Button("Withdraw", WITHDRAW, value_of(view.id)) if waiting else None),)


def _for_me(view: RequestView) -> Home:
    """What they may decline."""
    waiting = view.stage in (Stage.WAITING, Stage.AGREED)
    return (Line(_line(view), Button("Decline", DECLINE, value_of(view.id)) if waiting else None),)


def _can_ask(item: CanAsk) -> Home:
    place = say("*{}* in *{}* · {}", short(item.role, 80), short(item.title, 100), TIER_WORDS[item.tier])
    line = say("{}\n{}", place, short(item.allows, 200))
    return (Line(line, Button("Ask", ASK, f"{item.environment} {item.role}"[:2000])),)


def home_instead(text: str) -> Home:
    """What stands there when the page itself cannot be drawn. `text`: ours, what can be typed in back-ticks."""
    return (Line(marked(text)),)
