"""A span per batch, linked to the spans that sent its messages. Costs next to nothing when off."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind


@contextlib.contextmanager
def batch_span(headers: Sequence[Mapping[str, str] | None], *, consumer: str) -> Iterator[None]:
    """A batch belongs to many traces, so it has one of its own, and links to theirs."""
    tracer = trace.get_tracer("alertwire")
    with tracer.start_as_current_span(
        f"receive {consumer}",
        kind=SpanKind.CLIENT,
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "receive",
            "messaging.operation.name": "receive",
            "messaging.consumer.group.name": consumer,
            "messaging.batch.message_count": len(headers),
        },
    ) as span:
        if span.is_recording():
            for carrier in headers:
                sender = trace.get_current_span(propagate.extract(carrier or {}))
                if sender.get_span_context().is_valid:
                    span.add_link(sender.get_span_context())
        yield
