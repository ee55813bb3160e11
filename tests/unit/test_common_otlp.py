"""Spans on the wire: what is written here is read by the library's own classes, and is the same as
what the library writes.
"""

import contextlib
import time

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind

from libs.common import otlp
from libs.common.otlp import DirectExporter, DirectProcessor, encoded
from libs.common.telemetry import (
    alert_span,
    client_span,
    event,
    failed,
    inner_span,
    link,
    process_span,
    sending,
)
from tests.factories import ALERT_ID
from tests.recorded_spans import Recording


@pytest.fixture
def spans(monkeypatch):
    """Of every kind, with every sort of attribute, event, link and status."""
    recording = Recording(monkeypatch)
    attributes = {
        "text": "größer",
        "long": "x" * 20_000,
        "number": 2**40,
        "negative": -7,
        "nothing": 0,
        "share": 0.25,
        "yes": True,
        "no": False,
        "empty": "",
    }
    with alert_span(ALERT_ID, "POST /hook/{token}", attributes) as root:
        message = sending("alert.received", {})
        message.end()
        link(root, "01890000-0000-7000-8000-0000000000aa")
    headers = {**message.headers, "tracestate": "vendor=1"}
    with contextlib.suppress(KeyError):
        with process_span(headers, "process alert.received", {}, about={"alert_id": ALERT_ID}):
            with inner_span("plan"):
                failed("stale", "too old: größer")
            with client_span("POST", {"http.response.status_code": 200}):
                event("push", {"state": "filled", "count": 3})
            raise KeyError("a bug")
    return recording.exporter.get_finished_spans()


def test_the_bytes_say_what_the_librarys_say(spans):
    assert {span.kind for span in spans} == set(SpanKind)
    ours = ExportTraceServiceRequest.FromString(encoded(spans))
    theirs = encode_spans(spans)
    for request in (ours, theirs):
        for resource in request.resource_spans:
            resource.ClearField("schema_url")
            for scope in resource.scope_spans:
                scope.ClearField("schema_url")
                scope.scope.ClearField("version")
    assert ours == theirs


def test_nothing_is_nothing():
    assert encoded([]) == b""


class Client:
    """Stands in for the exporter's connection."""

    def __init__(self, *, success=True):
        self.success = success
        self.sent = []

    def export(self, data):
        self.sent.append(data)
        return self

    def shutdown(self):
        pass


def exporter_to(client):
    exporter = DirectExporter(endpoint="http://127.0.0.1:1/v1/traces")
    exporter._client = client
    return exporter


@pytest.mark.parametrize("success", [True, False])
def test_the_exporter_sends_bytes_until_it_is_shut_down(success):
    client = Client(success=success)
    exporter = exporter_to(client)
    assert exporter.send(b"x") is success
    exporter.shutdown()
    assert not exporter.send(b"y")
    assert client.sent == [b"x"]


def names(client):
    requests = [ExportTraceServiceRequest.FromString(data) for data in client.sent]
    return [
        span.name
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_spans_are_sent_together_and_the_rest_at_the_end(spans):
    client = Client()
    processor = DirectProcessor(exporter_to(client), delay_s=3_600)
    for span in spans:
        processor.on_end(span)
    assert client.sent == [], "not before their time"
    assert processor.force_flush()
    assert client.sent == [encoded(spans)]
    processor.on_end(spans[0])
    processor.shutdown()
    assert names(client) == [span.name for span in (*spans, spans[0])]


def test_a_full_batch_does_not_wait(spans, monkeypatch):
    monkeypatch.setattr(otlp, "SPANS_AT_ONCE", 3)
    client = Client()
    processor = DirectProcessor(exporter_to(client), delay_s=3_600)
    for _ in range(3):
        processor.on_end(spans[0])
    deadline = time.monotonic() + 10
    while not client.sent and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(names(client)) == 3
    processor.shutdown()


def test_what_waits_has_a_bound(spans, monkeypatch):
    """A collector that is away must not cost the process its memory."""
    monkeypatch.setattr(otlp, "SPANS_MAX", 5)
    client = Client()
    processor = DirectProcessor(exporter_to(client), delay_s=3_600)
    for _ in range(9):
        processor.on_end(spans[0])
    processor.shutdown()
    assert len(names(client)) == 5
