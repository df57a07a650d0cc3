"""Traces by OpenTelemetry's SDK, sent over HTTP in batches. Imported where somebody wants them, and by nobody else.

Nothing waits for whoever collects them: spans go into a queue of bounded length, a thread of the SDK's sends them, and what
does not fit is dropped. All of OTEL_... is the SDK's own to read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot import __version__
from workflows.core.calls import Call

log = structlog.get_logger()

CLOSES_WITHIN_S = 1.0
_FORM = TraceContextTextMapPropagator()


class Otel:
    """A `tracing.Recorder`. `exporter`: for tests."""

    def __init__(self, process: str, exporter: SpanExporter | None = None) -> None:
        # It writes a line and a traceback for each batch that is not taken; `_Told` says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        named = {"service.name": "prodaccess", "service.version": __version__, "prodaccess.process": process}
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        resource = Resource(named).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Told(exporter or OTLPSpanExporter())))
        self._tracer = self._provider.get_tracer("prodaccess")

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, str], parent: str | None = None, link: str | None = None
    ) -> Iterator[None]:
        context = set_span_in_context(get_current_span(_read(parent))) if parent else None
        linked = _context_of(link) if link else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=SpanKind.CONSUMER if parent or link else SpanKind.INTERNAL,
            attributes=dict(attributes),
            links=[Link(linked)] if linked is not None else [],
            # Its words may hold anything.
            record_exception=False,
            set_status_on_exception=False,
        ) as here:
            try:
                yield
            except BaseException as problem:
                here.set_status(Status(StatusCode.ERROR, type(problem).__name__))
                raise

    def carried(self) -> str | None:
        carrier: dict[str, str] = {}
        _FORM.inject(carrier)
        return carrier.get("traceparent")

    def heard(self, call: Call) -> None:
        """A call to another system, that is over. What belongs to no trace, a look at a token, say, begins none."""
        if not get_current_span().get_span_context().is_valid:
            return
        ended_ns = time.time_ns()
        attributes = {"prodaccess.service": call.service, "prodaccess.method": call.method}
        attributes |= {"prodaccess.error": call.error} if call.error else {}
        attributes |= {"prodaccess.events": call.about} if call.about else {}
        found = self._tracer.start_span(
            f"{call.service} {call.method}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=ended_ns - int(call.seconds * 1e9),
        )
        if call.error:
            found.set_status(Status(StatusCode.ERROR, call.error))
        found.end(ended_ns)

    def close(self) -> None:
        """In a thread that nobody waits for longer than that: whoever collects may be away."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(CLOSES_WITHIN_S)


class _Told(SpanExporter):
    """Says once that nobody takes the spans, and once that somebody does again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            log.warning("traces are not taken where OTEL_EXPORTER_OTLP_ENDPOINT points to: they are dropped meanwhile")
        if self._away and not away:
            log.info("traces are taken again")
        self._away = away
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _read(carried: str) -> Context:
    return _FORM.extract({"traceparent": carried})


def _context_of(carried: str) -> SpanContext | None:
    found = get_current_span(_read(carried)).get_span_context()
    return found if found.is_valid else None
