"""What the sections of a home are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.chat.message import Heading, Part, Small
from bot.chat.messages.approval_card import headline, status
from bot.chat.rich import NOTHING, Rich, lines, say, short
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import TIER_WORDS
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


def line(view: RequestView, more: Rich = NOTHING) -> Rich:
    """One request in two lines. `more`: at the end of the first."""
    if view.hidden:
        return say("{} · {} · {} · {}", short(view.title, 100), view.tier_words, view.state, view.id)
    return lines((headline(view) + more, say("{} · {}", status(view, left=True), view.id)))


def place_of(title: str, tier: Tier) -> Rich:
    """`*Payments* · 🔴 production`."""
    return say("*{}* · {}", short(title, 100), TIER_WORDS[tier])
