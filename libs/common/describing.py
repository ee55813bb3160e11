"""How spans tell a message: whose it is, in the words of the log lines, and its place in the log in
those of the messaging conventions (semconv 1.44; what it has no name for is `messaging.nats.*`).
"""

from libs.common.arrival import Arrival
from libs.common.contracts import subjects
from libs.common.contracts.codec import AnyMessage

_EVENT_ID = "Nats-Msg-Id"
_WORDS = ("alert_id", "route", "account", "symbol", "client_order_id")


def about(message: AnyMessage) -> dict[str, str]:
    """Whose it is, as far as the message itself says."""
    found = {word: getattr(message, word, None) for word in _WORDS}
    return {word: str(value) for word, value in found.items() if value is not None}


def handling(came: Arrival, *, durable: str) -> dict[str, str | int | bool]:
    """A delivery, in the conventions' words."""
    return {
        "messaging.destination.name": came.subject,
        "messaging.destination.template": subjects.parse(came.subject).stage,
        "messaging.consumer.group.name": durable,
        "messaging.message.id": came.headers.get(_EVENT_ID, ""),
        "messaging.nats.stream": came.stream,
        "messaging.nats.sequence": came.seq,
        "messaging.nats.num_delivered": came.deliveries,
    }
