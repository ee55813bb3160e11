"""A span per batch, linked to the spans that sent its messages. Costs next to nothing when off."""

import contextlib
from collections.abc import Iterator, Sequence

from opentelemetry.trace import Link, SpanKind

from libs.common.arrival import Arrival
from libs.common.telemetry import sender_of, tracer


@contextlib.contextmanager
def batch_span(batch: Sequence[Arrival], *, consumer: str) -> Iterator[None]:
    """A batch belongs to many traces, so it has one of its own, and links to theirs. It is recorded
    where one of those is.
    """
    making = tracer()
    if making is None:
        yield
        return
    senders = [sender for came in batch if (sender := sender_of(came.headers)) is not None]
    with making.start_as_current_span(
        f"receive {consumer}",
        kind=SpanKind.CLIENT,
        links=[Link(sender) for sender in senders if sender.trace_flags.sampled],
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "receive",
            "messaging.operation.name": "receive",
            "messaging.consumer.group.name": consumer,
            "messaging.batch.message_count": len(batch),
            "messaging.nats.stream": batch[0].stream,
            "messaging.nats.sequence": batch[0].seq,
            "messaging.nats.last_sequence": batch[-1].seq,
        },
    ):
        yield
