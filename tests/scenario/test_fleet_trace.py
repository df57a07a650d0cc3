"""One trace from a press to verified access, through real processes, as somebody who collects traces receives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.installation import SHORT, Installation
from tests.support.waiting import eventually

pytestmark = pytest.mark.fleet


@dataclass
class Seen:
    """A span, with the process that it is of."""

    name: str
    process: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    links: list[str]
    began: int


@dataclass
class Sink:
    """Takes what OTLP over HTTP sends."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = values(resource.resource.attributes)["prodaccess.process"]
            for scope in resource.scope_spans:
                self.spans += [seen(process, one) for one in scope.spans]

    def of(self, trace: str) -> list[Seen]:
        return sorted((one for one in self.spans if one.trace == trace), key=lambda one: one.began)


def values(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}


def seen(process: str, one: Any) -> Seen:
    links = [link.trace_id.hex() for link in one.links]
    ids = (one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex())
    return Seen(one.name, process, *ids, values(one.attributes), links, one.start_time_unix_nano)


@contextmanager
def collecting() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# In the order in which they begin.
STEPS = (
    ("web", "act press"),
    ("web", "decide"),
    ("web", "ledger commit"),
    ("web", "wake"),
    ("worker", "job holding"),
    ("worker", "target grant"),
    ("worker", "aws sso-admin CreateAccountAssignment"),
    ("worker", "target observe"),
)


def begins_with(spans: list[Seen], steps: tuple[tuple[str, str], ...]) -> bool:
    """Whether these are among them, in this order."""
    left = iter((one.process, one.name) for one in spans)
    return all(step in left for step in steps)


def committed(spans: list[Seen], event: str) -> bool:
    return any(event in one.attributes.get("prodaccess.events", "").split() for one in spans)


def test_one_trace_leads_from_the_press_to_verified_access_and_the_end_is_linked_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with Installation(tmp_path, numbers=range(361, 364)) as at:
            case = at.case()
            case.active(rest=SHORT)

            def whole() -> list[Seen]:
                """The trace in which the approval was committed, once all that has begun in it is over."""
                decided = [one for one in sink.spans if committed([one], "request.approved")]
                spans = sink.of(decided[0].trace) if decided else []
                told = any(one.name in ("slack chat.postMessage", "slack chat.update") for one in spans)
                over = {one.parent for one in spans if one.parent} <= {one.id for one in spans}
                return spans if told and over and committed(spans, "grant.active") else []

            spans = eventually(whole)
            assert begins_with(spans, STEPS), [(one.process, one.name) for one in spans]
            assert [one.name for one in spans if not one.parent] == ["act press"]
            assert spans[0].attributes["prodaccess.id"].startswith("PA-")

            def end() -> list[Seen]:
                return [one for one in sink.spans if one.name == "job end" and spans[0].trace in one.links]

            ended = eventually(end)
            assert ended[0].trace != spans[0].trace
    for one in sink.spans:
        for said in (one.name, *one.attributes.values()):
            assert not any(word in said for word in ("@", "INC-42", "checkout", "xox", "http", "dana", "U0")), one
