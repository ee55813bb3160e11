"""What was asked of the exchange, and what it answered: part of every message that rests on it."""

from datetime import datetime

from libs.common.contracts.messages import Part


class ExchangeCall(Part, frozen=True, kw_only=True):
    """One request to the exchange and what came back, to the byte, without headers or keys."""

    method: str
    path: str
    query: str = ""
    request_body: str = ""
    sent_at: datetime
    elapsed_ms: float | None = None
    http_status: int | None = None
    """None where no reply arrived."""
    response_body: str = ""
    error: str = ""
    """Why no reply arrived, in the client's words."""
