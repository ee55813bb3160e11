"""Dead letters: a message given up on, kept whole with the reason, and what was delivered again."""

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


class DeadReplayed(Message, frozen=True, kw_only=True, tag="dead.replayed"):
    """A dead letter's message was put into the log again, for the same service to handle."""

    service: str
    at: datetime
    letter_seq: int
    """The dead letter's place in the log."""
    origin_seq: int
    """The message's first place; a replay of a replay names it too."""
    seq: int
    """Where it stands now."""
    alert_id: AlertId | None = None
