"""A board: what needs approval in a channel in which more was asked than it takes cards. A line is decided as a card is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bot.chat.message import Buttons, Line, Listing, Message, Part, Small, buttons, first_that_fits, message
from bot.chat.messages import approval_card as cards
from bot.chat.rich import NOTHING, Rich, Time, join, lines, ours, say, short
from bot.chat.views.request_view import RequestView, in_short

RequestViews = Sequence[RequestView]
# What is said of one request, by how long its reason may be.
Words = Callable[[int], Rich]

_OVER = "✔︎ Nothing waits in this list any more: each request of it has a card of its own, or was decided."


def board(views: RequestViews, more: int = 0, command: str = "/prodaccess") -> Message:
    """`more`: how many wait and are named nowhere yet."""
    count = "1 request needs" if len(views) == 1 else f"{len(views)} requests need"
    head = say("⏳ *{} approval.* So many came at once that cards come later. Decide here, or on the card.", count)
    summary = lines((say("⏳ {} approval:", count), *map(_in_short, views)))
    left = say("… and {} more: `{} pending`", more, command) if more else NOTHING
    small = Small(join((say("all of one: `{} show ID`", command), left)))
    words = [_words(view) for view in views]
    dangers = [_danger(view) for view in views]
    whole, bare = ([_press(view, menu=menu) for view in views] for menu in (True, False))
    typed = Listing([say("• {}", one(40)) for one in words], room=10_000)
    by_hand = Small(say("`{} approve ID`, `{} deny ID REASON`", command, command))
    return first_that_fits(
        summary,
        (
            [Line(head), *_parts(words, dangers, whole, 120), small],
            [Line(head), *_parts(words, dangers, whole, 60), small],
            [Line(head), *_parts(words, dangers, bare, 40), small],
            [Line(head), typed, by_hand, small],
        ),
    )


def over() -> Message:
    return message(ours(_OVER), Small(ours(_OVER)))


def _in_short(view: RequestView) -> Rich:
    if view.hidden:
        return _hidden(view)
    return say("• {}: {} · {}", short(in_short(view), 200), short(view.reason, 60), view.id)


def _hidden(view: RequestView) -> Rich:
    return say("{} · {} · {} · {}", short(view.environment), view.tier_words, view.state, view.id)


def _parts(
    words: Iterable[Words], dangers: Iterable[Rich], presses: Iterable[Buttons | None], reason_max: int
) -> Iterator[Part | None]:
    for one, danger, press in zip(words, dangers, presses, strict=True):
        yield Line(lines((one(reason_max), danger)), length_max=900)
        yield press


def _words(view: RequestView) -> Words:
    """All but the reason is made out once: it is the same in each version."""
    if view.hidden:
        hidden = _hidden(view)
        return lambda _: hidden
    asked = say("asked {}", Time(view.created_at, view.now))
    how_long, ticket = cards.how_long(view), cards.ticket(view)
    headline, state, reduced = cards.headline(view), cards.state_of(view), cards.reduced_text(view)

    def words(reason_max: int) -> Rich:
        details = join((how_long, short(view.reason, reason_max), ticket, asked, view.id))
        return lines((headline, state, details, reduced))

    return words


def _danger(view: RequestView) -> Rich:
    danger = None if view.hidden else cards.danger_lines(view)
    return danger.text if danger else NOTHING


def _press(view: RequestView, *, menu: bool) -> Buttons | None:
    """What a run of a pipeline changes is on its card alone, with links: it is decided there."""
    can_press = view.resolved and view.in_policy and view.decidable and bool(view.needs)
    if view.hidden or view.pipeline or not can_press:
        return None
    agree = cards.approve_button(view) if view.can_approve else None
    return buttons(agree, cards.deny_button(view), cards.more_menu(view) if menu else None)
