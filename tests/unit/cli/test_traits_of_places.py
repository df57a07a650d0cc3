"""At a terminal a closed place is told of in the words of its own chat."""

from __future__ import annotations

import pytest

from bot.chat.messages.closed_places import closed_words
from bot.cli.standing import traits_of


@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("C0RECEIPTS", "Slack"),
        ("all", "Slack"),
        ("teams:channel:19:ops@thread.tacv2", "Teams"),
        ("teams:all", "Teams"),
        ("webhook:channel:audit", traits_of("webhook:channel:audit").title),
    ],
)
def test_each_place_has_the_words_of_its_chat(place: str, title: str) -> None:
    assert traits_of(place).title == title
    assert closed_words(place, "gone", traits_of(place)).startswith(title)


def test_a_place_is_named_as_the_policy_writes_it() -> None:
    place = "teams:channel:19:ops@thread.tacv2"
    assert "messages in teams:19:ops@thread.tacv2, which the policy names" in closed_words(
        place, "gone", traits_of(place)
    )
