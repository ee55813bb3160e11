"""A span per batch, linked to the spans that sent its messages. Costs next to nothing when off."""

import contextlib
from collections.abc import Sequence

from opentelemetry.trace import Span

from libs.common.arrival import Arrival
from libs.common.telemetry import linked_span
from libs.common.traceparent import sender_of


def batch_span(
    batch: Sequence[Arrival], *, consumer: str
) -> contextlib.AbstractContextManager[Span]:
    """A batch belongs to many traces, so it has one of its own, and links to theirs. It is recorded
    where one of those is.
    """
    return linked_span(
        f"receive {consumer}",
        # Read only where spans are made.
        (sender for came in batch if (sender := sender_of(came.headers)) is not None),
        {
            "messaging.system": "nats",
            "messaging.operation.type": "receive",
            "messaging.operation.name": "receive",
            "messaging.consumer.group.name": consumer,
            "messaging.batch.message_count": len(batch),
            "messaging.nats.stream": batch[0].stream,
            "messaging.nats.sequence": batch[0].seq,
            "messaging.nats.last_sequence": batch[-1].seq,
        },
    )
