"""How far each chat is behind: the age of the oldest thing that waits to be said there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from redis import Redis
from redis.client import Pipeline

from bot.chat.chats import Chats
from bot.chat.outbox.outages import channels_of
from bot.chat.places import surface_of
from bot.observability.figures import asked
from workflows.core import keys
from workflows.ledger.keys import Keys
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.troubles import kind_of, standing

# So many channels of the policy are looked at.
CHANNELS_MAX = 1_000
_INDEXES = (keys.waiting, keys.cards_waiting, keys.owed)


class Behind:
    """Three round trips a scrape: what waits for its turn or for a closed channel, and what the chat has not taken so far."""

    def __init__(self, ctx: Context, redis: Redis, chats: Chats, prefix: str = "prodaccess:") -> None:
        self._ctx = ctx
        self._redis = redis
        self._chats = chats
        self._keys = Keys(prefix)

    def collect(self) -> Iterator[Metric]:
        found = GaugeMetricFamily(
            "prodaccess_chat_behind_seconds", "Age of the oldest thing that waits to be said, by chat.", labels=["chat"]
        )
        for chat, seconds in sorted(self._seconds().items()):
            found.add_metric([chat], seconds)
        yield found

    def _seconds(self) -> Mapping[str, float]:
        behind = dict.fromkeys(self._chats.surfaces, 0.0)
        channels = self._channels()
        (seconds, micros), *answers = asked(self._redis, lambda pipe: self._ask(pipe, channels))
        now_s = seconds + micros / 1e6
        since = [(surface_of(place), rows) for place, rows in zip(len(_INDEXES) * channels, answers, strict=True)]
        waits = [(chat, rows[0][1]) for chat, rows in since if isinstance(rows, list) and rows]
        for chat, since_s in (*waits, *self._failing()):
            behind[chat] = max(behind.get(chat, 0.0), now_s - since_s)
        return behind

    def _channels(self) -> list[str]:
        try:
            return sorted(channels_of(self._ctx.policy.current()))[:CHANNELS_MAX]
        except PolicyUnavailable:
            return []

    def _ask(self, pipe: Pipeline, channels: list[str]) -> None:
        pipe.time()
        for index in _INDEXES:
            for place in channels:
                pipe.zrange(self._keys.index(index(place)), 0, 0, withscores=True)

    def _failing(self) -> Iterator[tuple[str, float]]:
        """What was tried and not taken, since when; the words say by which chat."""
        for trouble in standing(self._ctx):
            if kind_of(trouble.item) in ("chat", "digest"):
                for chat, surface in self._chats.surfaces.items():
                    if trouble.words.startswith(surface.traits.title):
                        yield chat, trouble.since.timestamp()
