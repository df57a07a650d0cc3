"""What `/metrics` tells of the ledger: counted when it is scraped, so that no process has to keep a figure up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - Redis's own are meant

from bot.observability.faults import Faults
from bot.observability.log import log_failure
from bot.queues import ALL_QUEUES
from workflows.core import keys
from workflows.ports import LedgerUnreachable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.troubles import kind_of, standing

# A word of a chat's is shown as 1 for so long after it was last heard, in seconds; so many words are shown.
WORDS_S = 3600.0
WORDS_MAX = 200


class LedgerMetrics(Collector):
    """Register it once. A ledger that does not answer shows as `prodaccess_ledger_up 0`, and as nothing else.

    `more`: what else is told of it, each with a fixed number of round trips.
    """

    def __init__(self, ctx: Context, redis: Redis, faults: Faults, *more: Callable[[], Iterator[Metric]]) -> None:
        self._ctx = ctx
        self._ledger = ctx.ledger
        self._redis = redis
        self._faults = faults
        self._more = more

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("prodaccess_ledger_up", "Whether the ledger answers.")
        found: list[Metric] = []
        try:
            own = (self._open, self._owed, self._told, self._words, self._queues, self._counted, self._failing)
            for figure in (*own, *self._more):
                found += self._readable(figure)
        except (LedgerUnreachable, ConnectionError, TimeoutError):
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found

    def _readable(self, figure: Callable[[], Iterator[Metric]]) -> list[Metric]:
        """What cannot be read hides itself alone."""
        try:
            return list(figure())
        except (LedgerUnreachable, ConnectionError, TimeoutError):
            raise
        except Exception as problem:
            log_failure("some figures of the ledger were not read", problem)
            return []

    def _open(self) -> Iterator[Metric]:
        yield _gauge(
            "prodaccess_requests_pending", "Requests that nobody has answered.", self._ledger.count(keys.PENDING)
        )
        yield _gauge("prodaccess_grants_live", "Grants that are not closed.", self._ledger.count(keys.LIVE))
        late = len(self._ledger.members(keys.LIVE, high=self._ledger.now().timestamp(), limit=10_000))
        yield _gauge("prodaccess_grants_overdue", "Grants past their deadline that are not closed.", late)

    def _owed(self) -> Iterator[Metric]:
        yield _gauge(
            "prodaccess_reviews_owed", "Break-glass that nobody has reviewed yet.", self._ledger.count(keys.REVIEWS)
        )
        missed = self._ledger.count(keys.UNANNOUNCED)
        yield CounterMetricFamily(
            "prodaccess_break_glass_unannounced", "Break-glass of which no channel was told in time.", value=missed
        )

    def _told(self) -> Iterator[Metric]:
        unreadable = self._ledger.count(keys.UNREADABLE)
        yield _gauge("prodaccess_ledger_unreadable", "Things in the ledger that cannot be read.", unreadable)
        yield _gauge(
            "prodaccess_places_closed",
            "Channels and people that a chat takes no messages for, and its token where it is refused.",
            self._ledger.count(keys.CLOSED_PLACES),
        )
        yield _gauge("prodaccess_audit_head", "Number of the newest audit entry.", self._ledger.head())

    def _queues(self) -> Iterator[Metric]:
        queues = GaugeMetricFamily("prodaccess_wakeups_queued", "Wake-ups that wait, by queue.", labels=["queue"])
        for name in ALL_QUEUES:
            length = self._redis.llen(f"rq:queue:{name}")
            queues.add_metric([name], float(length if isinstance(length, int) else 0))
        yield queues

    def _counted(self) -> Iterator[Metric]:
        counted = CounterMetricFamily(
            "prodaccess_failures", "Exceptions that should not have happened, in all processes.", labels=["what"]
        )
        for what, count in self._faults.counts().items():
            counted.add_metric([what], float(count))
        yield counted

    def _failing(self) -> Iterator[Metric]:
        failing = GaugeMetricFamily(
            "prodaccess_troubles", "What fails, and is tried again, by kind of thing.", labels=["kind"]
        )
        for kind, number in Counter(kind_of(trouble.item) for trouble in standing(self._ctx)).items():
            failing.add_metric([kind], float(number))
        yield failing

    def _words(self) -> Iterator[Metric]:
        """By word, so that a new one shows at once."""
        now = self._ledger.now().timestamp()
        seen = set(self._ledger.members(keys.CHAT_WORDS, low=now - WORDS_S, limit=WORDS_MAX))
        found = GaugeMetricFamily(
            "prodaccess_slack_refused",
            "Slack's words for messages that it did not take in the last hour.",
            labels=["word"],
        )
        others = GaugeMetricFamily(
            "prodaccess_chat_refused",
            "Other chats' words for messages that they did not take in the last hour.",
            labels=["chat", "word"],
        )
        for heard in self._ledger.members(keys.CHAT_WORDS, limit=WORDS_MAX):
            chat, _, word = heard.rpartition(":")
            family, labels = (others, [chat, word]) if chat else (found, [word])
            family.add_metric(labels, 1.0 if heard in seen else 0.0)
        yield found
        if others.samples:
            yield others


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)
