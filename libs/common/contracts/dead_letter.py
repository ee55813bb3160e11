"""Dead letters: a message given up on, kept whole with the reason."""

from datetime import datetime

from libs.common.contracts.messages import Message
from libs.common.contracts.words import AlertId


class DeadLetter(Message, frozen=True, kw_only=True, tag="dead"):
    service: str
    at: datetime
    subject: str
    seq: int
    deliveries: int
    reason: str
    data: bytes
    """The message's bytes as they stand in the log."""
    headers: dict[str, str] = {}
    alert_id: AlertId | None = None
