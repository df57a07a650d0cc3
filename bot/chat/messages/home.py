"""The App Home: my access with time left, what waits on me, what I asked, what I can ask for. At most 100 blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bot.chat.messages.approval_card import approve_button, deny_button, end_button, headline, status
from bot.chat.messages.break_glass import review_buttons, review_line
from bot.chat.messages.notices import DECLINE
from bot.chat.views.overviews import CanAsk, HomeStory
from bot.chat.views.request_view import RequestStory
from bot.chat.wording.labels import TIER_WORDS, Stage
from bot.slack import blocks as b
from bot.slack import mrkdwn as t

ASK, WITHDRAW = "ask", "withdraw"
# Blocks: 2 for the head; 10, 3 x 12, 10, 4, 2 x 5 and 10 for the parts, with six titles and six "more".
_MINE_MAX, _WAITING_MAX, _ASKED_MAX, _FOR_ME_MAX, _CAN_ASK_MAX, _REVIEWS_MAX = 10, 12, 10, 4, 10, 5

T = TypeVar("T")


def home_view(story: HomeStory, command: str = "/prodaccess") -> dict[str, Any]:
    """The view for views.publish."""
    blocks = [
        b.section("*Temporary production access*", b.button("Ask for access", ASK, "form", style="primary")),
        *_part("Your access", story.mine, _MINE_MAX, _my_access, f"`{command} mine`"),
        *_part("Waiting on you", story.waiting_on_me, _WAITING_MAX, _waits, f"`{command} pending`"),
        *(
            _part("Reviews that you owe", story.reviews, _REVIEWS_MAX, _owed, f"`{command} mine`")
            if story.reviews
            else ()
        ),
        *_part("You asked for", story.asked, _ASKED_MAX, _asked, f"`{command} mine`"),
        *(
            _part("Asked for you", story.asked_for_me, _FOR_ME_MAX, _for_me, f"`{command} mine`")
            if story.asked_for_me
            else ()
        ),
        *_part("You can ask for", story.can_ask, _CAN_ASK_MAX, _can_ask, f"`{command} envs`"),
    ]
    return {"type": "home", "blocks": blocks}


def _part(
    title: str, items: Sequence[T], items_max: int, show: Callable[[T], list[dict[str, Any]]], more: str
) -> list[dict[str, Any]]:
    """Always there, so that "none" is said, too."""
    blocks = [b.header(title)]
    if not items:
        return [*blocks, b.context("Nothing just now.")]
    blocks += [block for item in items[:items_max] for block in show(item)]
    if len(items) > items_max:
        blocks.append(b.context(f"… and {len(items) - items_max} more: {more}"))
    return blocks


def _line(story: RequestStory) -> str:
    if story.hidden:
        return f"{t.literal(story.title, 100)} · {story.tier_words} · {story.state} · {story.id}"
    # It is drawn again whenever it is opened.
    return f"{headline(story)}\n{status(story, left=True)} · {story.id}"


def _my_access(story: RequestStory) -> list[dict[str, Any]]:
    end = end_button(story, "I am done") if story.stage is Stage.ACTIVE else None
    return [b.section(_line(story), end)]


def _waits(story: RequestStory) -> list[dict[str, Any]]:
    # What cannot be approved now can still be denied.
    agree = None if story.shut else approve_button(story)
    buttons = b.actions(agree, deny_button(story) | {}) if story.resolved and story.needs else None
    for element in buttons["elements"] if buttons else ():
        element.pop("style", None)
    lines = [b.section(_line(story)), b.quote(story.reason), buttons]
    return [line for line in lines if line is not None]


def _owed(story: RequestStory) -> list[dict[str, Any]]:
    buttons = b.actions(*review_buttons(story))
    line = f"{headline(story)}\n{review_line(story)} · {story.id}"
    return [b.section(line), *([buttons] if buttons else [])]


def _asked(story: RequestStory) -> list[dict[str, Any]]:
    waiting = story.stage in (Stage.WAITING, Stage.AGREED)
    return [b.section(_line(story), b.button("Withdraw", WITHDRAW, b.value_of(story.id)) if waiting else None)]


def _for_me(story: RequestStory) -> list[dict[str, Any]]:
    """What they may decline."""
    waiting = story.stage in (Stage.WAITING, Stage.AGREED)
    return [b.section(_line(story), b.button("Decline", DECLINE, b.value_of(story.id)) if waiting else None)]


def _can_ask(item: CanAsk) -> list[dict[str, Any]]:
    place = f"*{t.literal(item.title, 100)}* · {TIER_WORDS[item.tier]}"
    line = f"*{t.literal(item.role, 80)}* in {place}\n{t.literal(item.allows, 200)}"
    return [b.section(line, b.button("Ask", ASK, f"{item.environment} {item.role}"[:2000]))]


def home_instead(text: str) -> dict[str, Any]:
    """What stands there when the page itself cannot be drawn. `text`: mrkdwn of ours."""
    return {"type": "home", "blocks": [b.section(text)]}
