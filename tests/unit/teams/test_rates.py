"""Our own buckets keep to what Teams takes of one conversation, however much there is to say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest

from bot.chat.message import message
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import Later
from bot.chat.outbox.turns import EDITS_RESERVE, POSTS_RESERVE, Turns, kept_back
from bot.chat.rich import ours
from bot.chat.surface import Rate
from bot.teams.client.traits import TRAITS
from tests.support import build
from workflows.ledger.memory import MemoryBuckets, MemoryClock

# "Optimize your bot with rate limiting in Teams" (learn.microsoft.com): so many in so many seconds.
LIMITS = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))


class Nothing:
    """No place is closed."""

    def word(self, _place: str) -> None:
        return None


def test_an_hour_of_posts_as_fast_as_we_may_is_within_every_limit() -> None:
    clock, sent, now_s = MemoryClock(build.NOW), list[float](), 0.0
    turns = Turns(MemoryBuckets(clock), TRAITS, Nothing())  # type: ignore[arg-type]  # asked one thing alone
    card = PlannedMessage("card:one", "teams:channel:19:one@thread.tacv2", message(ours("x")), key="once")
    while now_s < 2 * 3600:
        try:
            turns.wait_to_post(card)
        except Later as later:
            clock.advance(later.after_s)
            now_s += later.after_s
        else:
            sent.append(now_s)
    assert len(sent) > 1800
    for most, window_s in LIMITS:
        # So many and one more take longer than the window.
        assert all(later - first >= window_s for first, later in zip(sent, sent[most:], strict=False)), (most, window_s)
    assert all(later >= first for first, later in pairwise(sent))


@pytest.mark.parametrize(
    ("rate", "reserves"), [(TRAITS.limits.posts, POSTS_RESERVE), (TRAITS.limits.edits, EDITS_RESERVE)]
)
def test_what_matters_less_finds_room_in_it(rate: Rate, reserves: Mapping[str, float]) -> None:
    for reserve in reserves.values():
        buckets = MemoryBuckets(MemoryClock(build.NOW))
        assert buckets.take("one", rate=rate.a_second, burst=rate.burst, reserve=kept_back(rate, reserve)) == 0
