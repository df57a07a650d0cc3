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


def home(story: HomeView, command: str = "/prodaccess") -> Home:
    """The page, from its top down."""
    mine, pending, envs = (say("`{} {}`", command, word) for word in ("mine", "pending", "envs"))
    return (
        Line(say("*Temporary production access*"), Button("Ask for access", ASK, "form", style="primary")),
        *_part("Your access", story.mine, _MINE_MAX, _my_access, mine),
        *_part("Waiting on you", story.waiting_on_me, _WAITING_MAX, _waits, pending),
        *(_part("Reviews that you owe", story.reviews, _REVIEWS_MAX, _owed, mine) if story.reviews else ()),
        *_part("You asked for", story.asked, _ASKED_MAX, _asked, mine),
        *(_part("Asked for you", story.asked_for_me, _FOR_ME_MAX, _for_me, mine) if story.asked_for_me else ()),
        *_part("You can ask for", story.can_ask, _CAN_ASK_MAX, _can_ask, envs),
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


def _line(story: RequestView) -> Rich:
    if story.hidden:
        return say("{} · {} · {} · {}", short(story.title, 100), story.tier_words, story.state, story.id)
    # It is drawn again whenever it is opened.
    return lines((headline(story), say("{} · {}", status(story, left=True), story.id)))


def _my_access(story: RequestView) -> Home:
    end = end_button(story, "I am done") if story.stage is Stage.ACTIVE else None
    return (Line(_line(story), end),)


def _waits(story: RequestView) -> Home:
    # What cannot be approved now can still be denied. One button of the page stands out, and it is none of these.
    agree = None if story.shut else replace(approve_button(story), style=None)
    deny = replace(deny_button(story), style=None)
    press = buttons(agree, deny) if story.resolved and story.needs else None
    return found((Line(_line(story)), quote(story.reason), press))


def _owed(story: RequestView) -> Home:
    line = lines((headline(story), say("{} · {}", review_line(story), story.id)))
    return found((Line(line), buttons(*review_buttons(story))))


def _asked(story: RequestView) -> Home:
    waiting = story.stage in (Stage.WAITING, Stage.AGREED)
    return (Line(_line(story), Button("Withdraw", WITHDRAW, value_of(story.id)) if waiting else None),)


def _for_me(story: RequestView) -> Home:
    """What they may decline."""
    waiting = story.stage in (Stage.WAITING, Stage.AGREED)
    return (Line(_line(story), Button("Decline", DECLINE, value_of(story.id)) if waiting else None),)


def _can_ask(item: CanAsk) -> Home:
    place = say("*{}* in *{}* · {}", short(item.role, 80), short(item.title, 100), TIER_WORDS[item.tier])
    line = say("{}\n{}", place, short(item.allows, 200))
    return (Line(line, Button("Ask", ASK, f"{item.environment} {item.role}"[:2000])),)


def home_instead(text: str) -> Home:
    """What stands there when the page itself cannot be drawn. `text`: ours, what can be typed in back-ticks."""
    return (Line(marked(text)),)
