"""Counts and histograms of all processes together, kept as numbers in one hash of the ledger's server.

A field is the name of the metric and its labels with `|` between them. A histogram has a field for each bucket (how
many fell into it, and into no smaller one) and one for the sum: whoever counts adds, and whoever is scraped adds up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 - Redis's own are meant, here and below
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from workflows.ledger.scripts import text_of

if TYPE_CHECKING:
    from prometheus_client.core import Metric

# The server takes nothing just now. That is told of by whoever looks at the server, and what is counted waits.
NOT_NOW = (ConnectionError, TimeoutError, OutOfMemoryError, ReadOnlyError)
_SUM = "sum"
_INFINITY = "+Inf"


@dataclass(frozen=True, slots=True)
class Series:
    """`name`: as Prometheus shows it, without `_total`. `buckets`: upper ends; without them it is a counter."""

    name: str
    words: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def one(self, *labels: str, times: int = 1) -> dict[str, float]:
        """What a counter grows by."""
        return {self._field(labels): float(times)}

    def took(self, *labels: str, value: float) -> dict[str, float]:
        """What a histogram grows by. A clock that was set back makes no time negative."""
        value = max(0.0, value)
        at = bisect_left(self.buckets, value)
        bucket = _end(self.buckets[at]) if at < len(self.buckets) else _INFINITY
        return {self._field((*labels, bucket)): 1.0, self._field((*labels, _SUM)): value}

    def _field(self, labels: Iterable[str]) -> str:
        return "|".join((self.name, *(label.replace("|", "_") for label in labels)))

    def family(self, stored: Mapping[str, float], zeros: Iterable[tuple[str, ...]] = ()) -> Metric:
        """As it is shown. `zeros`: labels that are there before the first count, so that a rise from nothing is a rise."""
        part = (_SUM,) if self.buckets else ()
        found = {(*labels, *part): 0.0 for labels in zeros}
        width = len(self.labels) + bool(self.buckets)
        for field, value in stored.items():
            name, *labels = field.split("|")
            if name == self.name and len(labels) == width:
                found[tuple(labels)] = value
        return self._histogram(found) if self.buckets else self._counter(found)

    def _counter(self, found: Mapping[tuple[str, ...], float]) -> Metric:
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - whoever counts needs no more than numbers

        family = CounterMetricFamily(self.name, self.words, labels=self.labels)
        for labels, value in sorted(found.items()):
            family.add_metric(labels, value)
        return family

    def _histogram(self, found: Mapping[tuple[str, ...], float]) -> Metric:
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - as above

        family = HistogramMetricFamily(self.name, self.words, labels=self.labels)
        rows: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for labels, value in found.items():
            rows[labels[:-1]][labels[-1]] = value
        for labels, parts in sorted(rows.items()):
            family.add_metric(labels, list(_cumulated(self.buckets, parts)), sum_value=parts.get(_SUM, 0.0))
        return family


def _cumulated(buckets: tuple[float, ...], parts: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for end in (*map(_end, buckets), _INFINITY):
        total += parts.get(end, 0.0)
        yield end, total


def _end(bucket: float) -> str:
    return f"{bucket:g}" if bucket < 1e6 else str(int(bucket))


@contextmanager
def kept_as_a_hash(redis: Redis, key: str) -> Iterator[None]:
    """What stands there and is no hash is none of ours: it is deleted, and counting begins anew."""
    try:
        yield
    except ResponseError as problem:
        if "WRONGTYPE" not in str(problem):
            raise
        redis.delete(key)


def added(into: dict[str, float], more: Mapping[str, float]) -> None:
    for field, value in more.items():
        into[field] = into.get(field, 0.0) + value


def numbers(stored: object) -> dict[str, float]:
    """What HGETALL answered, as far as it is numbers; nothing where something else stands there."""
    found: dict[str, float] = {}
    for field, value in stored.items() if isinstance(stored, dict) else ():
        try:
            found[text_of(field)] = float(text_of(value))
        except ValueError:
            continue
    return found
