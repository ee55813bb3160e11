"""Spans on the wire: what is written here is read by the library's own classes, and is the same as
what the library writes.
"""

import contextlib

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind

from libs.common.otlp import CollectorClient, encoded
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
    def __init__(self, *, success):
        self.success = success
        self.sent = []

    def export(self, data):
        self.sent.append(data)
        return self

    def shutdown(self):
        pass


@pytest.mark.parametrize("success", [True, False])
def test_the_client_sends_them_as_they_are(success):
    client = CollectorClient(endpoint="http://127.0.0.1:1/v1/traces")
    client._client = Client(success=success)
    assert client.send(b"spans") is success
    assert client._client.sent == [b"spans"]
    client.shutdown()
    assert not client.send(b"more")
    assert len(client._client.sent) == 1
