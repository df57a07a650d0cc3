"""Traces: off they are nothing; on they hold nobody up, whoever collects them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rq import Queue
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from bot import jobs
from bot.observability import otel, tracing
from bot.observability.otel import Otel
from bot.queues import GRANT, RqWake
from bot.runtime.queue_worker import OwnWorker
from workflows.core.calls import timed
from workflows.ledger.redis_due import RedisDue

ID = "H-abc123"


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.record_with(Otel("worker", exporter))
    yield exporter
    tracing.turn_off()


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def spans(exporter: InMemorySpanExporter) -> dict[str, Any]:
    """Of all that was recorded so far, by name."""
    tracing._recorders[0]._provider.force_flush()  # type: ignore[attr-defined]
    return {one.name: one for one in exporter.get_finished_spans()}


def wake(connection: redis.Redis) -> RqWake:
    due = RedisDue(connection, queues=[f"rq:queue:{GRANT}"], monotonic=lambda: 0.0)
    return RqWake(connection, due, tracing.meta)


def run_all(connection: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker does, with a job that calls AWS."""

    def converge(id_: str) -> None:
        with tracing.job("job holding", f"holding:{id_}", connection), timed("aws", "sso-admin ListInstances"):
            pass

    monkeypatch.setattr(jobs, "converge_holding", converge)
    OwnWorker([GRANT], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="WARNING")


def test_a_job_goes_on_in_the_trace_of_whoever_sent_the_wake_up(
    kept: InMemorySpanExporter, connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracing.span("act press"):
        wake(connection)(f"holding:{ID}")
    run_all(connection, monkeypatch)
    found = spans(kept)
    assert len({one.context.trace_id for one in found.values()}) == 1
    assert found["job holding"].parent.span_id == found["act press"].context.span_id
    assert found["aws sso-admin ListInstances"].parent.span_id == found["job holding"].context.span_id
    assert dict(found["job holding"].attributes) == {"prodaccess.item": "holding", "prodaccess.id": ID}


def test_what_the_clock_finds_goes_on_at_once_and_is_linked_later(
    kept: InMemorySpanExporter, connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracing.span("act press"):
        wake(connection)(f"holding:{ID}")
    run_all(connection, monkeypatch)
    first = spans(kept)["job holding"]
    kept.clear()
    wake(connection).send(f"holding:{ID}")
    run_all(connection, monkeypatch)
    second = spans(kept)["job holding"]
    assert second.context.trace_id == first.context.trace_id
    kept.clear()
    connection.delete(f"prodaccess:trace:on:holding:{ID}")
    wake(connection).send(f"holding:{ID}")
    run_all(connection, monkeypatch)
    third = spans(kept)["job holding"]
    assert third.context.trace_id != first.context.trace_id
    assert third.parent is None
    assert [link.context.trace_id for link in third.links] == [first.context.trace_id]


@pytest.mark.parametrize(
    "meta", [{"traceparent": "x" * 10_000}, {"traceparent": ["00"]}, {"traceparent": "00-" + "0" * 52}]
)
def test_what_somebody_else_wrote_into_a_job_is_no_context(
    kept: InMemorySpanExporter, connection: redis.Redis, monkeypatch: pytest.MonkeyPatch, meta: dict[str, Any]
) -> None:
    Queue(GRANT, connection=connection, serializer=JSONSerializer).enqueue_call(
        "bot.jobs.converge_holding", args=(ID,), meta=meta
    )
    run_all(connection, monkeypatch)
    assert spans(kept)["job holding"].parent is None


def test_off_a_wake_up_carries_nothing_and_on_it_costs_no_command_more(
    connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    real = redis.connection.AbstractConnection.send_packed_command

    def counting(self: Any, *args: Any, **more: Any) -> Any:
        sent.append(1)
        return real(self, *args, **more)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counting)
    queue = Queue(GRANT, connection=connection, serializer=JSONSerializer)

    def cost(id_: str) -> int:
        sent.clear()
        with tracing.span("act press"):
            wake(connection)(f"holding:{id_}")
        return len(sent)

    cost("H-first")
    off = cost("H-off")
    assert all(job is not None and not job.meta for job in queue.get_jobs())
    tracing.record_with(Otel("web", InMemorySpanExporter()))
    try:
        assert cost("H-on") == off
    finally:
        tracing.turn_off()
    assert queue.get_jobs()[-1].meta.keys() == {"traceparent"}


def test_names_that_are_not_ours_are_not_told(kept: InMemorySpanExporter, connection: redis.Redis) -> None:
    for item in ("refusals:dana@example.com", "whois:T1:U0DANA", "chat:home-T1-U0DANA"):
        with tracing.job("job refusals", item, connection):
            pass
        assert dict(spans(kept)["job refusals"].attributes) == {"prodaccess.item": item.partition(":")[0]}
        kept.clear()
    assert connection.keys("prodaccess:trace:*") == []


def test_an_error_is_told_by_its_kind_and_never_by_its_words(kept: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.span("decide"):
        raise ValueError("a secret")
    found = spans(kept)["decide"]
    assert found.status.description == "ValueError"
    assert not found.events


def test_a_call_that_belongs_to_no_trace_begins_none(kept: InMemorySpanExporter) -> None:
    with timed("slack", "auth.test"):
        pass
    assert spans(kept) == {}


class Hangs(SpanExporter):
    """Whoever collects does not answer."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.goes_on.wait()
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        pass


def test_whoever_collects_and_hangs_holds_nobody_up_neither_at_work_nor_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otel, "CLOSES_WITHIN_S", 0.05)
    exporter = Hangs()
    recorder = Otel("web", exporter)
    tracing.record_with(recorder)
    for _ in range(5_000):
        with tracing.span("decide"):
            pass
    assert len(recorder._provider._active_span_processor._span_processors[0]._batch_processor._queue) <= 2048  # type: ignore[attr-defined]
    tracing.turn_off()
    exporter.goes_on.set()


def test_that_nobody_takes_them_is_said_once() -> None:
    class Refuses(InMemorySpanExporter):
        result = SpanExportResult.FAILURE

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return self.result

    exporter = Refuses()
    told = otel._Told(exporter)
    with capture_logs() as lines:
        told.export([])
        told.export([])
        exporter.result = SpanExportResult.SUCCESS
        told.export([])
    assert [line["log_level"] for line in lines] == ["warning", "info"]


def test_what_lets_us_in_where_traces_are_collected_is_shown_by_no_log() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0,x-team=payments",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=abc123",
        "OTEL_SERVICE_NAME": "prodaccess",
    }
    assert set(tracing.secrets(environ)) == {"Basic%20c2VjcmV0", "Basic c2VjcmV0", "abc123"}


def test_where_the_packages_are_missing_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bot.observability.otel", None)
    with capture_logs() as lines:
        tracing.turn_on("web", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:pw@127.0.0.1:4318"})
    ((line),) = lines
    assert "prodaccess[otel]" in line["event"]
    assert "pw" not in line["event"]
    assert tracing.meta() == {}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_somebody_says_where_to(environ: dict[str, str]) -> None:
    tracing.turn_on("web", environ)
    assert not tracing._recorders
