"""Our own buckets keep to what Teams takes of one conversation, however much there is to say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest

from bot.chat.outbox.turns import EDITS_RESERVE, POSTS_RESERVE, kept_back
from bot.chat.surface import Rate
from bot.teams.traits import TRAITS
from tests.support import build
from workflows.ledger.memory import MemoryBuckets, MemoryClock

# "Optimize your bot with rate limiting in Teams" (learn.microsoft.com): so many in so many seconds.
LIMITS = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))


def test_an_hour_of_posts_as_fast_as_we_may_is_within_every_limit() -> None:
    clock, rate = MemoryClock(build.NOW), TRAITS.limits.posts
    buckets, sent, now_s = MemoryBuckets(clock), list[float](), 0.0
    while now_s < 2 * 3600:
        wait_s = buckets.take("one", rate=rate.a_second, burst=rate.burst)
        if wait_s == 0:
            sent.append(now_s)
            continue
        clock.advance(wait_s)
        now_s += wait_s
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
