"""An OTLP/HTTP receiver of traces, in a thread: keeps the spans as plain dictionaries."""

import http.server
import threading
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


class OtlpSink:
    def __init__(self, *, keeps_bodies: bool = False) -> None:
        self.spans: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        """As they came, where they are kept."""
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                sink.spans.extend(_spans(body))
                if keeps_bodies:
                    sink.bodies.append(body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        return [span for span in list(self.spans) if span["trace_id"] == trace_id]

    def linked(self, trace_id: str) -> list[dict[str, Any]]:
        """Spans of other traces that lead to this one."""
        return [span for span in list(self.spans) if trace_id in span["links"]]


def _spans(body: bytes) -> list[dict[str, Any]]:
    request = ExportTraceServiceRequest.FromString(body)
    found = []
    for resource in request.resource_spans:
        attributes = {item.key: item.value.string_value for item in resource.resource.attributes}
        found += [
            {
                "service": attributes["service.name"],
                "name": span.name,
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_id": span.parent_span_id.hex(),
                "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                "failed": span.status.code == Status.STATUS_CODE_ERROR,
                "links": [link.trace_id.hex() for link in span.links],
                "events": [event.name for event in span.events],
                "attributes": {item.key: _plain(item.value) for item in span.attributes},
            }
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    return found


def _plain(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    return getattr(value, which) if which else None
