"""Spans that a test can read, made as a service with tracing switched on makes them."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.common import telemetry
from libs.common.telemetry import tracer_provider


class Recording:
    """Switched on until `patch` is undone."""

    def __init__(self, patch: pytest.MonkeyPatch, *, ratio: float = 1.0) -> None:
        self.provider = tracer_provider(service="tested", ratio=ratio)
        self.exporter = InMemorySpanExporter()
        patch.setattr(telemetry, "_recording", None)
        telemetry.record(self.provider, SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The finished ones, by name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}
